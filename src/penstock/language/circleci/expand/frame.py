"""What expansion carries along: where names are looked up, and what they mean there."""

from penstock.language.circleci.budget import MOST_DEPTH, Budget
from penstock.language.circleci.fill import Filler
from penstock.language.circleci.names import Names
from penstock.language.circleci.scope import Scope
from penstock.language.circleci.values import PipelineValues
from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Items, Place


class Expanded(Items):
    """A list of steps in which nothing is left to expand; where it is passed, it stays as it is."""

    __slots__ = ()


class PlainFiller(Filler):
    """Fills nothing: version 2 of the language has no templates."""

    def fill(self, value: object, place: Place) -> object:  # noqa: ARG002 - the signature of what it replaces
        """The value itself."""
        return value

    def fill_text(self, text: str, place: Place) -> object:  # noqa: ARG002 - the same
        """The text itself."""
        return text


class Compilation:
    """The things every part of one compilation needs: findings, bounds, values, and what was expanded."""

    def __init__(self, report: Reporter, values: PipelineValues, *, templates: bool) -> None:
        self.report = report
        self.values = values
        self.budget = Budget(report)
        self.templates = templates
        self.commands: dict[int, Expanded] = {}  # by the id of a definition called without arguments
        self._depth = 0

    def make_filler(self, names: Names) -> Filler:
        """What fills templates with these names."""
        kind = Filler if self.templates else PlainFiller
        return kind(names, self.report, self.budget)

    def enter_steps(self, place: Place) -> bool:
        """True when steps may be expanded one level deeper; `leave_steps` must follow then."""
        if self._depth < MOST_DEPTH:
            self._depth += 1
            return True
        message = f"Commands and conditions are nested more than {MOST_DEPTH} levels deep."
        self.report.error("nested-too-deep", message, place)
        return False

    def leave_steps(self) -> None:
        """The counterpart of `enter_steps`."""
        self._depth -= 1


class Frame:
    """One point of the expansion. `stack` holds the ids of the commands that are being expanded."""

    __slots__ = ("filler", "scope", "stack", "work")

    def __init__(self, work: Compilation, scope: Scope, filler: Filler, stack: tuple[int, ...] = ()) -> None:
        self.work = work
        self.scope = scope
        self.filler = filler
        self.stack = stack


def open_frame(
    work: Compilation,
    scope: Scope,
    *,
    parameters: dict[str, object] | None = None,
    matrix: dict[str, object] | None = None,
    stack: tuple[int, ...] = (),
) -> Frame:
    """The frame of an element of a scope, with its own parameters and nothing else."""
    names = Names(work.values, parameters=parameters, matrix=matrix, private=scope.private)
    return Frame(work, scope, work.make_filler(names), stack)
