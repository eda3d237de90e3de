"""Decisions: what the policies of an organization say of a config (CircleCI docs: config policies)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from penstock.policy.bundle import PACKAGE, Bundle
from penstock.policy.rego.errors import EvaluationError
from penstock.policy.rego.program import read_value
from penstock.policy.rego.values import UNDEFINED

MOST_VIOLATIONS = 1000
"""How many violations a decision lists."""

LONGEST_REASON = 5000


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


def decide(bundle: Bundle, document: object, meta: object) -> Decision:
    """What the bundle says of the document, a config as plain data."""
    rules = bundle.program.find_package(PACKAGE)
    context = bundle.program.open(document, {"meta": meta} if meta is not None else {})
    try:
        values = {name: read_value(context, each) for name, each in rules.items()}
        return conclude(values)
    except EvaluationError as error:
        return fail(str(error))


def conclude(values: Mapping[str, Any]) -> Decision:
    """The decision that follows from the values of all rules."""
    values = {name: value for name, value in values.items() if value is not UNDEFINED}
    enabled, hard = _list_names(values, "enable_rule"), _list_names(values, "hard_fail")
    both = _list_names(values, "enable_hard")
    enabled, hard = enabled | both, hard | both
    hard_failures, soft_failures = [], []
    for rule in sorted(enabled):
        found = [Violation(rule, reason[:LONGEST_REASON]) for reason in _list_reasons(values.get(rule))]
        (hard_failures if rule in hard else soft_failures).extend(found)
    status = Status.HARD_FAIL if hard_failures else Status.SOFT_FAIL if soft_failures else Status.PASS
    return Decision(
        status=status,
        enabled_rules=tuple(sorted(enabled)),
        hard_failures=_sort(hard_failures),
        soft_failures=_sort(soft_failures),
    )


def _sort(violations: list[Violation]) -> tuple[Violation, ...]:
    return tuple(sorted(violations, key=lambda each: each.rule + each.reason)[:MOST_VIOLATIONS])


def _list_names(values: Mapping[str, Any], rule: str) -> set[str]:
    value = values.get(rule)
    if value is None:
        return set()
    if not isinstance(value, list):
        raise EvaluationError(f"invalid {rule}: value is not a slice")
    return {each for each in value if isinstance(each, str)}


def _list_reasons(value: object) -> list[str]:
    """The violations that a rule's value stands for: a text, or the texts of a set, an array or an object."""
    if isinstance(value, str):
        return [value]
    members = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    return [each for each in members if isinstance(each, str)]
