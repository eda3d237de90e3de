"""Logs: whatever the chunks, reading by byte or line equals slicing the whole."""

from collections.abc import Iterator, Sequence

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.model.errors import LimitExceededError, NotFoundError
from penstock.model.output import LogChunk
from penstock.store import logs
from penstock.store.blobs import Blobs
from penstock.store.database import Database
from penstock.store.logs import LogReader, LogTotals, Payload
from tests.support.records import NOW, add_tasks

compress = zstandard.ZstdCompressor(level=1).compress


@pytest.fixture
def blobs() -> Blobs:
    return Blobs.connect("memory:")


@pytest.fixture
def reader(db: Database, blobs: Blobs) -> LogReader:
    return LogReader(db, blobs)


def chunks_from(task_id: int, pieces: Sequence[bytes], step: int = 0) -> Iterator[LogChunk]:
    """The chunks of a step that printed the pieces one after the other."""
    offset = first_line = 0
    for index, piece in enumerate(pieces):
        lines = piece.count(b"\n")
        yield LogChunk(
            task_id=task_id,
            step=step,
            sequence=index + 1,
            first_line=first_line,
            lines=lines,
            offset=offset,
            size=len(piece),
            created_at=NOW,
        )
        offset, first_line = offset + len(piece), first_line + lines


def write_log(db: Database, blobs: Blobs, pieces: Sequence[bytes]) -> int:
    """The id of a task whose step 0 printed the pieces; every other piece is in the blob store."""
    with db.write() as tx:
        [task] = add_tasks(tx)
        made = []
        for index, chunk in enumerate(chunks_from(task.id, pieces)):
            frame = compress(pieces[index])
            if index % 2:
                name = f"{logs.log_folder(task.uuid)}/0/{chunk.offset}"
                blobs.put(name, [frame])
                made.append((chunk, Payload(blob=name)))
            else:
                made.append((chunk, logs.store_payload(blobs, task.uuid, 0, chunk.offset, frame)))
        logs.append_chunks(tx, made)
        return task.id


pieces_of_text = st.lists(
    st.text(alphabet="ab\n", min_size=1, max_size=12).map(str.encode), min_size=0, max_size=80
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(pieces=pieces_of_text, data=st.data())
def test_reading_equals_slicing_the_whole(
    db: Database, blobs: Blobs, reader: LogReader, pieces: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(pieces)
    lines = whole.splitlines(keepends=True)
    task = write_log(db, blobs, pieces)
    start = data.draw(st.integers(0, len(whole) + 2), label="start")
    limit = data.draw(st.none() | st.integers(0, len(whole) + 2), label="limit")
    first = data.draw(st.integers(0, len(lines) + 2), label="first")
    count = data.draw(st.none() | st.integers(0, len(lines) + 2), label="count")
    end = None if limit is None else start + limit
    last = None if count is None else first + count

    assert b"".join(reader.read(task, 0, start=start, limit=limit)) == whole[start:end]
    assert b"".join(reader.read_lines(task, 0, first=first, limit=count)) == b"".join(lines[first:last])
    wanted = lines[-count:] if count else []
    assert b"".join(reader.tail(task, 0, count or 0)) == b"".join(wanted)
    with db.read() as tx:
        totals = logs.totals_of(tx, task, 0)
    assert totals == LogTotals(size=len(whole), lines=whole.count(b"\n"))


def test_a_chunk_that_arrives_twice_changes_nothing(db: Database, blobs: Blobs, reader: LogReader) -> None:
    task = write_log(db, blobs, [b"one\n", b"two\n"])
    [first, _] = chunks_from(task, [b"XXX\n", b"two\n"])
    with db.write() as tx:
        logs.append_chunks(tx, [(first, Payload(data=compress(b"XXX\n")))])
        logs.append_chunks(tx, [])
    assert b"".join(reader.read(task, 0)) == b"one\ntwo\n"


def test_steps_have_logs_of_their_own(db: Database, blobs: Blobs, reader: LogReader) -> None:
    task = write_log(db, blobs, [b"one\n"])
    with db.write() as tx:
        chunks = [(chunk, Payload(data=compress(b"two"))) for chunk in chunks_from(task, [b"two"], step=1)]
        logs.append_chunks(tx, chunks)
    assert [b"".join(reader.read(task, step)) for step in (0, 1, 2)] == [b"one\n", b"two", b""]
    with db.write() as tx:
        logs.delete_logs(tx, task)
    assert b"".join(reader.read(task, 1)) == b""


def test_a_large_frame_goes_to_the_blob_store_and_a_small_one_stays(blobs: Blobs) -> None:
    task = "0197a2f0-0000-7000-8000-0000000000ab"
    small, large = b"s" * logs.INLINE_BYTES, b"l" * (logs.INLINE_BYTES + 1)
    assert logs.store_payload(blobs, task, 3, 0, small) == Payload(data=small)
    stored = logs.store_payload(blobs, task, 3, 700, large)
    assert stored == Payload(blob=f"logs/ab/{task}/3/700")
    assert blobs.read(f"logs/ab/{task}/3/700") == large


def test_a_log_is_read_in_pieces_while_it_grows(db: Database, blobs: Blobs, reader: LogReader) -> None:
    task = write_log(db, blobs, [b"x" * 10] * 100)
    reading = reader.read(task, 0)
    assert next(reading) == b"x" * 10
    with db.write() as tx:
        offset = logs.totals_of(tx, task, 0).size
        chunk = LogChunk(
            task_id=task,
            step=0,
            sequence=101,
            first_line=0,
            lines=0,
            offset=offset,
            size=3,
            created_at=NOW,
        )
        logs.append_chunks(tx, [(chunk, Payload(data=compress(b"end")))])
    assert b"".join(reading)[-13:] == b"x" * 10 + b"end"


@pytest.mark.parametrize(
    "frame",
    [compress(b"x" * 50_000_000), compress(b"ab"), b"not a frame", b""],
    ids=["bomb", "short", "junk", "none"],
)
def test_a_frame_that_lies_about_its_size_is_refused(db: Database, reader: LogReader, frame: bytes) -> None:
    with db.write() as tx:
        [task] = add_tasks(tx)
        chunks = [(chunk, Payload(data=frame)) for chunk in chunks_from(task.id, [b"abcd"])]
        logs.append_chunks(tx, chunks)
    with pytest.raises(LimitExceededError, match="4 bytes"):
        list(reader.read(task.id, 0))


def test_a_chunk_whose_blob_is_gone_is_not_found(db: Database, blobs: Blobs, reader: LogReader) -> None:
    task = write_log(db, blobs, [b"one\n", b"two\n"])
    for name, _ in list(blobs.list()):
        blobs.delete(name)
    reading = reader.read(task, 0)
    assert next(reading) == b"one\n"
    with pytest.raises(NotFoundError):
        next(reading)
