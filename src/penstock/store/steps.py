"""Steps of a task as they happened."""

from functools import cache
from typing import NamedTuple

import msgspec
from sqlalchemy import Executable, bindparam, select, update

from penstock.model.run import StepRun
from penstock.model.status import StepStatus
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import jobs, steps, tasks, workflows
from penstock.store.upserts import insert_into


class StepEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a step ended."""

    status: StepStatus
    stopped_at: int
    exit_code: int | None = None
    message: str = ""


class RunningStep(NamedTuple):
    """A step that runs now; `job_id` is a row id, `copy` the number of the parallel copy."""

    job_id: int
    copy: int
    step: int
    name: str


def start_step(tx: Transaction, step: StepRun) -> None:
    """Store the step; one of the same index of the task that was stored before is replaced."""
    tx.execute(_upsert(tx.dialect.name), rows.values_of(step))


def finish_step(tx: Transaction, task_id: int, index: int, end: StepEnd) -> None:
    """Note how the step ended; nothing happens when it was never started."""
    values = {f"new_{name}": value for name, value in msgspec.structs.asdict(end).items()}
    tx.execute(_finish(), values | {"of_task": task_id, "at_index": index})


def end_open_steps(tx: Transaction, task_id: int, *, status: StepStatus, stopped_at: int) -> None:
    """No step of the task is running afterwards: its agent is gone or was told to stop."""
    tx.execute(_end(), {"of_task": task_id, "as": status.value, "at": stopped_at})


def steps_of(tx: Transaction, task_id: int) -> list[StepRun]:
    """The task's steps in the order they were started."""
    return rows.fetch_all(tx, StepRun, _select_steps(), {"task_id": task_id})


def running_steps(tx: Transaction, pipeline_id: int) -> list[RunningStep]:
    """The steps of the pipeline that run now, by job, parallel copy and index."""
    return [RunningStep(*row) for row in tx.execute(_select_running(), {"pipeline_id": pipeline_id})]


def delete_steps(tx: Transaction, task_id: int) -> None:
    """Forget the steps of a task that begins anew on another agent."""
    tx.execute(steps.delete().where(steps.c.task_id == task_id))


@cache
def _upsert(dialect: str) -> Executable:
    statement = insert_into(dialect, steps)
    names = [name for name in StepRun.__struct_fields__ if name not in {"task_id", "index"}]
    return statement.on_conflict_do_update(
        index_elements=["task_id", "index"], set_={name: statement.excluded[name] for name in names}
    )


@cache
def _finish() -> Executable:
    chosen = update(steps).where(
        steps.c.task_id == bindparam("of_task"), steps.c.index == bindparam("at_index")
    )
    return chosen.values(
        {name: bindparam(f"new_{name}", type_=steps.c[name].type) for name in StepEnd.__struct_fields__}
    )


@cache
def _end() -> Executable:
    chosen = update(steps).where(steps.c.task_id == bindparam("of_task"), steps.c.stopped_at.is_(None))
    return chosen.values(status=bindparam("as", type_=steps.c.status.type), stopped_at=bindparam("at"))


@cache
def _select_running() -> Executable:
    columns = (jobs.c.id, tasks.c.index, steps.c.index, steps.c.name)
    joined = (
        workflows.join(jobs, jobs.c.workflow_id == workflows.c.id)
        .join(tasks, tasks.c.job_id == jobs.c.id)
        .join(steps, steps.c.task_id == tasks.c.id)
    )
    running = (
        workflows.c.pipeline_id == bindparam("pipeline_id"),
        jobs.c.status == rows.literally("'running'"),
        tasks.c.status == rows.literally("'running'"),
        steps.c.stopped_at.is_(None),
    )
    return select(*columns).select_from(joined).where(*running).order_by(*columns[:3])


@cache
def _select_steps() -> Executable:
    chosen = select(*rows.columns_of(steps, StepRun))
    return chosen.where(steps.c.task_id == bindparam("task_id")).order_by(steps.c.index)
