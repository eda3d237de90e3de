"""A run in a terminal: what has ended stays above, what goes on is drawn anew below."""

import threading
from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from penstock.cli.view.board import Board, Line
from penstock.cli.view.symbols import OF_JOB, sign
from penstock.engine.feed import Change, JobChanged
from penstock.kit.durations import format_duration
from penstock.model.status import JobStatus

_REDRAWS = 8  # a second
_AHEAD = (JobStatus.BLOCKED, JobStatus.QUEUED, JobStatus.WAITING)


class LiveView:
    """Draws running jobs with step and time; an ended job becomes a line of its own above them."""

    def __init__(self, console: Console, monotonic: Callable[[], float]) -> None:
        self._console = console
        self._monotonic = monotonic
        self._unicode = "utf" in (console.encoding or "").lower()
        self._board = Board(monotonic)
        self._lock = threading.Lock()
        self._live = Live(
            console=console, get_renderable=self._draw, refresh_per_second=_REDRAWS, transient=True
        )
        self._live.start()

    def on_change(self, change: Change) -> None:
        """Take the change in; the next drawing shows it."""
        with self._lock:
            news = isinstance(change, JobChanged) and self._board.is_news(change)
            self._board.apply(change)
        if news and isinstance(change, JobChanged) and change.status.is_terminal:
            self._console.print(self._ended(self._board.lines[change.job]))

    def close(self) -> None:
        """Take the drawing away; what has ended stays."""
        self._live.stop()

    def _ended(self, line: Line) -> str:
        symbol = OF_JOB[line.status]
        seconds = line.elapsed(self._monotonic())
        told = "" if line.status is JobStatus.SUCCESS else f" {line.status.value.replace('_', ' ')}"
        time = f" [bright_black]{format_duration(seconds)}[/]" if seconds else ""
        reason = f" [bright_black]{escape(line.message)}[/]" if line.message else ""
        mark = sign(symbol, unicode=self._unicode)
        return f"[{symbol.style}]{mark}[/] {escape(line.name)}[{symbol.style}]{told}[/]{time}{reason}"

    def _draw(self) -> RenderableType:
        with self._lock:
            now = self._monotonic()
            moving = [line for line in self._board.lines.values() if line.status.is_active]
            held = [line for line in self._board.lines.values() if line.status is JobStatus.ON_HOLD]
            ahead = self._board.count(*_AHEAD)
            room = max(self._console.size.height - 3, 1)
            table = Table.grid(padding=(0, 1))
            for line in [*moving, *held][:room]:
                table.add_row(*self._row(line, now))
        more = len(moving) + len(held) - room
        tail = [f"{more} more running"] if more > 0 else []
        tail += [f"{ahead} waiting"] if ahead else []
        return Group(table, Text(", ".join(tail), style="bright_black")) if tail else table

    def _row(self, line: Line, now: float) -> tuple[Text, Text, Text, Text]:
        symbol = OF_JOB[line.status]
        doing = "waits for approval" if line.status is JobStatus.ON_HOLD else line.step
        return (
            Text(sign(symbol, unicode=self._unicode), style=symbol.style),
            Text(line.name),
            Text(format_duration(line.elapsed(now)) if line.since is not None else "", style="cyan"),
            Text(doing, style="bright_black", overflow="ellipsis", no_wrap=True),
        )
