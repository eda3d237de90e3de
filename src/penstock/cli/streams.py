"""Standard streams that are always there and never fail for what a text holds."""

import io
import os
import sys
from contextlib import suppress


def open_streams() -> None:
    """All three standard streams exist, and characters the output cannot carry are replaced.

    Without this the first file that is opened takes the number of a closed stream, and gets what is printed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - no path, open to the end
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def drop_output() -> None:
    """Nothing is held back any more, and what is written to standard output and error later goes nowhere."""
    _flush()
    for number in (1, 2):
        with suppress(OSError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, number)
            os.close(null)
    _flush()


def complain(sentence: str) -> None:
    """Write a sentence to standard error; where that cannot be, the exit status has to say it.

    What it quotes steers no terminal.
    """
    from penstock.cli.view.printable import clean_lines  # most commands have nothing to complain of

    lines = clean_lines(sentence.replace("\r", " "))
    with suppress(OSError, ValueError):
        print("penstock: " + "\n".join(lines), file=sys.stderr, flush=True)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
