"""Keeps a task that cannot be handled apart from the others: it ends, and they go on."""

import logging
from collections.abc import Callable
from typing import TypeVar

from penstock.engine.report import break_task
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.model.errors import PenstockError, UnavailableError
from penstock.model.status import Reason, TaskStatus
from penstock.store import tasks
from penstock.store.failures import RolledBackError
from penstock.store.tasks import TaskChange

T = TypeVar("T")

_log = logging.getLogger(__name__)


def guard_task(parts: Parts, agent_id: int | None, task_uuid: str, work: Callable[[], T]) -> T | None:
    """What `work` returned.

    When it raises, the task ends as an infrastructure failure (reason internal) if the agent has it, and the
    answer is None: trying again would fail again, and hold up all others. What a database or disk that is
    away causes is raised, since it passes (UnavailableError, RolledBackError).
    """
    try:
        return work()
    except (UnavailableError, RolledBackError):
        raise
    except Exception as error:  # noqa: BLE001 - the outermost loop over tasks: the others must go on
        if isinstance(error, PenstockError):
            _log.error("task %s cannot be handled and is ended: %s", task_uuid, error)
        else:
            _log.exception("task %s cannot be handled and is ended", task_uuid)
        _end_task(parts, agent_id, task_uuid, _describe(error))
        return None


def work_together(work: Callable[[], T]) -> T | None:
    """What `work` returned; None when something in it cannot be handled: each task is to be tried alone.

    What passes by itself is raised, as from `guard_task`.
    """
    try:
        return work()
    except (UnavailableError, RolledBackError):
        raise
    except Exception:  # noqa: BLE001 - the loop over tasks follows, and tells which one it was
        _log.warning("tasks cannot be handled together and are tried one by one")
        return None


def _end_task(parts: Parts, agent_id: int | None, task_uuid: str, message: str) -> None:
    try:
        transact(parts, lambda unit: break_task(unit, agent_id, task_uuid, message=message))
    except (UnavailableError, RolledBackError):
        raise
    except Exception:  # noqa: BLE001 - the same, when the workflow itself is what is broken
        _log.exception("task %s: its workflow cannot be told", task_uuid)
        transact(parts, lambda unit: _end_row(unit, agent_id, task_uuid, message))


def _end_row(unit: Unit, agent_id: int | None, task_uuid: str, message: str) -> None:
    """End the task's row alone, so that nobody comes back to it."""
    held = tasks.lock_task(unit.tx, task_uuid)
    if held is None or held.task.agent_id != agent_id or held.task.status.is_terminal:
        return
    change = TaskChange(
        id=held.task.id,
        status=TaskStatus.INFRASTRUCTURE_FAIL,
        reason=Reason.INTERNAL,
        lease_until=None,
        stopped_at=max(unit.now, held.task.queued_at),
        message=message,
    )
    tasks.update_tasks(unit.tx, [change])


def _describe(error: Exception) -> str:
    """The error for people; what is no error of ours may quote anything, so only its kind is told."""
    what = str(error) if isinstance(error, PenstockError) else f"internal error ({type(error).__name__})"
    return f"the server could not go on with this task: {what}"
