"""What tasks store and fetch: artifacts, reports, caches, workspace layers."""

import asyncio
import hashlib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager

import msgspec

from penstock.api.agent.auth import task_of
from penstock.api.agent.packed import pack
from penstock.api.common.answer import Answer
from penstock.api.common.call import Call
from penstock.api.common.server import Server
from penstock.engine.segments import Segment, Upload, find_stored, name_upload, put_segment
from penstock.model.errors import ConflictError, InvalidError
from penstock.wire.protocol import BYTES, CHECKSUM_HEADER, UploadState

_RANGE = re.compile(r"bytes=(\d{1,15})-")


class SegmentQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Where the segment begins, and whether it is the last one."""

    offset: int = 0
    last: bool = False


def tell_upload(server: Server, call: Call) -> Answer:
    """How much of the upload is there: where to go on after a cut."""
    stored = find_stored(server.parts.blobs, _upload_of(call))
    return pack(UploadState(size=stored.size, blob=stored.blob))


async def take_segment(server: Server, call: Call) -> Answer:
    """Keep a segment of an upload; sent twice it changes nothing.

    The last of many takes as long as to copy them all, so it is not worked on by threads others wait for.
    """
    if call.query.last and call.query.offset > 0:
        return await asyncio.to_thread(_keep_segment, server, call)
    assert call.run is not None  # noqa: S101 - the frame gives it to coroutines
    answer: Answer = await call.run(_keep_segment, server, call)
    return answer


def _keep_segment(server: Server, call: Call) -> Answer:
    upload = _upload_of(call)
    query: SegmentQuery = call.query
    if query.offset < 0:
        raise InvalidError("an upload begins at 0")
    data: bytes = call.payload
    if hashlib.sha256(data).hexdigest() != call.header(CHECKSUM_HEADER):
        raise ConflictError("the bytes were damaged on their way: send them again")
    segment = Segment(offset=query.offset, data=data, last=query.last)
    stored = put_segment(server.parts.blobs, upload, segment)
    return pack(UploadState(size=stored.size, blob=stored.blob))


def give_blob(server: Server, call: Call) -> Answer:
    """The bytes of a blob that the task may see, from where the header Range says."""
    task, blob = task_of(call), call.params["blob"]
    wanted = call.header("range")
    found = _RANGE.fullmatch(wanted)
    if wanted and found is None:
        raise InvalidError("only ranges of the form bytes=N- are known here")
    offset = int(found[1]) if found else 0
    body = _Body(server.gateway.download(task, blob, offset))
    if not offset:
        return Answer(body=body, media=BYTES)
    size = server.parts.blobs.size(blob)
    placed = f"bytes {offset}-{max(size - 1, 0)}/{size}"
    return Answer(status=206, body=body, media=BYTES, headers=(("content-range", placed),))


class _Body(Iterator[bytes]):
    """The pieces of a download, which is closed with them."""

    def __init__(self, download: AbstractContextManager[Iterator[bytes]]) -> None:
        self._download = download
        self._pieces = download.__enter__()

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Nobody reads on."""
        self._download.__exit__(None, None, None)


def _upload_of(call: Call) -> Upload:
    return name_upload(task_of(call), call.params["kind"], call.params["upload"])
