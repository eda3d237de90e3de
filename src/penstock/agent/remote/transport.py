"""The server's calls over HTTP: what was cut is gone on with, and nothing is done twice."""

import hashlib
import http.client
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing
from random import uniform
from typing import TypeVar
from urllib.parse import quote

import msgspec
from msgspec.msgpack import Decoder

from penstock.agent.remote.link import Ask, Link, Links, check_whole
from penstock.agent.transport import BlobKind
from penstock.kit.ids import new_id
from penstock.model.errors import ConflictError, UnavailableError
from penstock.model.status import TaskStatus
from penstock.wire.messages import CacheHit, Commands, Continue, Continued, Minted, Sync, TokenWish
from penstock.wire.protocol import BYTES, CHECKSUM_HEADER, PREFIX, SEGMENT, Keys, UploadState

EXCHANGE = 10.0
"""Seconds an exchange may take besides its wait: a connection that is dead must be noticed within a lease."""

PIECE = 1 << 20
"""Bytes of a download that are handed on at a time."""

TRIES = 5
"""How often a cut upload or download is gone on with before its step hears of it."""

JOINED = 16 << 20
"""Bytes of an upload that any server joins in a second."""

FIRST_PAUSE = 0.1

T = TypeVar("T")

_COMMANDS = Decoder(Commands)
_CONTINUED = Decoder(Continued)
_MINTED = Decoder(Minted)
_FLAGS = Decoder(list[bool])
_HIT: Decoder[CacheHit | None] = Decoder(CacheHit | None)
_STATE = Decoder(UploadState)
_STATUSES = Decoder(tuple[TaskStatus, ...])


