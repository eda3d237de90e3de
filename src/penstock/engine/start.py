"""Makes workflows of a plan: their rows, their jobs, and their place in a queue."""

from collections.abc import Mapping

import msgspec

from penstock.engine.facts import Facts
from penstock.engine.feed import JobChanged, WorkflowChanged
from penstock.engine.flow import Flow, load_flow
from penstock.engine.unit import Unit
from penstock.kit.ids import new_id
from penstock.lifecycle.events import Begin
from penstock.lifecycle.graph import Graph
from penstock.lifecycle.state import JobState, WorkflowState, make_state
from penstock.model.run import Job, Pipeline, Workflow
from penstock.model.status import Reason
from penstock.plan.workflow import JobPlan, QueueRule, QueueScope, WorkflowPlan
from penstock.store import jobs, locks, workflows
from penstock.store.locks import LockOwner

QUEUE_LOCK = "queue:"
"""What the name of the lock behind a workflow queue begins with."""


class NewWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made. A rerun says where it begins (`state`) and which old jobs it keeps (`kept`)."""

    key: str
    plan: WorkflowPlan
    held: bool = False
    workspace: str = ""
    rerun_of: str | None = None
    auto_rerun_number: int = 0
    state: WorkflowState | None = None
    kept: Mapping[str, Job] = {}


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
        workspace=new.workspace or uuid,
        rerun_of=new.rerun_of,
        auto_rerun_number=new.auto_rerun_number,
        tag=" ".join(new.plan.tags),
    )
    (stored,) = workflows.insert_workflows(unit.tx, pipeline.project_id, [(row, new.plan)])
    made = [
        (_make_job(unit, stored, pipeline, key, plan, state.jobs[key], new.kept.get(key)), plan)
        for key, plan in new.plan.jobs.items()
    ]
    unit.changes += [
        job_changed(unit.now, pipeline.uuid, uuid, job) for job in jobs.insert_jobs(unit.tx, made)
    ]
    unit.changes.append(
        WorkflowChanged(
            at=unit.now, pipeline=pipeline.uuid, workflow=uuid, name=new.plan.name, status=state.status
        )
    )
    return stored


def begin_workflow(unit: Unit, workflow: Workflow) -> Flow | None:
    """Let the workflow go as soon as its queue allows: at once, or when those before it have ended.

    Returns its flow when it has begun.
    """
    facts = unit.parts.memory.facts(unit.tx, workflow.id)
    rule = facts.graph.plan.queue
    if rule is not None and rule.serialized:
        owner = queue_owner(facts, rule, workflow.id)
        if not locks.acquire_lock(unit.tx, owner, now=unit.now):
            return None
    flow = load_flow(unit, workflow.id)
    flow.apply(Begin())
    return flow


def queue_owner(facts: Facts, rule: QueueRule, workflow_id: int) -> LockOwner:
    """The workflow as one who waits in its queue."""
    scope = facts.project.uuid if rule.scope is QueueScope.PROJECT else facts.organization.uuid
    name = f"{QUEUE_LOCK}{scope}:{rule.name}"
    return LockOwner(organization_id=facts.organization.id, name=name, workflow_id=workflow_id)


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
    """The row of a job; one that a rerun keeps has the number, times and words of the old one."""
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
        stopped_at=kept.stopped_at if kept else None,
        message=kept.message if kept else "",
        approved_by=kept.approved_by if kept else state.approved_by,
    )
