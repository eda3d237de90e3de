"""Output of steps as immutable chunks: stored as they came, found by byte or by line, read in bounded memory.

A chunk is one zstd frame. A small one lies in its row, a large one in the blob store under a name that
follows from its place, so that a second try overwrites the first.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, func, select

from penstock.model.output import LogChunk
from penstock.store import rows
from penstock.store.blobs import Blobs
from penstock.store.database import Database, Transaction
from penstock.store.packing import unpack_exactly
from penstock.store.schema import log_chunks
from penstock.store.upserts import insert_into

INLINE_BYTES = 16 << 10
"""A frame up to this size is kept in its row."""

MOST_CHUNK_BYTES = 16 << 20
"""No chunk holds more plain bytes."""

_PAGE = 32


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bytes of a chunk are: exactly one of the two is set."""

    data: bytes | None = None
    blob: str | None = None


class LogTotals(msgspec.Struct, frozen=True, kw_only=True):
    """How much a step has printed: bytes and newlines."""

    size: int
    lines: int


class StoredChunk(LogChunk, frozen=True, kw_only=True):
    """A chunk and where its bytes are."""

    data: bytes | None
    blob: str | None


def store_payload(blobs: Blobs, task_uuid: str, step: int, offset: int, frame: bytes) -> Payload:
    """Put a large frame into the blob store; a small one will lie in its row.

    Called before the transaction, so that no lock is held while bytes travel. Without the row that
    follows, the blob is unknown, and the next try of the same chunk replaces it.
    """
    if len(frame) <= INLINE_BYTES:
        return Payload(data=frame)
    name = f"{log_folder(task_uuid)}/{step}/{offset}"
    blobs.put(name, (frame,))
    return Payload(blob=name)


def log_folder(task_uuid: str) -> str:
    """The folder of the blob store that holds the task's log chunks."""
    return f"logs/{task_uuid[-2:]}/{task_uuid}"


def append_chunks(tx: Transaction, chunks: Sequence[tuple[LogChunk, Payload]]) -> None:
    """Store the chunks; one whose place (task, step, offset) is taken already is left as it is."""
    if chunks:
        values = [
            msgspec.structs.asdict(chunk) | {"data": payload.data, "blob": payload.blob}
            for chunk, payload in chunks
        ]
        tx.execute(_insert(tx.dialect.name), values)


def totals_of(tx: Transaction, task_id: int, step: int) -> LogTotals:
    """How much the step has printed so far."""
    row = tx.execute(_select_totals(), {"task_id": task_id, "step": step}).first()
    if row is None:
        return LogTotals(size=0, lines=0)
    offset, size, first_line, lines = row
    return LogTotals(size=offset + size, lines=first_line + lines)


def chunks_of(
    tx: Transaction, task_id: int, step: int, *, from_offset: int = 0, limit: int = _PAGE
) -> list[StoredChunk]:
    """The chunk that holds the byte and those after it, in order."""
    values = {"task_id": task_id, "step": step, "at": from_offset, "limit": limit}
    return rows.fetch_all(tx, StoredChunk, _select_from(), values)


def delete_logs(tx: Transaction, task_id: int) -> None:
    """Forget what the task printed; blobs stay for the caller to delete."""
    tx.execute(log_chunks.delete().where(log_chunks.c.task_id == task_id))


class LogReader:
    """Reads the output of steps, in short transactions of its own; none is open while it yields."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    def read(self, task_id: int, step: int, *, start: int = 0, limit: int | None = None) -> Iterator[bytes]:
        """The plain bytes from byte `start` on, at most `limit`, in pieces; ends where the log ends now."""
        left = limit
        while left is None or left > 0:
            with self._database.read() as tx:
                page = chunks_of(tx, task_id, step, from_offset=start)
            if not page:
                return
            for chunk in page:
                piece = self._open(chunk)[max(start - chunk.offset, 0) :]
                piece = piece if left is None else piece[:left]
                start += len(piece)
                left = None if left is None else left - len(piece)
                if piece:
                    yield piece
                if left == 0:
                    return

    def read_lines(
        self, task_id: int, step: int, *, first: int = 0, limit: int | None = None
    ) -> Iterator[bytes]:
        """The plain bytes of lines `first` and after, at most `limit` lines; lines count from 0."""
        start = self.find_line(task_id, step, first)
        if start is None:
            return
        if limit is None:
            yield from self.read(task_id, step, start=start)
            return
        end = self.find_line(task_id, step, first + limit)
        yield from self.read(task_id, step, start=start, limit=None if end is None else end - start)

    def tail(self, task_id: int, step: int, lines: int) -> Iterator[bytes]:
        """The plain bytes of the last lines; a line that has not ended yet counts as one."""
        with self._database.read() as tx:
            totals = totals_of(tx, task_id, step)
        if totals.size == 0 or lines <= 0:
            return
        ended = b"".join(self.read(task_id, step, start=totals.size - 1, limit=1)) == b"\n"
        every = totals.lines if ended else totals.lines + 1
        start = self.find_line(task_id, step, max(every - lines, 0))
        yield from self.read(task_id, step, start=start or 0, limit=totals.size - (start or 0))

    def find_line(self, task_id: int, step: int, line: int) -> int | None:
        """The byte at which the line begins, None when the log has not come so far.

        The line after the last newline begins where the log ends now.
        """
        if line <= 0:
            return 0
        with self._database.read() as tx:
            values = {"task_id": task_id, "step": step, "line": line}
            found = rows.fetch_one(tx, StoredChunk, _select_by_line(), values)
        if found is None:
            return None
        wanted = line - found.first_line
        if wanted > found.lines:
            return None
        return found.offset + _after_newlines(self._open(found), wanted)

    def _open(self, chunk: StoredChunk) -> bytes:
        """The plain bytes of a chunk. Raises NotFoundError when its blob is gone."""
        frame = self._blobs.read(chunk.blob) if chunk.blob is not None else chunk.data
        return unpack_exactly(frame or b"", chunk.size)


def _after_newlines(plain: bytes, count: int) -> int:
    """The position after that many newlines."""
    position = 0
    for _ in range(count):
        position = plain.index(b"\n", position) + 1
    return position


@cache
def _insert(dialect: str) -> Executable:
    return insert_into(dialect, log_chunks).on_conflict_do_nothing(
        index_elements=["task_id", "step", "offset"]
    )


def _of_step(*columns: Any) -> Select[Any]:  # noqa: ANN401 - columns of one table
    table = log_chunks.c
    return select(*columns).where(table.task_id == bindparam("task_id"), table.step == bindparam("step"))


@cache
def _select_totals() -> Executable:
    table = log_chunks.c
    last = _of_step(table.offset, table.size, table.first_line, table.lines)
    return last.order_by(table.offset.desc()).limit(1)


@cache
def _select_from() -> Executable:
    table = log_chunks.c
    holder = (
        _of_step(table.offset).where(table.offset <= bindparam("at")).order_by(table.offset.desc()).limit(1)
    )
    columns = rows.columns_of(log_chunks, StoredChunk)
    later = _of_step(*columns).where(
        table.offset >= func.coalesce(holder.scalar_subquery(), 0),
        table.offset + table.size > bindparam("at"),
    )
    return later.order_by(table.offset).limit(bindparam("limit"))


@cache
def _select_by_line() -> Executable:
    """The chunk in which the line begins: the last whose lines before it are fewer."""
    table = log_chunks.c
    chosen = _of_step(*rows.columns_of(log_chunks, StoredChunk)).where(table.first_line < bindparam("line"))
    return chosen.order_by(table.first_line.desc(), table.offset.desc()).limit(1)