class RemoteServer:
    """The server as an agent sees it (see `agent.transport`), behind a network.

    It learns the tokens of tasks from the assignments it brings, and forgets them with their tasks.
    """

    def __init__(self, links: Links, agent: str, token: str) -> None:
        self._links = links
        self._agent = agent
        self._token = token
        self._tokens: dict[str, str] = {}
        self._pause = threading.Event()

    def sync(self, message: Sync) -> Commands:
        """Deliver events, renew leases, take commands."""
        body = msgspec.msgpack.encode(message)
        ask = Ask(
            method="POST",
            path=f"{PREFIX}sync",
            token=self._token,
            body=body,
            wait=message.wait,
            patience=EXCHANGE,
        )
        answer = decode_answer(_COMMANDS, self._links.ask(ask))
        for assignment in answer.assignments:
            self._tokens[assignment.task] = assignment.token
        kept = {*message.holding, *(assignment.task for assignment in answer.assignments)}
        for task in {event.task for event in message.events} - kept | set(answer.lost):
            self._tokens.pop(task, None)
        return answer

    def upload(self, task: str, kind: BlobKind, chunks: Iterable[bytes]) -> str:
        """Store the bytes durably and return their name; in segments, so that a cut costs one of them."""
        target = f"uploads/{kind}/{new_id()}"
        state = UploadState(size=0)
        for offset, data, last in cut(chunks, SEGMENT):
            state = self._put_segment(task, target, offset, data, last=last)
        return state.blob

    def download(self, task: str, blob: str) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of a blob in pieces; after a cut the rest is asked for."""
        pieces = self._fetch(task, blob)
        first = next(pieces)  # opens it, so that a blob that is not there is refused at once
        assert first == b""  # noqa: S101 - nothing comes before the first piece
        return closing(pieces)

    def find_cache(self, task: str, keys: tuple[str, ...]) -> CacheHit | None:
        """The newest cache whose key starts with the first of `keys` that matches any, else None."""
        return self._ask_for(task, "caches/find", _HIT, Keys(keys=keys))

    def has_cache(self, task: str, key: str) -> bool:
        """True when exactly this key is taken."""
        return self._ask_for(task, "caches/has", _FLAGS, Keys(keys=(key,)))[:1] == [True]

    def find_others(self, task: str) -> tuple[TaskStatus, ...]:
        """How the other parallel copies of the task's attempt stand."""
        return self._ask_for(task, "others", _STATUSES)

    def continue_pipeline(self, task: str, wish: Continue) -> Continued:
        """Continue the task's pipeline with another config."""
        return self._ask_for(task, "continue", _CONTINUED, wish)

    def mint_token(self, task: str, wish: TokenWish) -> Minted:
        """An identity token for the task, or why there is none."""
        return self._ask_for(task, "identity", _MINTED, wish)

    def _ask_for(self, task: str, path: str, answer: Decoder[T], body: object = None) -> T:
        """The answer about a task; without a body it is a question of GET."""
        data = b"" if body is None else msgspec.msgpack.encode(body)
        method = "GET" if body is None else "POST"
        ask = Ask(method=method, path=PREFIX + path, token=self._tokens.get(task, ""), body=data)
        return decode_answer(answer, self._links.ask(ask))

    def _put_segment(self, task: str, target: str, offset: int, data: bytes, *, last: bool) -> UploadState:
        """The upload has the segment afterwards. Raises UnavailableError when it has to begin anew."""
        ask = Ask(
            method="PUT",
            path=f"{PREFIX}{target}?offset={offset}&last={'true' if last else 'false'}",
            token=self._tokens.get(task, ""),
            body=data,
            media=BYTES,
            headers={CHECKSUM_HEADER: hashlib.sha256(data).hexdigest()},
            wait=offset / JOINED if last else 0.0,
        )
        end = offset + len(data)

        def put() -> UploadState:
            return decode_answer(_STATE, self._links.ask(ask))

        def put_if_missing() -> UploadState:
            there = self._ask_for(task, target, _STATE)
            has_it = there.blob if last else there.size >= end
            return there if has_it else put()

        try:
            return self._insist(put, put_if_missing)
        except ConflictError as error:
            raise UnavailableError(f"the upload broke off: {error}") from error

    def _insist(self, call: Callable[[], T], again: Callable[[], T]) -> T:
        """The answer of the call; when the server is away, of the other one, tried a few times."""
        pause = FIRST_PAUSE
        for _ in range(TRIES):
            try:
                return call()
            except UnavailableError:
                self._pause.wait(pause * uniform(0.5, 1))  # noqa: S311 - spreads agents
                pause, call = pause * 2, again
        return call()

    def _fetch(self, task: str, blob: str) -> Generator[bytes, None, None]:
        """An empty piece once the blob is found, then its bytes."""
        path, token = f"{PREFIX}blobs/{quote(blob)}", self._tokens.get(task, "")
        offset, tries, begun, over = 0, 0, False, False
        with closing(self._links.make_link()) as link:
            while not over:
                if tries:
                    self._pause.wait(FIRST_PAUSE * 2**tries * uniform(0.5, 1))  # noqa: S311 - the same
                try:
                    for piece in _read_from(link, path, token, offset):
                        offset, tries = offset + len(piece), 0 if piece else tries
                        if piece or not begun:
                            begun = True
                            yield piece
                    over = True
                except UnavailableError:
                    tries += 1
                    if tries > TRIES:
                        raise


def _read_from(link: Link, path: str, token: str, offset: int) -> Iterator[bytes]:
    """An empty piece once it is found, then the bytes from the offset. Raises UnavailableError at a cut."""
    headers = {"range": f"bytes={offset}-"} if offset else {}
    with link.open(Ask(method="GET", path=path, token=token, headers=headers)) as response:
        yield b""
        try:
            while piece := response.read1(PIECE):
                yield piece
            check_whole(response)
        except (OSError, http.client.HTTPException) as error:
            link.close()
            raise UnavailableError("the download was cut") from error


def cut(chunks: Iterable[bytes], size: int) -> Iterator[tuple[int, bytes, bool]]:
    """The bytes in segments of the size, at least one: where it begins, its bytes, whether it is the last."""
    offset, rest = 0, bytearray()
    for chunk in chunks:
        rest += chunk
        while len(rest) > size:
            yield offset, bytes(rest[:size]), False
            del rest[:size]
            offset += size
    yield offset, bytes(rest), True


def decode_answer(decoder: Decoder[T], body: bytes) -> T:
    """The body of an answer. Raises UnavailableError when it is something else."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnavailableError(f"the server's answer cannot be read: {error}") from error
