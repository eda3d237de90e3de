"""Logic statements: `and`, `or`, `not`, `equal`, `matches`, values and expressions."""

from penstock.language.circleci.expression.evaluator import evaluate, is_truthy
from penstock.language.circleci.expression.parser import parse_expression
from penstock.language.circleci.expression.token import ExpressionError
from penstock.language.circleci.fill import Filler
from penstock.language.common.pattern import PatternError, matches_whole
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map, Place, Unresolved

OPERATORS = ("and", "or", "not", "equal", "matches")


def hold_condition(value: object, filler: Filler, place: Place) -> bool:
    """True when a condition of a job's or command's step holds; false after a finding."""
    match value:
        case Map():
            return _hold_statement(value, filler, place)
        case Items():
            message = f"[{place.find_pointer()}] a list is not a condition"
            filler.report.error(
                "invalid-condition", message, place, hint=f"use one of {', '.join(OPERATORS)}"
            )
            return False
        case str():
            filled = filler.fill(value, place)
            return not isinstance(filled, Unresolved) and is_truthy(filled)
        case _:
            return is_truthy(value)


def hold_expression(value: object, filler: Filler, place: Place) -> bool:
    """As `hold_condition`, for the places where a text is an expression without brackets.

    These are `when` and `unless` of workflows and `filters` of their jobs.
    """
    if not isinstance(value, str) or value.strip() == "":
        return hold_condition(value, filler, place)
    text = filler.fill(value, place)
    if not isinstance(text, str) or text == "" or isinstance(text, Unresolved):
        return not isinstance(text, Unresolved) and is_truthy(text)
    try:
        with filler.budget.watch(place):
            return is_truthy(evaluate(parse_expression(text), filler.names.look_up))
    except ExpressionError as error:
        if "<<" in value:
            return True  # the text that came out of the template is a value, and not empty
        filler.report_expression(error, text, place)
        return False


def _hold_statement(value: Map, filler: Filler, place: Place) -> bool:
    operators = [key for key in value if key in OPERATORS]
    if not operators:
        return bool(value)
    if len(value) > 1:
        message = f"[{place.find_pointer()}] maximum size: [1], found: [{len(value)}]"
        filler.report.error("invalid-condition", message, place, hint="put the parts under 'and:' or 'or:'")
        return False
    operator, operand = operators[0], value[operators[0]]
    inner = Place(value, operator)
    match operator:
        case "not":
            return not hold_condition(operand, filler, inner)
        case "matches":
            return _hold_match(operand, filler, inner)
        case _:
            return _hold_list(operator, operand, filler, inner)


def _hold_list(operator: str, operand: object, filler: Filler, place: Place) -> bool:
    if operand is None:
        return False
    if isinstance(operand, str):
        operand = filler.fill(operand, place)
    if not isinstance(operand, Items) or not operand:
        found = f"[{place.find_pointer()}] '{operator}' needs a list of at least one value"
        filler.report.error("invalid-condition", found, place, hint=f"write '{operator}: [ … ]'")
        return False
    if operator == "equal":
        values = [filler.fill(item, Place(operand, index)) for index, item in enumerate(operand)]
        return all(_are_equal(values[0], value) for value in values)
    held = [hold_condition(item, filler, Place(operand, index)) for index, item in enumerate(operand)]
    return all(held) if operator == "and" else any(held)


def _are_equal(left: object, right: object) -> bool:
    """Typed equality: true is not 1, 1 is not "1"."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if isinstance(left, Map) and isinstance(right, Map):
        return dict(left) == dict(right)
    return type(left) is type(right) and left == right


def _hold_match(operand: object, filler: Filler, place: Place) -> bool:
    if not isinstance(operand, Map) or not {"pattern", "value"} <= operand.keys():
        message = f"[{place.find_pointer()}] 'matches' needs 'pattern' and 'value'"
        hint = "write 'matches: {pattern: ^main$, value: << pipeline.git.branch >>}'"
        filler.report.error("invalid-condition", message, place, hint=hint)
        return False
    pattern = filler.fill(operand["pattern"], Place(operand, "pattern"))
    value = filler.fill(operand["value"], Place(operand, "value"))
    try:
        with filler.budget.watch(place):
            return matches_whole(show_scalar(pattern), show_scalar(value))
    except PatternError:
        report_pattern(show_scalar(pattern), filler, Place(operand, "pattern"))
        return False


def report_pattern(pattern: str, filler: Filler, place: Place) -> None:
    """The finding for a regular expression that cannot be used."""
    message = f"Invalid regular expression: {pattern}: Invalid pattern."
    filler.report.error(
        "invalid-pattern", message, place, hint="it is a Java regular expression for the whole text"
    )
