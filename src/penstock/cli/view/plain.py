"""A run as plain lines, for logs and pipes: nothing is ever taken back."""

import threading
from collections.abc import Callable
from typing import TextIO

import zstandard

from penstock.cli.view.board import Board
from penstock.cli.view.printable import clean_line
from penstock.cli.view.symbols import OF_JOB, OF_STEP, sign, speaks_unicode
from penstock.engine.feed import Change, JobChanged, OutputAdded, StepChanged
from penstock.kit.durations import format_duration
from penstock.model.status import JobStatus, StepStatus


class PlainView:
    """Writes a line when a job begins or ends and when a step ends; with `verbose` also all output."""

    def __init__(self, stream: TextIO, monotonic: Callable[[], float], *, verbose: bool = False) -> None:
        self._stream = stream
        self._board = Board(monotonic)
        self._monotonic = monotonic
        self._unicode = speaks_unicode(stream)
        self._colored = stream.isatty()
        self._verbose = verbose
        self._lock = threading.Lock()
        self._begun: dict[tuple[str, int, int], float] = {}
        self._rests: dict[tuple[str, int, int], bytes] = {}
        self._decompressor = zstandard.ZstdDecompressor()

    def on_change(self, change: Change) -> None:
        """Write what the change is worth."""
        with self._lock:
            news = not isinstance(change, JobChanged) or self._board.is_news(change)
            self._board.apply(change)
            if isinstance(change, JobChanged) and news:
                self._show_job(change)
            elif isinstance(change, StepChanged):
                self._show_step(change)
            elif isinstance(change, OutputAdded) and self._verbose:
                self._show_output(change)

    def close(self) -> None:
        """Write what was printed last without a newline."""
        with self._lock:
            for (job, _, _), rest in self._rests.items():
                self._write_output(job, rest)
            self._rests.clear()
            self._stream.flush()

    def _show_job(self, change: JobChanged) -> None:
        status = change.status
        if status is JobStatus.RUNNING:
            attempt = f" (attempt {change.attempt})" if change.attempt > 1 else ""
            self._write(f"{self._sign(change.status)} {change.name}: started{attempt}")
        elif status is JobStatus.ON_HOLD:
            self._write(f"{self._sign(change.status)} {change.name}: waits for approval")
        elif status.is_terminal:
            seconds = self._board.lines[change.job].elapsed(self._monotonic())
            took = f" in {format_duration(seconds)}" if seconds else ""
            told = f": {change.message}" if change.message else ""
            self._write(f"{self._sign(status)} {change.name}: {status.value}{took}{told}")

    def _show_step(self, change: StepChanged) -> None:
        key = (change.job, change.index, change.step)
        line = self._board.lines.get(change.job)
        if change.status is StepStatus.RUNNING:
            self._begun[key] = self._monotonic()
            return
        rest = self._rests.pop(key, b"")
        if rest:
            self._write_output(change.job, rest)
        seconds = self._monotonic() - self._begun.pop(key, self._monotonic())
        told = f": {change.message}" if change.message else ""
        mark = sign(OF_STEP[change.status], unicode=self._unicode)
        name = line.name if line else change.job
        self._write(f"  {mark} {name} / {change.name} ({format_duration(seconds)}){told}")

    def _show_output(self, change: OutputAdded) -> None:
        key = (change.job, change.index, change.step)
        data = self._rests.pop(key, b"") + self._decompressor.decompress(change.data)
        whole, newline, rest = data.rpartition(b"\n")
        if newline:
            self._write_output(change.job, whole)
        if rest:
            self._rests[key] = rest

    def _write_output(self, job: str, data: bytes) -> None:
        line = self._board.lines.get(job)
        name = line.name if line else job
        for text in data.decode(errors="replace").split("\n"):
            self._write(f"    {name} | {clean_line(text, colors=self._colored)}")

    def _sign(self, status: JobStatus) -> str:
        return sign(OF_JOB[status], unicode=self._unicode)

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        text = clean_line(text, colors=self._colored)
        self._stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        self._stream.flush()
