"""Uploads that come in segments, so that what arrived before a cut need not be sent again.

A segment is a blob of its own until the last one is there; then all become the one blob they were cut from.
Any server may take any segment: what is there is known by the names alone.

    nothing -> some segments -> whole (the segments go)
"""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec

from penstock.engine.unit import Parts
from penstock.engine.uploads import LIMITS, delete_quietly, folder_of
from penstock.model.errors import ConflictError, InvalidError, LimitExceededError, NotFoundError
from penstock.store import tasks
from penstock.store.blobs import Blobs

ROOT = "segments"
"""The folder of all segments."""

_NAME = re.compile(r"[0-9a-f-]{16,40}")
_DIGITS = 14


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """One upload: whose it is, what for, and the name the agent gave it."""

    task: str
    kind: str
    name: str

    @property
    def blob(self) -> str:
        """The blob it becomes."""
        return f"{folder_of(self.task, self.kind)}{self.name}"

    @property
    def folder(self) -> str:
        """Where its segments are."""
        return f"{ROOT}/{self.task}/{self.kind}/{self.name}"


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an upload: where it begins, its bytes, and whether it is the last one."""

    offset: int
    data: bytes
    last: bool


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """How many bytes from the beginning are there; with `blob` that is all of them."""

    size: int
    blob: str = ""


def name_upload(task: str, kind: str, name: str) -> Upload:
    """The upload. Raises InvalidError for a kind or name that cannot be."""
    if kind not in LIMITS:
        raise InvalidError(f"nothing is kept as {kind!r}; there are {', '.join(LIMITS)}")
    if not _NAME.fullmatch(name):
        raise InvalidError(f"not a name for an upload: {name[:80]!r}")
    return Upload(task=task, kind=kind, name=name)


def find_stored(blobs: Blobs, upload: Upload) -> Stored:
    """What is there of it."""
    try:
        return Stored(size=blobs.size(upload.blob), blob=upload.blob)
    except NotFoundError:
        return Stored(size=_measure(_list_segments(blobs, upload)))


def put_segment(blobs: Blobs, upload: Upload, segment: Segment) -> Stored:
    """Keep the segment durably; with the last one the blob is whole. Doing it again changes nothing.

    Raises LimitExceededError past the kind's bound, when nothing is kept, and with the last segment
    ConflictError when some are missing. No other segment is looked at before: object stores are slow to list.
    """
    end, limit = segment.offset + len(segment.data), LIMITS[upload.kind]
    if end > limit:
        drop_upload(blobs, upload)
        raise LimitExceededError(f"larger than the {limit >> 20} MiB that may be stored as {upload.kind}")
    if segment.offset == 0 and segment.last:
        blobs.put(upload.blob, [segment.data])
        return Stored(size=end, blob=upload.blob)
    if segment.last and blobs.exists(upload.blob):
        return Stored(size=end, blob=upload.blob)
    blobs.put(_name_segment(upload, segment.offset), [segment.data])
    return _join(blobs, upload, end) if segment.last else Stored(size=end)


def drop_upload(blobs: Blobs, upload: Upload) -> None:
    """Nothing is left of the segments."""
    for name in [name for name, _ in blobs.list(upload.folder)]:
        delete_quietly(blobs, name)
    blobs.drop_empty(upload.folder)


def sweep_segments(parts: Parts) -> int:
    """Segments of tasks that no agent has any more are gone; returns how many there were."""
    by_task: dict[str, list[str]] = {}
    for name, _ in parts.blobs.list(ROOT):
        by_task.setdefault(name.split("/")[1], []).append(name)
    gone = 0
    for task, names in by_task.items():
        with parts.db.read() as tx:
            found = tasks.task_by_uuid(tx, task)
        if found is not None and found.lease_until is not None:
            continue
        for name in names:
            delete_quietly(parts.blobs, name)
        parts.blobs.drop_empty(f"{ROOT}/{task}")
        gone += len(names)
    return gone


def _join(blobs: Blobs, upload: Upload, size: int) -> Stored:
    """Make the blob of its segments, unless a rival, asked before us, has done so meanwhile."""
    segments = _list_segments(blobs, upload)
    with suppress(NotFoundError):
        if _measure(segments) == size:
            blobs.put(upload.blob, _read_all(blobs, upload, segments))
    if not blobs.exists(upload.blob):
        raise ConflictError("segments of this upload are missing: begin it anew")
    drop_upload(blobs, upload)
    return Stored(size=size, blob=upload.blob)


def _read_all(blobs: Blobs, upload: Upload, segments: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    """The bytes of all, read by a thread of their own: the blob store cannot be asked by who writes to it."""
    with ThreadPoolExecutor(1, thread_name_prefix="penstock-join") as reader:
        names = [_name_segment(upload, offset) for offset, _ in segments]
        coming = reader.submit(blobs.read, names[0])
        for name in names[1:]:
            data, coming = coming.result(), reader.submit(blobs.read, name)
            yield data
        yield coming.result()


def _list_segments(blobs: Blobs, upload: Upload) -> list[tuple[int, int]]:
    """Offset and size of each, in order."""
    return sorted((int(name.rpartition("/")[2]), size) for name, size in blobs.list(upload.folder))


def _measure(segments: Iterable[tuple[int, int]]) -> int:
    """How many bytes there are from the beginning without a gap."""
    end = 0
    for offset, size in segments:
        if offset != end:
            break
        end += size
    return end


def _name_segment(upload: Upload, offset: int) -> str:
    return f"{upload.folder}/{offset:0{_DIGITS}d}"
