"""Reads secret values: typed unseen, from standard input or a file, never from the command line itself."""

import sys

from penstock.cli.options import read_secret_file
from penstock.cli.remote.console import ask_hidden


def read_hidden_value(file: str, prompt: str = "Value: ") -> str:
    """The value, without a line break at its end: of the file, else typed, else of standard input."""
    if not file and sys.stdin.isatty():
        return ask_hidden(prompt)
    return read_secret_file(file or "-").removesuffix("\n").removesuffix("\r")
