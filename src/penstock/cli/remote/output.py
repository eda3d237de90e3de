"""Prints what jobs on a server print, while they do or afterwards."""

import sys
import time
from collections.abc import Iterator

import msgspec

from penstock.cli.exit import Exit
from penstock.cli.remote.access import InProject, open_client
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import write_json
from penstock.cli.remote.names import LATEST, FoundJob, current, find_job, load_picture
from penstock.cli.remote.patience import Persistence
from penstock.cli.streams import complain
from penstock.cli.view.printable import clean_line
from penstock.kit.interrupts import raise_when_interrupted
from penstock.model.errors import NotFoundError
from penstock.model.picture import JobNews, Piece
from penstock.model.status import JobStatus

HELD_SECONDS = 25
"""How long the server may hold an answer back."""

BREATH = 0.02
"""Seconds between two questions at least, when there was nothing much to print."""

_WAITING = {JobStatus.BLOCKED, JobStatus.ON_HOLD, JobStatus.WAITING, JobStatus.QUEUED}


class Printing(msgspec.Struct, frozen=True, kw_only=True):
    """What to print and how; only of steps whose name contains `step`."""

    step: str
    headings: bool
    follow: bool
    json: bool


def print_pipeline(access: InProject, job: str, pipeline: str, printing: Printing) -> int:
    """Print what a job printed, without one what all jobs printed. Ctrl-C ends only the printing."""
    client = open_client(access)
    raise_when_interrupted()
    wanted = _list_jobs(client, job, pipeline or LATEST, access.project)
    try:
        seen = [_print_job(client, each, printing) for each in wanted]
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    if printing.step and not any(seen):
        raise NotFoundError(f"no step whose name contains {printing.step!r} has printed anything")
    return Exit.SUCCESS


def _list_jobs(client: Client, job: str, pipeline: str, project: str) -> list[FoundJob]:
    if job:
        return [find_job(client, job, pipeline, project)]
    picture = load_picture(client, pipeline, project)
    found = [
        FoundJob(each.id, each.name, each.number, each.parallelism, picture.project_id)
        for flow in current(picture)
        for each in flow.jobs
        if each.number is not None
    ]
    if not found:
        raise NotFoundError(f"pipeline {picture.number} has no jobs: `penstock watch {picture.id}` says why")
    return found


def _print_job(client: Client, job: FoundJob, printing: Printing) -> bool:
    """True when anything was printed."""
    sheet = _Sheet(job, printing)
    for news in _read(client, job, printing):
        if printing.follow and news.status in _WAITING:
            complain(f"{job.name} has not begun: {news.status.value.replace('_', ' ')}")
        for piece in news.pieces:
            if printing.step.lower() in piece.name.lower():
                sheet.write(piece)
        if news.ended and printing.json:
            write_json({"type": "end", "job": news.job, "name": news.name, "status": news.status})
        sys.stdout.buffer.flush()
    sheet.close()
    return sheet.used


def _read(client: Client, job: FoundJob, printing: Printing) -> Iterator[JobNews]:
    """What the job printed, piece by piece, until it ends or, unless it is followed, to where it is now."""
    persistence = Persistence(client)
    cursor = ""
    while True:
        wait = HELD_SECONDS if printing.follow and cursor else 0
        news = persistence.own(f"jobs/{job.id}/output", JobNews, cursor=cursor, wait=wait)
        yield news
        if news.ended or not (printing.follow or news.pieces):
            return
        cursor = news.cursor
        if printing.follow:
            time.sleep(BREATH)


class _Sheet:
    """Writes pieces below each other, each step under its heading."""

    def __init__(self, job: FoundJob, printing: Printing) -> None:
        self._job = job
        self._printing = printing
        self._place: tuple[int, int, int] | None = None
        self._ended = True
        self.used = False

    def write(self, piece: Piece) -> None:
        """The piece, under a heading when it is of another step than the one before."""
        self.used = True
        if self._printing.json:
            write_json({"type": "output", "job": self._job.id, **msgspec.to_builtins(piece)})
            return
        place = (piece.attempt, piece.index, piece.step)
        if place != self._place and self._printing.headings:
            self.close()
            self._write_heading(piece)
        self._place = place
        sys.stdout.buffer.write(piece.text.encode())
        self._ended = piece.text.endswith("\n")

    def close(self) -> None:
        """The last line has its end."""
        if self._printing.headings and not self._ended:
            sys.stdout.buffer.write(b"\n")
            sys.stdout.buffer.flush()
            self._ended = True

    def _write_heading(self, piece: Piece) -> None:
        copy = f" ({piece.index})" if self._job.parallelism > 1 else ""
        again = f" attempt {piece.attempt}" if piece.attempt > 1 else ""
        heading = clean_line(f"==> {self._job.name}{copy}{again} / {piece.name}")
        sys.stdout.buffer.write(f"{heading}\n".encode())
