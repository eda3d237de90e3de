"""Decisions: what the policies of an organization say of a config (CircleCI docs: config policies)."""

from enum import StrEnum

import msgspec


class Status(StrEnum):
    """What a decision comes down to."""

    PASS = "PASS"  # noqa: S105 - the vendor's word, no password
    SOFT_FAIL = "SOFT_FAIL"
    HARD_FAIL = "HARD_FAIL"
    ERROR = "ERROR"

    @property
    def blocks(self) -> bool:
        """Whether a pipeline of such a config does not run; one that could not be judged does not."""
        return self in {Status.HARD_FAIL, Status.ERROR}


class Violation(msgspec.Struct, frozen=True, order=True):
    """A rule that a config does not keep, and why."""

    rule: str
    reason: str


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A decision, with what is empty left out; rules and violations are sorted."""

    status: Status
    reason: str = ""  # of an error
    enabled_rules: tuple[str, ...] = ()
    hard_failures: tuple[Violation, ...] = ()
    soft_failures: tuple[Violation, ...] = ()


def fail(reason: str) -> Decision:
    """The decision when there can be none."""
    return Decision(status=Status.ERROR, reason=reason)
