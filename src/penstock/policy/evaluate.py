"""Evaluates a bundle: what its rules say of a config becomes a decision (CircleCI docs: config policies)."""

from collections.abc import Mapping

from penstock.policy.bundle import PACKAGE, Bundle
from penstock.policy.decision import Decision, Status, Violation, fail
from penstock.policy.rego.errors import EvaluationError
from penstock.policy.rego.program import find_value
from penstock.policy.rego.values import UNDEFINED, Obj, Value

MOST_VIOLATIONS = 500
"""How many violations of a kind a decision lists."""

MOST_RULES = 10_000
"""How many rules may be enabled."""

LONGEST_REASON = 1000
"""Characters of each."""


def decide(bundle: Bundle, document: object, meta: object) -> Decision:
    """What the bundle says of the document, a config as plain data."""
    rules = bundle.program.find_package(PACKAGE)
    context = bundle.program.open(document, {"meta": meta} if meta is not None else {})
    try:
        return conclude({name: find_value(context, each) for name, each in rules.items()})
    except EvaluationError as error:
        return fail(str(error))


def conclude(values: Mapping[str, Value]) -> Decision:
    """The decision that follows from the values of all rules."""
    enabled, hard = _list_names(values, "enable_rule"), _list_names(values, "hard_fail")
    both = _list_names(values, "enable_hard")
    enabled, hard = enabled | both, hard | both
    hard_failures: list[Violation] = []
    soft_failures: list[Violation] = []
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


def _list_names(values: Mapping[str, Value], rule: str) -> set[str]:
    value = values.get(rule, UNDEFINED)
    if value is UNDEFINED:
        return set()
    if not isinstance(value, tuple | frozenset):
        raise EvaluationError(f"invalid {rule}: value is not a slice")
    if len(value) > MOST_RULES:
        raise EvaluationError(f"invalid {rule}: it has more than {MOST_RULES} rules")
    return {each[:LONGEST_REASON] for each in value if isinstance(each, str)}


def _list_reasons(value: Value) -> list[str]:
    """The violations that a rule's value stands for: a text, or the texts of a set, an array or an object."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Obj):
        return [each for each in value.values() if isinstance(each, str)]
    return [each for each in value if isinstance(each, str)] if isinstance(value, tuple | frozenset) else []
