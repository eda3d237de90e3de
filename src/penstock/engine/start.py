"""Makes workflows of a plan: their rows, their jobs, and their place in a queue."""

from collections.abc import Mapping

import msgspec

from penstock.engine.feed import JobChanged, WorkflowChanged
from penstock.engine.flow import load_flow
from penstock.engine.lines import enter_line
from penstock.engine.unit import Unit
from penstock.kit.ids import new_id
from penstock.lifecycle.events import Begin
from penstock.lifecycle.graph import Graph
from penstock.lifecycle.state import JobState, WorkflowState, make_state
from penstock.model.run import Job, Pipeline, Workflow
from penstock.model.status import Reason
from penstock.plan.plan import Plan
from penstock.plan.workflow import SETUP_TAG, JobPlan, Start, WorkflowPlan
from penstock.store import jobs, workflows
from penstock.store.jobs import JobChange

_AT_ONCE = {Start.AT_ONCE, Start.HELD}

KEPT_FROM = "kept_from"
"""Flag of a job that a rerun did not repeat: the UUID of the job that did the work."""

RETESTS = "retests"
"""Flag of a job that is to run only the tests that failed before: the UUID of the job they failed in."""


WARNINGS = "warnings"
"""Flag of a job: sentences about what it left behind that could not be used."""


class NewWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made. A rerun says where it begins (`state`) and which old jobs it keeps (`kept`).

    `origins` has the UUIDs of the jobs that did the work of those that are kept, by key; `retests` those
    of the jobs whose failed tests alone are to run again.
    """

    key: str
    plan: WorkflowPlan
    held: bool = False
    rerun_of: str | None = None
    auto_rerun_number: int = 0
    started_by: str = ""
    state: WorkflowState | None = None
    kept: Mapping[str, Job] = {}
    origins: Mapping[str, str] = {}
    retests: Mapping[str, str] = {}


def make_workflow(unit: Unit, pipeline: Pipeline, new: NewWorkflow) -> Workflow:
    """Store the workflow and its jobs; nothing of it runs yet. Its plan must be sound (`Graph.of`)."""
    state = new.state or make_state(Graph.of(new.plan), held=new.held)
    uuid = new_id()
    row = Workflow(
        id=0,
        uuid=uuid,
        pipeline_id=pipeline.id,
        key=new.key,
        name=new.plan.name,
        status=state.status,
        reason=state.reason,
        created_at=unit.now,
        started_at=None,
        stopped_at=None,
        workspace=uuid,
        rerun_of=new.rerun_of,
        auto_rerun_number=new.auto_rerun_number,
        tag=" ".join(new.plan.tags),
        started_by=new.started_by,
    )
    (stored,) = workflows.insert_workflows(unit.tx, pipeline.project_id, [(row, new.plan)])
    made = [
        (_make_job(unit, stored, pipeline, key, plan, state.jobs[key], new.kept.get(key)), plan)
        for key, plan in new.plan.jobs.items()
    ]
    inserted = jobs.insert_jobs(unit.tx, made)
    marks = [
        JobChange(id=job.id, flags={flag: known[job.key]})
        for flag, known in ((KEPT_FROM, new.origins), (RETESTS, new.retests))
        for job in inserted
        if job.key in known
    ]
    jobs.update_jobs(unit.tx, marks)
    unit.changes += [job_changed(unit.now, pipeline.uuid, uuid, job) for job in inserted]
    unit.changes.append(
        WorkflowChanged(
            at=unit.now, pipeline=pipeline.uuid, workflow=uuid, name=new.plan.name, status=state.status
        )
    )
    return stored


def make_roots(unit: Unit, pipeline: Pipeline, plan: Plan) -> int:
    """Make the workflows of the plan that are made with it; returns how many.

    Each begins unless a person is to start it. Those of a setup config are tagged so.
    """
    count = 0
    for key, each in plan.workflows.items():
        if each.start in _AT_ONCE:
            held = each.start is Start.HELD
            tags = (*each.tags, SETUP_TAG) if plan.setup else each.tags
            target = msgspec.structs.replace(each, tags=tags)
            workflow = make_workflow(unit, pipeline, NewWorkflow(key=key, plan=target, held=held))
            if not held:
                begin_workflow(unit, workflow.id)
            count += 1
    return count


def begin_workflow(unit: Unit, workflow_id: int, *, newcomer: bool = True) -> None:
    """Let the workflow go as soon as its line allows: at once, or when those before it have ended.

    A newcomer, unlike a rerun, pushes out older ones when its rule says so.
    """
    if enter_line(unit, workflow_id, newcomer=newcomer):
        load_flow(unit, workflow_id).apply(Begin())


def job_changed(at: int, pipeline: str, workflow: str, job: Job) -> JobChanged:
    """What watchers are told of a job in the state its row has."""
    return JobChanged(
        at=at,
        pipeline=pipeline,
        workflow=workflow,
        job=job.uuid,
        key=job.key,
        name=job.name,
        kind=job.kind,
        status=job.status,
        reason=job.reason,
        attempt=job.attempt,
        message=job.message,
    )


def _make_job(
    unit: Unit,
    workflow: Workflow,
    pipeline: Pipeline,
    key: str,
    plan: JobPlan,
    state: JobState,
    kept: Job | None,
) -> Job:
    """The row of a job; one that a rerun keeps has the times and words of the old one, not its number."""
    return Job(
        id=0,
        uuid=new_id(),
        workflow_id=workflow.id,
        project_id=pipeline.project_id,
        number=None,
        key=key,
        name=plan.name,
        kind=plan.kind,
        status=state.status,
        reason=state.reason if kept is None else kept.reason or Reason.NONE,
        attempt=state.attempt,
        parallelism=plan.parallelism,
        created_at=unit.now,
        queued_at=kept.queued_at if kept else None,
        started_at=kept.started_at if kept else None,
        stopped_at=kept.stopped_at if kept else unit.now if state.status.is_terminal else None,
        message=kept.message if kept else "",
        approved_by=kept.approved_by if kept else state.approved_by,
        canceled_by=kept.canceled_by if kept else "",
    )
