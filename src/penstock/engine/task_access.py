"""What a task's own token opens: all about the task while an agent has it, and nothing afterwards."""

import msgspec

from penstock.engine.task_tokens import PURPOSE, read_task_token, sign_task_token
from penstock.engine.unit import Parts
from penstock.model.status import TaskStatus
from penstock.store import tasks
from penstock.store.sealing import Sealer
from penstock.wire.messages import Assignment, Commands

LONGEST = 7 * 86_400_000
"""Milliseconds after which a token is void even if its task still runs."""

_HELD = {TaskStatus.RUNNING, TaskStatus.CANCELING}


def hand_out_tokens(commands: Commands, sealer: Sealer, *, now: int) -> Commands:
    """The commands; each task that is given to the agent has its token."""
    if not commands.assignments:
        return commands
    keys = sealer.derive_keys(PURPOSE)
    given = tuple(_with_token(each, keys, now) for each in commands.assignments)
    return msgspec.structs.replace(commands, assignments=given)


def find_task(parts: Parts, sealer: Sealer, token: str) -> str | None:
    """The UUID of the task that the token opens; None when it is forged or expired or no agent has it."""
    task = read_task_token(sealer.derive_keys(PURPOSE), token, now=parts.clock.now())
    if task is None:
        return None
    with parts.db.read() as tx:
        found = tasks.task_by_uuid(tx, task)
    held = found is not None and found.status in _HELD and found.lease_until is not None
    return task if held else None


def _with_token(assignment: Assignment, keys: tuple[bytes, ...], now: int) -> Assignment:
    token = sign_task_token(keys, assignment.task, expires_at=now + LONGEST)
    return msgspec.structs.replace(assignment, token=token)
