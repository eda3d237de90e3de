"""What may be shown of a text that a job made: letters and, where wanted, colours; nothing that steers."""

import re

_COLOR = r"\x1b\[[0-9;:]*m"
_STEERING = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # move, clear, colour
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links, images
    r"|\x1b[ -/]*[0-~]?"  # all other sequences
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"  # one sign; some turn lines
)
_BLANKS = re.compile(r"[\t\n]+")
_RESET = "\x1b[0m"


def clean_lines(text: str, *, colors: bool = False) -> list[str]:
    """The lines of a text, each cleaned; a colour that is never turned off ends with its line."""
    return [clean_line(line, colors=colors) for line in text.removesuffix("\n").split("\n")] if text else []


def clean_line(text: str, *, colors: bool = False) -> str:
    """One line as a terminal would leave it: what a carriage return overwrote is gone, controls too.

    With `colors` colours stay, and end with the line.
    """
    text = text.rstrip("\r\n").rpartition("\r")[2]
    if not colors:
        return _BLANKS.sub(" ", _STEERING.sub("", text))
    kept = _STEERING.sub(lambda found: found[0] if re.fullmatch(_COLOR, found[0]) else "", text)
    kept = _BLANKS.sub(" ", kept)
    return kept + _RESET if "\x1b" in kept and not kept.endswith(_RESET) else kept
