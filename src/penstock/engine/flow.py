"""A workflow inside a transaction: loaded and locked once, advanced by events, saved once."""

from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from penstock.engine.facts import Facts
from penstock.engine.feed import JobChanged, WorkflowChanged
from penstock.engine.memory import SavedState
from penstock.engine.statuses import promise_job
from penstock.engine.unit import Unit
from penstock.engine.webhook_events import Event, find_job_event, promise_events
from penstock.lifecycle.effects import AnyEffect
from penstock.lifecycle.events import AnyEvent
from penstock.lifecycle.state import JobState, WorkflowState
from penstock.lifecycle.workflow import advance
from penstock.model.errors import NotFoundError
from penstock.model.run import Workflow
from penstock.model.status import JobStatus
from penstock.model.webhook import WebhookEvent
from penstock.store import jobs, workflows
from penstock.store.jobs import JobChange
from penstock.store.workflows import LockedWorkflow, WorkflowChange

_BEGUN = {JobStatus.RUNNING, JobStatus.ON_HOLD}
"""What a job does from its start: it runs, or as an approval it waits for a person."""


class Flow:
    """A locked workflow. `pending` are effects of events that nobody has carried out yet."""

    def __init__(self, unit: Unit, facts: Facts, row: Workflow, saved: SavedState) -> None:
        self.unit = unit
        self.facts = facts
        self.row = row
        self.ids = saved.ids  # row id and UUID of each job, by key
        self.state = saved.state
        self.flags = dict(saved.flags)  # what the engine remembers of a job beside its state
        self.pending: deque[AnyEffect] = deque()
        self._saved = saved
        self._changes: dict[str, JobChange] = {}

    def apply(self, event: AnyEvent, *, at: int | None = None) -> bool:
        """Let the event change the state; False when it came late or twice and changed nothing.

        `at` is when it happened, if that was not now.
        """
        before = self.state
        step = advance(self.facts.graph, before, event)
        if step.state is before:
            return False
        self.state = step.state
        self.pending.extend(step.effects)
        moment = self.unit.now if at is None else at
        for key in sorted(step.changed, key=self.facts.graph.rank.__getitem__):
            self._note_job(key, before.jobs[key], moment)
        if before.status is not self.state.status:
            self._note_workflow(moment)
        return True

    def change_of(self, key: str) -> JobChange:
        """The row change of the job that this transaction will write; set fields on it to add to it."""
        change = self._changes.get(key)
        if change is None:
            change = self._changes[key] = JobChange(id=self.ids[key][0])
        return change

    def explain(self, key: str, message: str) -> None:
        """The job's row will carry the message, unless it has ended and its last word was said."""
        if message and not self.state.jobs[key].status.is_terminal:
            self.change_of(key).message = message

    def remember(self, key: str, **flags: object) -> None:
        """The engine will know these things of the job, in the place of what it knew under their names."""
        self.flags[key] = {**self.flags.get(key, {}), **flags}
        self.change_of(key)

    def save(self) -> None:
        """Write every row that has changed since the workflow was loaded or saved last."""
        before, after = self._saved.state, self.state
        for key, job in after.jobs.items():
            if job is not before.jobs[key]:
                self._describe_job(key, job)
                promise_job(
                    self.unit, self.facts, self.ids[key][1], key, (before.jobs[key].status, job.status)
                )
        promise_events(self.unit, self.facts, self._list_events(before, after))
        if not self._changes and after is before:
            return
        for key, row in self._changes.items():
            row.flags = {**self.flags.get(key, {}), **_count_losses(after.jobs[key])}
        jobs.update_jobs(self.unit.tx, self._changes.values())
        self._changes = {}
        version = self._saved.version + 1
        workflows.update_workflow(self.unit.tx, self._describe_workflow(before, after, version))
        self._saved = SavedState(version=version, state=after, ids=self.ids, flags=dict(self.flags))
        keep = partial(self.unit.parts.memory.keep_state, self.row.id, self._saved)
        self.unit.afterwards.append(keep)

    def _list_events(self, before: WorkflowState, after: WorkflowState) -> list[Event]:
        """What webhooks are told, the jobs before their workflow."""
        plans = self.facts.graph.plan.jobs
        found = [
            find_job_event(plans[key].kind, self.ids[key][1], before.jobs[key].status, job.status)
            for key, job in after.jobs.items()
            if job is not before.jobs[key]
        ]
        events = [event for event in found if event is not None]
        if after.status.is_terminal and not before.status.is_terminal:
            events.append((WebhookEvent.WORKFLOW_COMPLETED, self.facts.workflow_uuid))
        return events

    def _describe_job(self, key: str, job: JobState) -> None:
        row = self.change_of(key)
        row.status, row.reason, row.attempt = job.status, job.reason, job.attempt
        if job.approved_by:
            row.approved_by = job.approved_by

    def _describe_workflow(self, before: WorkflowState, after: WorkflowState, version: int) -> WorkflowChange:
        change = WorkflowChange(id=self.row.id, version=version)
        if (after.status, after.reason) != (before.status, before.reason):
            change.status, change.reason = after.status, after.reason
        if (after.begun, after.locks) != (before.begun, before.locks):
            change.flags = {"begun": after.begun, "locks": dict(after.locks)}
        if after.begun and not before.begun and self.row.started_at is None:
            change.started_at = self.unit.now
        if after.status.is_terminal and not before.status.is_terminal:
            change.stopped_at = max(self.unit.now, self.row.started_at or self.row.created_at)
        return change

    def _note_job(self, key: str, before: JobState, moment: int) -> None:
        """Set the times that go with the job's new status, and tell the watchers."""
        after, change = self.state.jobs[key], self.change_of(key)
        if after.attempt != before.attempt:
            change.queued_at, change.started_at, change.stopped_at = moment, None, None
            if before.attempt:
                change.message = ""  # it was about the attempt before
        elif after.status is JobStatus.QUEUED and before.status is JobStatus.RUNNING:
            change.started_at = None
        if after.status in _BEGUN and before.status not in _BEGUN:
            change.started_at = moment
        if after.status.is_terminal:
            change.stopped_at = moment
        plan = self.facts.graph.plan.jobs[key]
        told = JobChanged(
            at=moment,
            pipeline=self.facts.pipeline.uuid,
            workflow=self.facts.workflow_uuid,
            job=self.ids[key][1],
            key=key,
            name=plan.name,
            kind=plan.kind,
            status=after.status,
            reason=after.reason,
            attempt=after.attempt,
            message=change.message if isinstance(change.message, str) else "",
        )
        self.unit.changes.append(told)

    def _note_workflow(self, moment: int) -> None:
        self.unit.changes.append(
            WorkflowChanged(
                at=moment,
                pipeline=self.facts.pipeline.uuid,
                workflow=self.facts.workflow_uuid,
                name=self.facts.name,
                status=self.state.status,
                reason=self.state.reason,
            )
        )


