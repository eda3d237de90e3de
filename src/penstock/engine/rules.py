"""Rules of restricted contexts: checked when they are made, judged in bounded time when a job asks.

A rule is an expression over the values of the pipeline and `job.ssh.enabled` (CircleCI docs: expression
restrictions). What cannot be judged does not hold.
"""

import time
from collections.abc import Iterator, Mapping
from typing import assert_never

from penstock.engine.recent import Recent
from penstock.language.circleci.expression.evaluator import MISSING, evaluate, is_truthy
from penstock.language.circleci.expression.parser import (
    LONGEST_EXPRESSION,
    Chain,
    Comparison,
    Expression,
    Literal,
    Negation,
    Variable,
    parse_expression,
)
from penstock.language.circleci.expression.token import ExpressionError, Token
from penstock.language.common.pattern import SlowPatternError, matches_whole
from penstock.model.errors import InvalidError

PATIENCE = 0.25
"""Seconds of a processor that all rules a job depends on may take together: others wait for the answer."""

REST = 60.0
"""Seconds for which a rule that took too long is not tried again for the same pipeline."""

SlowRules = Recent[tuple[str, str], float]
"""By pipeline and rule, those that took too long with others, and when on the monotonic clock."""

MOST_BYTES = 2500
"""A rule is part of an index, whose entries PostgreSQL bounds; one of ASCII alone is always shorter."""

_SSH = "job.ssh.enabled"
_NEVER = ("pipeline.parameters.", "pipeline.trigger_parameters.")


def check_rule(rule: str) -> None:
    """Return when the rule can be judged; raises InvalidError with the place of what is wrong in it."""
    if len(rule) >= LONGEST_EXPRESSION:
        raise InvalidError(f"a rule has fewer than {LONGEST_EXPRESSION} characters")
    if len(rule.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise InvalidError(f"a rule has up to {MOST_BYTES} bytes of UTF-8")
    try:
        tree = parse_expression(rule)
    except ExpressionError as error:
        raise InvalidError(f"the rule cannot be read, character {error.position + 1}: {error}") from error
    for name in _list_names(tree):
        _check_name(name)


class Judge:
    """Judges rules against what is known of one pipeline; they share `PATIENCE`."""

    def __init__(self, known: Mapping[str, object], pipeline: str, slow: SlowRules) -> None:
        self._known = known
        self._pipeline = pipeline
        self._slow = slow
        self._left = PATIENCE
        self._begun = 0.0
        self._refused: list[tuple[str, str]] = []

    def holds(self, rule: str) -> bool:
        """The rule's verdict; false for one that cannot be read, takes long, or asks for the unknown."""
        key, now = (self._pipeline, rule), time.monotonic()
        if now - (self._slow.get(key) or -REST) < REST:
            return False
        verdict = self._judge(rule)
        if not verdict:
            self._refused.append(key)
        if verdict is None:  # together with those before it, none of which holds, it takes too long
            for each in self._refused:
                self._slow.put(each, now)
        return bool(verdict)

    def _judge(self, rule: str) -> bool | None:
        """The rule's verdict; None when there is no time to find it."""
        self._begun = time.thread_time()
        try:
            if self._left <= 0:
                return None
            return is_truthy(evaluate(parse_expression(rule), self._look_up, self._match))
        except ExpressionError as error:
            return None if isinstance(error.__cause__, SlowPatternError) else False
        finally:
            self._left -= time.thread_time() - self._begun

    def _look_up(self, name: str) -> object:
        """The value of a name; one whose last sign is `?` is absent when nobody knows it."""
        if name.endswith("?"):
            value = self._look_up(name[:-1])
            return None if value is MISSING else value
        return MISSING if name.startswith(_NEVER) else self._known.get(name, MISSING)

    def _match(self, pattern: str, text: str) -> bool:
        return matches_whole(pattern, text, self._left - (time.thread_time() - self._begun))


def _list_names(tree: Expression) -> Iterator[Token]:
    match tree:
        case Literal():
            return
        case Variable(token):
            yield token
        case Negation(operand):
            yield from _list_names(operand)
        case Chain(_, operands):
            for operand in operands:
                yield from _list_names(operand)
        case Comparison(_, left, right):
            yield from _list_names(left)
            yield from _list_names(right)
        case _:
            assert_never(tree)


def _check_name(name: Token) -> None:
    place = f"the rule, character {name.position + 1}"
    if name.lexeme.startswith(_NEVER):
        raise InvalidError(f"{place}: {name.lexeme} is whatever a trigger says, so no rule can go by it")
    if not name.lexeme.startswith("pipeline.") and name.lexeme.removesuffix("?") != _SSH:
        raise InvalidError(
            f"{place}: there is no value {name.lexeme}; rules know those of the pipeline and job.ssh.enabled"
        )
