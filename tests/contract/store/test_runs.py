"""Pipelines, workflows, jobs and tasks come back as they went in."""

from penstock.model.status import JobStatus, Reason
from penstock.store import jobs, pipelines, queue, tasks, workflows
from penstock.store.database import Database
from tests.support.records import NOW, add_jobs, add_pipeline, add_tasks, add_workflow


def test_a_pipeline_comes_back_as_it_went_in(db: Database) -> None:
    with db.write() as tx:
        stored = add_pipeline(tx)
    with db.read() as tx:
        assert pipelines.get_pipeline(tx, stored.id) == stored
        assert pipelines.pipeline_by_uuid(tx, stored.uuid) == stored
        assert pipelines.pipeline_by_number(tx, stored.project_id, 1) == stored
        assert pipelines.get_pipeline(tx, stored.id + 1) is None


def test_jobs_come_back_in_the_order_of_the_plan(db: Database) -> None:
    names = [f"job-{99 - index}" for index in range(20)]
    with db.write() as tx:
        stored = add_jobs(tx, names)
    with db.read() as tx:
        assert jobs.jobs_of(tx, stored[0].workflow_id) == stored
        assert [state.key for state in jobs.states_of(tx, stored[0].workflow_id)] == names
        assert jobs.load_plan(tx, stored[3].id).name == names[3]


def test_changes_of_jobs_write_only_the_fields_that_are_set(db: Database) -> None:
    with db.write() as tx:
        first, second, third = add_jobs(tx, ["a", "b", "c"])
        changes = [
            jobs.JobChange(id=first.id, status=JobStatus.QUEUED, queued_at=NOW),
            jobs.JobChange(id=second.id, status=JobStatus.FAILED, reason=Reason.TEST, stopped_at=NOW),
            jobs.JobChange(id=third.id, flags={"lost": 1}),
        ]
        jobs.update_jobs(tx, changes)
    with db.read() as tx:
        states = jobs.states_of(tx, first.workflow_id)
        assert [state.status for state in states] == [JobStatus.QUEUED, JobStatus.FAILED, JobStatus.BLOCKED]
        assert [state.flags for state in states] == [{}, {}, {"lost": 1}]
        assert [job.queued_at for job in jobs.jobs_of(tx, first.workflow_id)] == [NOW, None, None]


def test_a_claimed_task_is_leased_to_its_agent(db: Database) -> None:
    with db.write() as tx:
        stored = add_tasks(tx, 2)
        [claimed] = queue.claim_tasks(tx, 7, [], limit=1, lease_until=NOW + 5)
    assert (claimed.uuid, claimed.agent_id, claimed.lease_until) == (stored[0].uuid, 7, NOW + 5)
    with db.read() as tx:
        assert queue.held_tasks(tx, 7) == [claimed]
        assert tasks.task_by_uuid(tx, claimed.uuid) == claimed


def test_a_locked_workflow_comes_with_its_project_and_flags(db: Database) -> None:
    with db.write() as tx:
        workflow = add_workflow(tx)
        locked = workflows.lock_workflow(tx, workflow.id)
    assert locked is not None
    assert (locked.workflow, locked.flags) == (workflow, {})
