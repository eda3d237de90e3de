"""Talks to whoever sits there: prints tables and JSON, with nothing in it that steers a terminal."""

import getpass
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from penstock.cli.exit import Exit
from penstock.cli.view.printable import clean_line
from penstock.kit.clock import SystemClock, to_datetime
from penstock.kit.interrupts import raise_when_interrupted
from penstock.model.errors import InvalidError, UnavailableError

T = TypeVar("T")

WIDEST = 60
"""Characters a column may have, apart from the last."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def write_json(value: object) -> None:
    """The value as one line of JSON."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def write_line(text: str) -> None:
    """The text as one line, cleaned."""
    print(clean_line(text))


def write_table(rows: Iterable[Sequence[str]]) -> None:
    """Rows of cells in columns; the last column may be of any width."""
    cleaned = [[clean_line(cell) for cell in row] for row in rows]
    widths = [min(max(map(len, column)), WIDEST) for column in zip(*cleaned, strict=True)]
    for row in cleaned:
        cells = [f"{cell:<{width}}" for cell, width in zip(row[:-1], widths, strict=False)]
        print("  ".join([*cells, row[-1]]).rstrip())


def write_answer(value: object, sentence: str, *, json: bool) -> int:
    """What was done: the value as JSON, or the sentence. The exit status of success."""
    write_json(value) if json else write_line(sentence)
    return Exit.SUCCESS


def write_items(found: Iterable[T], show: Callable[[T], Sequence[str]], *heading: str, json: bool) -> int:
    """A list: a line of JSON for each item as it comes, or a table. The exit status of success."""
    if json:
        for each in found:
            write_json(each)
    else:
        write_table([*([heading] if heading else []), *map(show, found)])
    return Exit.SUCCESS


def show_settings(settings: msgspec.Struct) -> list[list[str]]:
    """A row for each setting: its name, and its value as JSON."""
    names = [field.name for field in msgspec.structs.fields(settings)]
    return [[name, msgspec.json.encode(getattr(settings, name)).decode()] for name in names]


def show_age(instant: int | None) -> str:
    """How long ago it was, in one unit; - for never."""
    if instant is None:
        return "-"
    seconds = max(SystemClock().now() - instant, 0) // 1000
    if seconds < _MINUTE:
        return "now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min ago"
    if seconds < _DAY:
        return f"{seconds // _HOUR} h ago"
    return f"{seconds // _DAY} d ago"


def show_day(instant: int | None) -> str:
    """The local date and time; - for never."""
    return "-" if instant is None else to_datetime(instant).astimezone().strftime("%Y-%m-%d %H:%M")


def ask_password(prompt: str) -> str:
    """The password that somebody types without showing it, or a line of standard input."""
    given = ask_hidden(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise InvalidError("no password was given")
    return given


def ask_hidden(prompt: str) -> str:
    """What somebody types in a terminal without seeing it; after Ctrl-C typing is seen again."""
    raise_when_interrupted()
    try:
        return getpass.getpass(prompt)
    except (EOFError, OSError) as error:
        raise UnavailableError("what was typed could not be read") from error
