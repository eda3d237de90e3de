"""Ends what a command that was killed left behind, so that the store tells the truth about it."""

from collections.abc import Callable

from penstock.engine.effects import settle
from penstock.engine.flow import load_flow
from penstock.engine.report import lose_task
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.lifecycle.events import CancelRequested
from penstock.model.status import JobStatus, Reason, TaskStatus
from penstock.store import jobs, pipelines, tasks, workflows

KILLED = "the command that ran it ended before it did"


_MAY_BE_HELD = {JobStatus.CANCELING, JobStatus.CANCELED}
"""A job can be canceled for good while its task was claimed and not begun."""


def recover_pipelines(parts: Parts, is_gone: Callable[[str], bool]) -> int:
    """End every pipeline whose owner is gone as interrupted; returns how many there were."""
    with parts.db.read() as tx:
        owned = pipelines.owned_pipelines(tx)
    gone = [pipeline_id for pipeline_id, owner in owned if is_gone(owner)]
    for pipeline_id in gone:
        end_pipeline(parts, pipeline_id, message=KILLED)
    return len(gone)


def end_pipeline(parts: Parts, pipeline_id: int, *, message: str) -> None:
    """Nothing of the pipeline runs or waits afterwards, and it belongs to nobody."""
    transact(parts, lambda unit: _cancel_all(unit, pipeline_id))
    with parts.db.read() as tx:
        held = [
            task.uuid
            for workflow in workflows.workflows_of(tx, pipeline_id)
            for job in jobs.jobs_of(tx, workflow.id)
            if job.status in _MAY_BE_HELD
            for task in tasks.tasks_of(tx, job.id, attempt=job.attempt)
            if task.status is TaskStatus.CANCELING
        ]
    for uuid in held:
        transact(parts, lambda unit, uuid=uuid: lose_task(unit, uuid, message=message))  # type: ignore[misc]  # mypy knows no defaults of lambdas
    transact(parts, lambda unit: pipelines.disown_pipeline(unit.tx, pipeline_id))


def _cancel_all(unit: Unit, pipeline_id: int) -> None:
    for workflow in workflows.workflows_of(unit.tx, pipeline_id):
        if not workflow.status.is_terminal:
            load_flow(unit, workflow.id).apply(CancelRequested(reason=Reason.INTERRUPTED))
    unit.ended.add(pipeline_id)
    settle(unit)
