"""Reads secret values: typed unseen, from standard input or a file, never from the command line itself."""

import sys

from penstock.cli.options import read_secret_file
from penstock.cli.remote.console import ask_hidden
from penstock.model.errors import InvalidError


def read_hidden_value(file: str, prompt: str = "Value: ") -> str:
    """The value, without a line break at its end: of the file, else typed, else of standard input.

    Raises InvalidError when nobody gave one: only a file may be empty.
    """
    typed = not file and sys.stdin.isatty()
    value = (
        ask_hidden(prompt) if typed else read_secret_file(file or "-").removesuffix("\n").removesuffix("\r")
    )
    if not (value or file):
        raise InvalidError("no value was given: pipe it in, type it, or name a file with it")
    return value
