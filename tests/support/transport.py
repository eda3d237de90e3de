"""A server in memory, as an agent sees it: a queue, an event log, blobs and caches."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import zstandard

from penstock.agent.transport import BlobKind
from penstock.model.errors import LimitExceededError, NotFoundError, PenstockError
from penstock.model.status import TaskStatus
from penstock.wire.messages import (
    AnyEvent,
    Assignment,
    CacheHit,
    CacheSaved,
    CancelTask,
    Commands,
    Continue,
    Continued,
    LogOutput,
    Minted,
    StepFinished,
    Sync,
    TaskFinished,
    TokenWish,
)


class FakeServer:
    """Behaves as `Transport` demands: idempotent, answers long polls early, tells lost tasks.

    `trouble` is raised by every call while it is set. `upload_trouble` the same for uploads alone.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: list[Assignment] = []
        self._commands: list[CancelTask] = []
        self._lost: list[str] = []
        self._ignored: set[str] = set()
        self._turn = 0
        self._seen: dict[str, int] = {}
        self.drain = False
        self.events: list[AnyEvent] = []
        self.messages: list[Sync] = []
        self.blobs: dict[str, bytes] = {}
        self.kinds: dict[str, BlobKind] = {}
        self.caches: dict[str, CacheSaved] = {}
        self.others: dict[str, list[tuple[TaskStatus, ...]]] = {}  # answers in turn, the last one stays
        self.wishes: list[Continue] = []
        self.continued = Continued(status=200, message="Accepted.")
        self.token_wishes: list[TokenWish] = []
        self.minted = Minted(status=200, text="eyJ.eyJ.sig")
        self.trouble: PenstockError | None = None
        self.upload_trouble: PenstockError | None = None
        self.upload_limit = 1 << 62

    # What a test does.

    def give(self, *assignments: Assignment) -> None:
        with self._changed:
            self._queue += assignments
            self._changed.notify_all()

    def cancel(self, command: CancelTask) -> None:
        with self._changed:
            self._commands.append(command)
            self._changed.notify_all()

    def lose(self, task: str) -> None:
        with self._changed:
            self._lost.append(task)
            self._ignored.add(task)
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Return when the condition holds; the test fails when it never does."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not condition():
                rest = deadline - time.monotonic()
                assert rest > 0, f"it did not happen; last events: {self.events[-5:]}"
                self._changed.wait(min(rest, 0.02))

    def of(self, task: str) -> list[AnyEvent]:
        return [event for event in self.events if event.task == task]

    def finish_of(self, task: str) -> TaskFinished:
        self.wait_until(lambda: any(isinstance(event, TaskFinished) for event in self.of(task)))
        return next(event for event in self.of(task) if isinstance(event, TaskFinished))

    def steps_of(self, task: str) -> list[StepFinished]:
        return [event for event in self.of(task) if isinstance(event, StepFinished)]

    def output_of(self, task: str, step: int | None = None) -> bytes:
        chunks = [e for e in self.of(task) if isinstance(e, LogOutput) and step in {None, e.step}]
        return b"".join(zstandard.ZstdDecompressor().decompress(chunk.data) for chunk in chunks)

    # What an agent does.

    def sync(self, message: Sync) -> Commands:
        deadline = time.monotonic() + message.wait
        with self._changed:
            if self.trouble is not None:
                raise self.trouble
            self._turn += 1
            mine = self._turn
            self.messages.append(message)
            for event in message.events:
                self._accept(event)
            self._changed.notify_all()
            while not (commands := self._answer(message)) and self._turn == mine:
                rest = deadline - time.monotonic()
                if rest <= 0 or self.trouble is not None:
                    break
                self._changed.wait(rest)
            return commands or Commands()

    def _accept(self, event: AnyEvent) -> None:
        if event.task in self._ignored or event.sequence <= self._seen.get(event.task, 0):
            return
        assert event.sequence == self._seen.get(event.task, 0) + 1, "an event is missing"
        self._seen[event.task] = event.sequence
        self.events.append(event)
        if isinstance(event, CacheSaved):
            self.caches.setdefault(event.key, event)

    def _answer(self, message: Sync) -> Commands | None:
        taken, self._queue = self._queue[: message.free], self._queue[message.free :]
        cancel, self._commands = self._commands, []
        lost, self._lost = self._lost, []
        for assignment in taken:
            self._ignored.discard(assignment.task)
            self._seen.pop(assignment.task, None)
        if not (taken or cancel or lost or self.drain):
            return None
        return Commands(assignments=tuple(taken), cancel=tuple(cancel), lost=tuple(lost), drain=self.drain)

    def continue_pipeline(self, task: str, wish: Continue) -> Continued:  # noqa: ARG002 - the key says it all
        if self.trouble is not None:
            raise self.trouble
        self.wishes.append(wish)
        return self.continued

    def mint_token(self, task: str, wish: TokenWish) -> Minted:  # noqa: ARG002 - one task only
        if self.trouble is not None:
            raise self.trouble
        self.token_wishes.append(wish)
        return self.minted

    def upload(self, task: str, kind: BlobKind, chunks: Iterable[bytes]) -> str:  # noqa: ARG002 - one project only
        data = bytearray()
        for chunk in chunks:
            data += chunk
            if self.upload_trouble is not None:
                raise self.upload_trouble
            if len(data) > self.upload_limit:
                raise LimitExceededError("the upload is too large")
        if self.upload_trouble is not None:
            raise self.upload_trouble
        with self._changed:
            name = f"blob-{len(self.blobs)}"
            self.blobs[name] = bytes(data)
            self.kinds[name] = kind
        return name

    @contextmanager
    def download(self, task: str, blob: str) -> Iterator[Iterator[bytes]]:  # noqa: ARG002 - one project only
        if blob not in self.blobs:
            raise NotFoundError(f"no blob {blob}")
        data = self.blobs[blob]
        yield (data[i : i + 1000] for i in range(0, len(data), 1000))

    def find_cache(self, task: str, keys: tuple[str, ...]) -> CacheHit | None:  # noqa: ARG002 - one project only
        for key in keys:
            for found in reversed(self.caches.values()):
                if found.key.startswith(key):
                    return CacheHit(key=found.key, blob=found.blob, size=found.size)
        return None

    def find_others(self, task: str) -> tuple[TaskStatus, ...]:
        with self._changed:
            found = self.others.get(task, [()])
            self._changed.notify_all()
            return found.pop(0) if len(found) > 1 else found[0]

    def has_cache(self, task: str, key: str) -> bool:  # noqa: ARG002 - one project only
        return key in self.caches
