"""Puts values into `<< >>`, in texts and in whole trees."""

from penstock.language.circleci.budget import Budget
from penstock.language.circleci.expression.evaluator import MISSING, evaluate, is_truthy
from penstock.language.circleci.expression.token import ExpressionError, Pattern
from penstock.language.circleci.names import Names
from penstock.language.circleci.template import Computed, Faulty, Part, Reference, Section, parse_template
from penstock.language.circleci.values import PARAMETERS
from penstock.language.common.diagnostic import Reporter, suggest_name
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map, Place, Unresolved

_OPERATORS = "operators: and or not == != > >= < <= starts-with contains matches"


class Filler:
    """Fills templates with what some names see. Mistakes are reported, never raised."""

    __slots__ = ("budget", "names", "report")

    def __init__(self, names: Names, report: Reporter, budget: Budget) -> None:
        self.names = names
        self.report = report
        self.budget = budget

    def fill(self, value: object, place: Place) -> object:
        """The value with every template below it filled; itself when there is none."""
        if isinstance(value, str):
            return self.fill_text(value, place) if "<<" in value else value
        if isinstance(value, Map):
            return self._fill_map(value) if value.templated else value
        if isinstance(value, Items) and value.templated:
            return Items((self.fill(item, Place(value, index)) for index, item in enumerate(value)), value)
        return value

    def _fill_map(self, value: Map) -> Map:
        return Map(((self._fill_key(value, key), self._fill_item(value, key)) for key in value), value)

    def _fill_key(self, container: Map, key: str) -> str:
        return show_scalar(self.fill_text(key, Place(container, key, on_key=True))) if "<<" in key else key

    def _fill_item(self, container: Map, key: str) -> object:
        value = container[key]
        if key == "environment" and isinstance(value, Map | Items) and value.templated:
            return self._fill_environment(value)
        return self.fill(value, Place(container, key))

    def _fill_environment(self, value: Map | Items) -> Map | Items:
        """As `fill`, but an absent value prints as `<nil>` (captured from the vendor's compiler)."""
        if isinstance(value, Items):
            items = enumerate(value)
            return Items(
                (self._fill_environment(item) if isinstance(item, Map) else self.fill(item, Place(value, at))
                 for at, item in items),
                value,
            )  # fmt: skip
        filled = self._fill_map(value)
        written = dict(zip(filled, value.values(), strict=False))
        for key in filled:
            if filled[key] is None and written.get(key) is not None:
                filled[key] = "<nil>"
        return filled

    def fill_text(self, text: str, place: Place) -> object:
        """The text filled; a text that is one reference or expression takes on its typed value."""
        parts = parse_template(text)
        if len(parts) == 1 and isinstance(parts[0], Reference | Computed):
            value = self._find_value(parts[0], place)
            return Unresolved(text) if value is MISSING else value
        pieces = [self._render(part, place) for part in parts]
        if None in pieces:
            return Unresolved(text)
        filled = "".join(piece for piece in pieces if piece)
        return filled if self.budget.spend("characters", len(filled) + 10, place) else Unresolved(text)

    def _render(self, part: Part, place: Place) -> str | None:
        """A part as text; None after a finding."""
        match part:
            case str():
                return part
            case Reference() | Computed():
                value = self._find_value(part, place)
                return None if value is MISSING else _show(value)
            case Section(name, inverted, inner, text):
                value = self._find_value(Reference(name, text), place)
                if value is MISSING:
                    return None
                if is_truthy(value) is inverted:
                    return ""
                pieces = [self._render(piece, place) for piece in inner]
                return None if None in pieces else "".join(piece or "" for piece in pieces)
            case Faulty():
                return self._report_faulty(part, place)

    def _report_faulty(self, part: Faulty, place: Place) -> str | None:
        """The text a harmless fault stands for, else None. Orbs are not their users' to mend."""
        hint = "write \\<< for a literal <<"
        if not part.harmless:
            self.report.error_within(part.code, part.message, place, part.text, hint=hint)
            return None
        if not self.names.private:
            self.report.warn_within(part.code, part.message, place, part.text, hint=hint)
        return part.text

    def _find_value(self, part: Reference | Computed, place: Place) -> object:
        """The value, or MISSING after a finding."""
        if isinstance(part, Reference):
            value = self.names.look_up(part.name)
            if value is MISSING:
                self._report_unknown(part.name, part.text, place)
            return value
        try:
            value = evaluate(part.tree, self.names.look_up)
        except ExpressionError as error:
            self.report_expression(error, part.text, place)
            return MISSING
        return value.text if isinstance(value, Pattern) else value

    def report_expression(self, error: ExpressionError, text: str, place: Place) -> None:
        """The finding for an expression that cannot be read or evaluated."""
        if error.type == "Interpreter/UNKNOWN_VARIABLE":
            self._report_unknown(error.lexeme, text, place)
            return
        self.report.error_within(
            "invalid-expression", f"Invalid expression '{text}': {error}", place, text, hint=_OPERATORS
        )

    def _report_unknown(self, name: str, text: str, place: Place) -> None:
        near = suggest_name(name, self._list_alike(name))
        hint = near or "names start with pipeline. or parameters."
        message, code = f'Referred to a variable "{name}" that does not exist', "unknown-variable"
        if name.startswith("parameters."):
            message, code = (
                f"Arguments referenced without declared parameters: {name}",
                "undeclared-parameter",
            )
            hint = near or "declare it under 'parameters:' of this element"
        elif name.startswith(PARAMETERS):
            own = "declare it under 'parameters:' at the top of the config"
            orb = "an orb sees no pipeline parameters; pass the value as a parameter"
            hint = orb if self.names.private else near or own
        elif name.startswith("matrix.") and not self.names.matrix:
            hint = "matrix values exist only in a workflow's job with a matrix"
        self.report.error_within(code, message, place, text, hint=hint)

    def _list_alike(self, name: str) -> list[str]:
        """Names of the same root; all names when that root does not exist."""
        names = list(self.names.list_names())
        root = PARAMETERS if name.startswith(PARAMETERS) else name.partition(".")[0] + "."
        alike = [known for known in names if known.startswith(root)]
        return alike if alike or root in {"parameters.", "matrix.", PARAMETERS} else names


def _show(value: object) -> str:
    """A value inside a longer text."""
    if isinstance(value, Map | Items):
        from penstock.language.circleci.emit import emit_inline

        return emit_inline(value)
    return show_scalar(value)
