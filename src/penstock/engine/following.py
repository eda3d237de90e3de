"""What a job prints, read on from where a reader was: all its steps and parallel copies as one stream."""

import base64
import binascii
import codecs

import msgspec

from penstock.engine.unit import Parts
from penstock.kit.shapes import read_json
from penstock.model.errors import InvalidError
from penstock.model.picture import JobNews, Piece
from penstock.model.run import Job, StepRun, Task
from penstock.store import jobs, steps, tasks
from penstock.store.database import Transaction
from penstock.store.logs import LogReader

BUDGET = 1 << 20
"""Bytes of output that are read at a time."""

_MOST_LETTERS = 40_000


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """How far a task was read: whole up to step `base`, of those after it that many bytes each.

    A task that began anew, at another instant, is read anew.
    """

    task: int
    begun: int | None
    base: int = 0
    offsets: tuple[int, ...] = ()


class _Bookmark(msgspec.Struct, frozen=True, array_like=True):
    """How far a job was read, and the status it had then."""

    status: str = ""
    places: tuple[_Place, ...] = ()


class _Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A task with the steps that are not yet read whole, and how far each was read."""

    task: Task
    base: int
    steps: tuple[tuple[StepRun, int], ...]


def read_news(parts: Parts, job: Job, cursor: str, *, index: int | None = None) -> JobNews | None:
    """What is new since the cursor, "" for the beginning; None when nothing is, not even the job's status.

    With `index` only of that parallel copy. Raises InvalidError for a cursor that is none.
    """
    mark = _read_cursor(cursor)
    with parts.db.read() as tx:
        present = jobs.get_job(tx, job.id) or job
        every = tasks.tasks_of(tx, job.id)
        wanted = [task for task in every if index in {None, task.index}]
        readings = [_open_task(tx, task, mark) for task in wanted]
    pieces, places = _read_pieces(LogReader(parts.db, parts.blobs), readings)
    ended = present.status.is_terminal and all(not place.offsets for place in places)
    if not pieces and not ended and cursor and mark.status == present.status:
        return None
    return JobNews(
        job=present.uuid,
        number=present.number,
        name=present.name,
        status=present.status,
        ended=ended,
        cursor=_write_cursor(_Bookmark(present.status.value, tuple(places))),
        pieces=tuple(pieces),
    )


def _open_task(tx: Transaction, task: Task, mark: _Bookmark) -> _Reading:
    found = next((place for place in mark.places if place.task == task.id), None)
    place = found if found is not None and found.begun == task.started_at else _Place(task.id, None)
    begun = steps.steps_of(tx, task.id) if task.started_at is not None else []
    rest = begun[place.base :]
    offsets = [*place.offsets, *(0 for _ in rest)]
    return _Reading(task=task, base=place.base, steps=tuple(zip(rest, offsets, strict=False)))


def _read_pieces(reader: LogReader, readings: list[_Reading]) -> tuple[list[Piece], list[_Place]]:
    """The new pieces within the budget, and how far every task was read afterwards."""
    pieces: list[Piece] = []
    places: list[_Place] = []
    left = BUDGET
    for reading in readings:
        done, offsets, whole = 0, list[int](), True
        for step, offset in reading.steps:
            data = (
                b"".join(reader.read(reading.task.id, step.index, start=offset, limit=left)) if left else b""
            )
            ended = step.stopped_at is not None and len(data) < left
            text, size = _decode(data, final=ended)
            left -= size
            if text:
                pieces.append(_make_piece(reading.task, step, offset, text))
            whole = whole and ended
            if whole:
                done += 1
            else:
                offsets.append(offset + size)
        places.append(_Place(reading.task.id, reading.task.started_at, reading.base + done, tuple(offsets)))
    return pieces, places


def _make_piece(task: Task, step: StepRun, offset: int, text: str) -> Piece:
    return Piece(
        attempt=task.attempt,
        index=task.index,
        step=step.index,
        name=step.name,
        status=step.status,
        offset=offset,
        text=text,
    )


def _decode(data: bytes, *, final: bool) -> tuple[str, int]:
    """The text, and how many bytes of the data it is made of."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text = decoder.decode(data, final)
    return text, len(data) - len(decoder.getstate()[0])


def _write_cursor(mark: _Bookmark) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(mark)).decode().rstrip("=")


def _read_cursor(text: str) -> _Bookmark:
    """The bookmark in a cursor. Raises InvalidError for any other text."""
    if not text:
        return _Bookmark()
    try:
        if len(text) > _MOST_LETTERS:
            raise InvalidError("that is no cursor")
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        mark = read_json(data, _Bookmark)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise InvalidError("that is no cursor") from error
    numbers = [number for place in mark.places for number in (place.base, *place.offsets)]
    if not all(0 <= number < 1 << 62 for number in numbers):
        raise InvalidError("that is no cursor")
    return mark
