"""Findings on their way to the user: collected once each, with their place, and printed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from penstock.kit.marks import Mark
from penstock.language.common.tree import Place
from penstock.model.diagnostic import Diagnostic, Severity

WIDEST_SOURCE = 160
"""Characters of a source line in a rendered finding."""

LONGEST_SOURCE = 2000
"""Characters of a source line a finding keeps."""

MOST_NAMES = 20
"""Names a hint lists at most."""

MOST_FINDINGS = 500
"""After this many a file is not a config; the rest is dropped."""


class Reporter:
    """Collects what the passes find.

    The same message at the same place is kept once, under the first calls that lead to it. An element
    that was `spoil`ed has been reported; later passes leave it alone.
    """

    def __init__(self) -> None:
        self._findings: dict[tuple[Mark, str], Diagnostic] = {}
        self._calls: list[str] = []
        self._spoiled: dict[int, object] = {}
        self.failed = False

    def error(
        self, code: str, message: str, place: Place | Mark, *, hint: str = "", source: str = ""
    ) -> None:
        """A finding that stops the pipeline; `source` is the line of a place that is only a mark."""
        self.failed = True
        self._add(Severity.ERROR, code, message, place, hint, source)

    def error_within(self, code: str, message: str, place: Place, text: str, *, hint: str = "") -> None:
        """A finding about a piece of a longer value, marked where the piece stands."""
        mark = place.find_text(text)
        self.error(code, message, mark, hint=hint, source=place.find_line(mark.line))

    def warn(self, code: str, message: str, place: Place | Mark, *, hint: str = "") -> None:
        """A finding that is probably a mistake but has a meaning."""
        self._add(Severity.WARNING, code, message, place, hint, "")

    def warn_within(self, code: str, message: str, place: Place, text: str, *, hint: str = "") -> None:
        """A warning about a piece of a longer value, marked where the piece stands."""
        mark = place.find_text(text)
        self._add(Severity.WARNING, code, message, mark, hint, place.find_line(mark.line))

    def suggest(self, code: str, message: str, place: Place | Mark, *, hint: str = "") -> None:
        """A finding that changes nothing."""
        self._add(Severity.HINT, code, message, place, hint, "")

    @contextmanager
    def calling(self, kind: str, name: str) -> Iterator[None]:
        """Findings inside carry the line `Error calling <kind>: '<name>'`."""
        self._calls.append(f"Error calling {kind}: '{name}'")
        try:
            yield
        finally:
            self._calls.pop()

    def spoil(self, element: object) -> None:
        """Later passes must not report follow-ons of this element."""
        self._spoiled[id(element)] = element

    def is_spoiled(self, element: object) -> bool:
        """True when an error of this element has been reported."""
        return id(element) in self._spoiled

    def list_findings(self) -> tuple[Diagnostic, ...]:
        """All findings, in the order of their places."""
        return tuple(sorted(self._findings.values(), key=_order))

    def _add(
        self, severity: Severity, code: str, message: str, place: Place | Mark, hint: str, source: str
    ) -> None:
        if len(self._findings) >= MOST_FINDINGS:
            return
        mark = place if isinstance(place, Mark) else place.find_mark()
        line = source if isinstance(place, Mark) else place.find_line(mark.line)
        self._findings.setdefault(
            (mark, message),
            Diagnostic(
                severity=severity, code=code, message=message, mark=mark, scope=tuple(self._calls),
                source=line.rstrip()[:LONGEST_SOURCE], hint=hint,
            ),
        )  # fmt: skip


def _order(finding: Diagnostic) -> tuple[str, int, int]:
    return finding.mark.file, finding.mark.line, finding.mark.column


def render(diagnostic: Diagnostic) -> str:
    """Plain text for a terminal: place and message, the calls, the line with a caret, the way out."""
    lines = [f"{diagnostic.mark}: {diagnostic.severity}: {diagnostic.message} [{diagnostic.code}]"]
    lines.extend(f"  {call}" for call in diagnostic.scope)
    if diagnostic.source:
        lines.extend(_show_source(diagnostic.source, diagnostic.mark))
    if diagnostic.hint:
        lines.append(f"  hint: {diagnostic.hint}")
    return "\n".join(lines)


def _show_source(source: str, mark: Mark) -> list[str]:
    """The offending line and a caret under its column; of a long line only what is around it."""
    start = max(0, mark.column - WIDEST_SOURCE // 2) if len(source) > WIDEST_SOURCE else 0
    shown = source[start : start + WIDEST_SOURCE]
    number = str(mark.line)
    lines = [f"  {number} | {shown}"]
    if 0 < mark.column <= len(source) + 1:
        lead = "".join("\t" if c == "\t" else " " for c in shown[: mark.column - 1 - start])
        lines.append(f"  {' ' * len(number)} | {lead}^")
    return lines


def suggest_name(name: str, known: Iterable[str]) -> str:
    """A hint like `did you mean 'build'?`, else what there is to choose from if that is not much."""
    from difflib import get_close_matches  # only needed for a mistake; costs a millisecond to import

    names = sorted(known)
    if close := get_close_matches(name, names, n=1, cutoff=0.6):
        return f"did you mean '{close[0]}'?"
    return f"known here: {', '.join(names)}" if 0 < len(names) <= MOST_NAMES else ""
