"""One sign, one word and one colour for each state, with plain ASCII where the output knows no more."""

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import TextIO

import msgspec

from penstock.model.status import JobStatus, StepStatus, WorkflowStatus


class Symbol(msgspec.Struct, frozen=True):
    """A state as people see it; `style` is a name that rich knows."""

    sign: str
    ascii: str
    style: str


PASSED = Symbol("✓", "ok", "green")
FAILED = Symbol("✗", "!!", "red")
STOPPED = Symbol("■", "##", "yellow")
LEFT_OUT = Symbol("○", "--", "bright_black")
HELD = Symbol("⏸", "||", "magenta")
MOVING = Symbol("●", "..", "cyan")
STANDING = Symbol("·", "..", "bright_black")

OF_JOB: Mapping[JobStatus, Symbol] = MappingProxyType(
    {
        JobStatus.BLOCKED: STANDING,
        JobStatus.ON_HOLD: HELD,
        JobStatus.WAITING: STANDING,
        JobStatus.QUEUED: STANDING,
        JobStatus.RUNNING: MOVING,
        JobStatus.CANCELING: STOPPED,
        JobStatus.SUCCESS: PASSED,
        JobStatus.FAILED: FAILED,
        JobStatus.TIMEDOUT: FAILED,
        JobStatus.INFRASTRUCTURE_FAIL: FAILED,
        JobStatus.CANCELED: STOPPED,
        JobStatus.UNAUTHORIZED: FAILED,
        JobStatus.NOT_RUN: LEFT_OUT,
        JobStatus.SKIPPED: LEFT_OUT,
    }
)

OF_STEP: Mapping[StepStatus, Symbol] = MappingProxyType(
    {
        StepStatus.RUNNING: MOVING,
        StepStatus.SUCCESS: PASSED,
        StepStatus.FAILED: FAILED,
        StepStatus.TIMEDOUT: FAILED,
        StepStatus.CANCELED: STOPPED,
        StepStatus.SKIPPED: LEFT_OUT,
    }
)

OF_WORKFLOW: Mapping[WorkflowStatus, Symbol] = MappingProxyType(
    {
        WorkflowStatus.QUEUED: STANDING,
        WorkflowStatus.RUNNING: MOVING,
        WorkflowStatus.FAILING: FAILED,
        WorkflowStatus.ON_HOLD: HELD,
        WorkflowStatus.CANCELING: STOPPED,
        WorkflowStatus.SUCCESS: PASSED,
        WorkflowStatus.FAILED: FAILED,
        WorkflowStatus.ERROR: FAILED,
        WorkflowStatus.CANCELED: STOPPED,
        WorkflowStatus.UNAUTHORIZED: FAILED,
        WorkflowStatus.NOT_RUN: LEFT_OUT,
    }
)


def speaks_unicode(stream: TextIO = sys.stdout) -> bool:
    """True when the stream can carry the signs."""
    try:
        "✓✗■○⏸●·".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def sign(symbol: Symbol, *, unicode: bool) -> str:
    """The sign, or its two ASCII letters."""
    return symbol.sign if unicode else symbol.ascii
