"""Which workflows of a queue may begin, and which a newcomer pushes out.

`Semaphore: pipeline queues, auto-cancel`: within a queue workflows run one at a time, oldest first; a
workflow whose rule says parallel waits for nobody, but serialized ones behind it wait for it too.
"""

from collections.abc import Sequence

import msgspec

from penstock.model.status import WorkflowStatus
from penstock.plan.workflow import QueueRule


class InLine(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow in a queue; `id` is whatever the caller knows it by."""

    id: int
    status: WorkflowStatus
    begun: bool
    serialized: bool = True


def find_ready(line: Sequence[InLine]) -> tuple[int, ...]:
    """The workflows that wait and may begin now; `line` has the queue's workflows, oldest first."""
    ready: list[int] = []
    free = True
    for entry in line:
        if entry.status.is_terminal:
            continue
        waits = entry.status is WorkflowStatus.QUEUED and not entry.begun
        if waits and (free or not entry.serialized):
            ready.append(entry.id)
        free = False
    return tuple(ready)


def find_pushed_out(rule: QueueRule, older: Sequence[InLine]) -> tuple[int, ...]:
    """The older workflows of the queue that are to be canceled (reason strategy) when one arrives.

    `rule` is the newcomer's. Canceling what runs implies canceling what still waits.
    """
    return tuple(
        entry.id
        for entry in older
        if not entry.status.is_terminal and (rule.cancel_running or (rule.cancel_queued and not entry.begun))
    )
