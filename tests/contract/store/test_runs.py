"""Pipelines, workflows, jobs and steps come back as they went in."""

import msgspec
import pytest

from penstock.kit.ids import new_id
from penstock.kit.marks import Mark
from penstock.model.diagnostic import Diagnostic, Severity
from penstock.model.errors import ConflictError
from penstock.model.output import WorkspaceLayer
from penstock.model.run import StepRun
from penstock.model.status import JobStatus, PipelineStatus, Reason, StepStatus, WorkflowStatus
from penstock.plan.workflow import JobPlan
from penstock.store import followups, jobs, pipelines, steps, tasks, workflows, workspaces
from penstock.store.database import Database
from penstock.store.followups import FollowUpChange, FollowUpStatus
from penstock.store.pipelines import PipelineChange, StoredConfig
from tests.support.records import (
    NOW,
    a_job,
    a_pipeline,
    a_task,
    add_jobs,
    add_pipeline,
    add_project,
    add_tasks,
    add_workflow,
)


def test_a_pipeline_comes_back_as_it_went_in(db: Database) -> None:
    with db.write() as tx:
        stored = add_pipeline(tx)
        assert pipelines.get_pipeline(tx, stored.id) == stored
        assert pipelines.lock_pipeline(tx, stored.id) == stored
        assert pipelines.pipeline_by_uuid(tx, stored.uuid) == stored
        assert pipelines.pipeline_by_number(tx, stored.project_id, 1) == stored
        assert pipelines.get_pipeline(tx, stored.id + 1) is None


def test_a_number_is_taken_once(db: Database) -> None:
    with db.write() as tx:
        stored = add_pipeline(tx)
    with pytest.raises(ConflictError), db.write() as tx:
        pipelines.insert_pipeline(tx, a_pipeline(stored.project_id, stored.number))


def test_errors_of_a_pipeline_keep_their_places(db: Database) -> None:
    finding = Diagnostic(
        severity=Severity.ERROR, code="unknown-job", message="no \x00 such job", mark=Mark("config.yml", 3, 7)
    )
    with db.write() as tx:
        stored = add_pipeline(tx)
        change = PipelineChange(
            id=stored.id, updated_at=NOW + 1, status=PipelineStatus.ERRORED, errors=(finding,)
        )
        pipelines.update_pipeline(tx, change)
        found = pipelines.get_pipeline(tx, stored.id)
    assert found == msgspec.structs.replace(
        stored, updated_at=NOW + 1, status=PipelineStatus.ERRORED, errors=(finding,)
    )