def load_flow(unit: Unit, workflow_id: int) -> Flow:
    """The workflow, locked until the transaction ends; the same object whenever the transaction asks again.

    Raises NotFoundError when there is none.
    """
    known = unit.flows.get(workflow_id)
    if isinstance(known, Flow):
        return known
    locked = workflows.lock_workflow(unit.tx, workflow_id)
    if locked is None:
        raise NotFoundError(f"there is no workflow {workflow_id}")
    unit.catch_up()
    saved = unit.parts.memory.state(
        workflow_id, locked.version, lambda: _read_state(unit, workflow_id, locked)
    )
    flow = Flow(unit, unit.facts(workflow_id), locked.workflow, saved)
    unit.flows[workflow_id] = flow
    return flow


def loaded_flows(unit: Unit) -> Iterator[Flow]:
    """The workflows the transaction has loaded so far, in that order."""
    return (flow for flow in tuple(unit.flows.values()) if isinstance(flow, Flow))


def _read_state(unit: Unit, workflow_id: int, locked: LockedWorkflow) -> SavedState:
    rows = jobs.states_of(unit.tx, workflow_id)
    state = WorkflowState(
        jobs={row.key: _state_of(row) for row in rows},
        status=locked.workflow.status,
        reason=locked.workflow.reason,
        begun=locked.flags.get("begun", False),
        locks=locked.flags.get("locks", {}),
    )
    ids = {row.key: (row.id, row.uuid) for row in rows}
    flags = {row.key: rest for row in rows if (rest := _strip_losses(row.flags))}
    return SavedState(version=locked.version, state=state, ids=ids, flags=flags)


def _state_of(row: jobs.JobState) -> JobState:
    losses = row.flags.get("losses", 0)
    return JobState(status=row.status, reason=row.reason, attempt=row.attempt, losses=losses)


def _count_losses(job: JobState) -> dict[str, int]:
    return {"losses": job.losses} if job.losses else {}


def _strip_losses(flags: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flags.items() if name != "losses"}
