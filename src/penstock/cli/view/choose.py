"""Chooses how what goes on is shown: drawn anew in a terminal, as lines elsewhere, as JSON when asked."""

import os
import sys
import time
from typing import Protocol

from penstock.cli.view.json_lines import JsonView
from penstock.cli.view.plain import PlainView
from penstock.engine.feed import Change


class View(Protocol):
    """Shows changes as they come."""

    def on_change(self, change: Change) -> None:
        """Show the change."""
        ...

    def close(self) -> None:
        """Show what is held back; nothing comes any more."""
        ...


def choose_view(*, json: bool, verbose: bool = False) -> View:
    """The live view in a terminal, plain lines elsewhere and in CI, JSON lines when asked for."""
    if json:
        return JsonView(sys.stdout, verbose=verbose)
    quiet = os.environ.get("CI") or os.environ.get("TERM") == "dumb" or verbose
    if not sys.stdout.isatty() or quiet:
        return PlainView(sys.stdout, time.time, verbose=verbose)
    from rich.console import Console

    from penstock.cli.view.live import LiveView

    return LiveView(Console(highlight=False), time.time)