def test_pages_of_pipelines_stay_stable_while_rows_arrive(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        made = [add_pipeline(tx, project).id for _ in range(5)]
        page = pipelines.list_pipelines(tx, project_id=project.id, limit=2)
        add_pipeline(tx, project)
        rest = pipelines.list_pipelines(tx, project_id=project.id, before=page[-1].id, limit=9)
    assert [pipeline.id for pipeline in [*page, *rest]] == made[::-1]


def test_pipelines_are_listed_by_project_and_branch(db: Database) -> None:
    with db.write() as tx:
        one, two = add_project(tx), add_project(tx, "gh/acme/other")
        main, side, elsewhere = (
            add_pipeline(tx, one),
            add_pipeline(tx, one, branch="side"),
            add_pipeline(tx, two, branch="side"),
        )
        assert pipelines.list_pipelines(tx) == [elsewhere, side, main]
        assert pipelines.list_pipelines(tx, project_id=one.id) == [side, main]
        assert pipelines.list_pipelines(tx, project_id=one.id, branch="side") == [side]
        assert pipelines.list_pipelines(tx, project_id=one.id, branch="side", before=side.id) == []


def test_owners_are_listed_until_the_pipeline_is_disowned(db: Database) -> None:
    with db.write() as tx:
        plain = add_pipeline(tx)
        stored = pipelines.insert_pipeline(
            tx, a_pipeline(plain.project_id, 2), owner="/run/a.lock", labels={"dir": "é"}
        )
        assert pipelines.owned_pipelines(tx) == [(stored.id, "/run/a.lock")]
        assert pipelines.load_labels(tx, stored.id) == {"dir": "é"}
        pipelines.disown_pipeline(tx, stored.id)
        assert pipelines.owned_pipelines(tx) == []


def test_configs_are_kept_beside_the_pipeline_by_name(db: Database) -> None:
    main = StoredConfig(source="jobs: {}\n" * 1000, compiled="é\ud800", plan=b'{"language":"x"}')
    setup = StoredConfig(source="setup: true", compiled="", plan=b"{}")
    with db.write() as tx:
        stored = add_pipeline(tx)
        pipelines.save_config(tx, stored.id, setup)
        pipelines.save_config(tx, stored.id, main)
        pipelines.save_config(tx, stored.id, setup, name="setup")
        assert pipelines.load_config(tx, stored.id) == main
        assert pipelines.load_config(tx, stored.id, name="setup") == setup
        assert pipelines.load_config(tx, stored.id, name="none") is None


def test_a_deleted_pipeline_takes_everything_below_with_it(db: Database) -> None:
    with db.write() as tx:
        [job] = add_jobs(tx)
        [task] = add_tasks(tx, job=job)
        workflow = workflows.get_workflow(tx, job.workflow_id)
        assert workflow is not None
        layer = WorkspaceLayer(job_key=job.key, task_index=0, blob="layers/a", size=1)
        workspaces.add_layer(tx, workflow.workspace, layer, now=NOW)
        pipelines.delete_pipeline(tx, workflow.pipeline_id)
        assert jobs.get_job(tx, job.id) is None
        assert tasks.get_task(tx, task.id) is None
        assert workspaces.layers_of(tx, workflow.workspace) == []


def test_ids_are_not_used_again_after_a_deletion(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        first = add_pipeline(tx, project)
        pipelines.delete_pipeline(tx, first.id)
        assert add_pipeline(tx, project).id > first.id


def test_workflows_come_back_with_their_plans(db: Database) -> None:
    with db.write() as tx:
        pipeline = add_pipeline(tx)
        made = [add_workflow(tx, pipeline, name=name) for name in ("b", "a")]
        assert workflows.workflows_of(tx, pipeline.id) == made
        assert workflows.workflow_by_uuid(tx, made[0].uuid) == made[0]
        assert workflows.load_plan(tx, made[1].id).name == "a"
        assert workflows.list_workflows(tx, pipeline.project_id) == made[::-1]
        assert workflows.list_workflows(tx, pipeline.project_id, before=made[1].id, limit=1) == [made[0]]


def test_a_locked_workflow_comes_with_its_project_and_flags(db: Database) -> None:
    with db.write() as tx:
        workflow = add_workflow(tx)
        flags = {"cancel": True, "locks": ["a"]}
        workflows.update_workflow(tx, workflows.WorkflowChange(id=workflow.id, flags=flags))
        locked = workflows.lock_workflow(tx, workflow.id)
        assert locked is not None
        assert (locked.workflow, locked.flags) == (workflow, flags)
        assert workflows.load_flags(tx, workflow.id) == flags
        assert workflows.lock_workflow(tx, workflow.id + 1) is None


def test_open_workflows_are_those_that_have_not_stopped(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        main = add_workflow(tx, add_pipeline(tx, project))
        side = add_workflow(tx, add_pipeline(tx, project, branch="side"))
        ended = add_workflow(tx, add_pipeline(tx, project))
        change = workflows.WorkflowChange(
            id=ended.id, status=WorkflowStatus.FAILED, reason=Reason.TEST, stopped_at=NOW + 1
        )
        workflows.update_workflow(tx, change)
        assert workflows.open_workflows(tx) == [main, side]
        assert workflows.open_workflows(tx, project_id=project.id, branch="side") == [side]
        assert workflows.open_workflows(tx, project_id=project.id + 1) == []


def test_reruns_name_the_workflow_they_repeat(db: Database) -> None:
    with db.write() as tx:
        first = add_workflow(tx)
        again = msgspec.structs.replace(first, id=0, uuid=new_id(), rerun_of=first.uuid, auto_rerun_number=1)
        pipeline = pipelines.get_pipeline(tx, first.pipeline_id)
        assert pipeline is not None
        plan = workflows.load_plan(tx, first.id)
        stored = workflows.insert_workflows(tx, pipeline.project_id, [(again, plan)])
        assert workflows.reruns_of(tx, first.uuid) == stored
        assert workflows.reruns_of(tx, again.uuid) == []


def test_jobs_come_back_in_the_order_of_the_plan(db: Database) -> None:
    names = [f"job-{99 - index}" for index in range(20)]
    with db.write() as tx:
        stored = add_jobs(tx, names)
        assert jobs.jobs_of(tx, stored[0].workflow_id) == stored
        assert [state.key for state in jobs.states_of(tx, stored[0].workflow_id)] == names
        assert jobs.load_plan(tx, stored[3].id) == JobPlan(name=names[3])
        assert jobs.get_job(tx, stored[5].id) == stored[5]
        assert jobs.job_by_uuid(tx, stored[5].uuid) == stored[5]
        assert jobs.job_by_number(tx, stored[5].project_id, 6) == stored[5]
        assert jobs.job_by_key(tx, stored[5].workflow_id, names[5]) == stored[5]
        assert jobs.insert_jobs(tx, []) == []


def test_jobs_without_a_number_do_not_clash(db: Database) -> None:
    with db.write() as tx:
        [job] = add_jobs(tx)
        made = [
            (a_job(job.workflow_id, job.project_id, name, None), JobPlan(name=name))
            for name in ("hold", "noop")
        ]
        assert [found.number for found in jobs.insert_jobs(tx, made)] == [None, None]


def test_changes_of_jobs_write_only_the_fields_that_are_set(db: Database) -> None:
    with db.write() as tx:
        first, second, third = add_jobs(tx, ["a", "b", "c"])
        changes = [
            jobs.JobChange(id=first.id, status=JobStatus.QUEUED, queued_at=NOW),
            jobs.JobChange(id=second.id, status=JobStatus.FAILED, reason=Reason.TEST, stopped_at=NOW),
            jobs.JobChange(id=third.id, flags={"lost": 1}, message="nul \x00 and \udcff"),
        ]
        jobs.update_jobs(tx, [*changes, jobs.JobChange(id=third.id)])
        states = jobs.states_of(tx, first.workflow_id)
        assert [state.status for state in states] == [JobStatus.QUEUED, JobStatus.FAILED, JobStatus.BLOCKED]
        assert [state.flags for state in states] == [{}, {}, {"lost": 1}]
        assert [job.queued_at for job in jobs.jobs_of(tx, first.workflow_id)] == [NOW, None, None]
        found = jobs.get_job(tx, third.id)
        assert found is not None
        assert found.message == "nul \ufffd and \ufffd"


def test_an_attempt_of_a_job_is_made_once(db: Database) -> None:
    with db.write() as tx:
        [job] = add_jobs(tx)
        add_tasks(tx, 2, job=job)
        tasks.insert_tasks(tx, [a_task(job.id, 0, attempt=2)], labels=[], priority=1)
    with pytest.raises(ConflictError), db.write() as tx:
        tasks.insert_tasks(tx, [a_task(job.id, 1, attempt=1)], labels=[], priority=1)


def a_step(task_id: int, index: int = 0, name: str = "test") -> StepRun:
    return StepRun(
        task_id=task_id,
        index=index,
        name=name,
        kind="run",
        status=StepStatus.RUNNING,
        started_at=NOW,
        stopped_at=None,
    )


def test_steps_start_and_finish_in_place(db: Database) -> None:
    with db.write() as tx:
        [task] = add_tasks(tx)
        for step in (a_step(task.id, 1), a_step(task.id, 0, "old"), a_step(task.id, 0)):
            steps.start_step(tx, step)
        end = steps.StepEnd(status=StepStatus.FAILED, stopped_at=NOW + 5, exit_code=3, message="no")
        steps.finish_step(tx, task.id, 1, end)
        assert steps.steps_of(tx, task.id) == [
            a_step(task.id, 0),
            msgspec.structs.replace(
                a_step(task.id, 1), status=StepStatus.FAILED, stopped_at=NOW + 5, exit_code=3, message="no"
            ),
        ]
        steps.end_open_steps(tx, task.id, status=StepStatus.CANCELED, stopped_at=NOW + 9)
        assert [step.stopped_at for step in steps.steps_of(tx, task.id)] == [NOW + 9, NOW + 5]
        steps.delete_steps(tx, task.id)
        assert steps.steps_of(tx, task.id) == []


def test_a_held_followup_is_started_by_one_person(db: Database) -> None:
    with db.write() as tx:
        workflow = add_workflow(tx)
        held = followups.insert_followup(tx, workflow.id, "deploy", status=FollowUpStatus.HELD, now=NOW)
        assert followups.start_followup(tx, held.id, actor="ada", now=NOW + 1)
        assert not followups.start_followup(tx, held.id, actor="bob", now=NOW + 2)
        followups.update_followup(tx, FollowUpChange(id=held.id, target="uuid", parameters={"env": "prod"}))
        [found] = followups.followups_of(tx, workflow.id)
        assert (found.actor, found.started_at, found.parameters) == ("ada", NOW + 1, {"env": "prod"})
        assert followups.followup_by_uuid(tx, held.uuid) == followups.followup_to(tx, "uuid") == found
