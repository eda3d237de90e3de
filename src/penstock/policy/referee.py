"""Has policies evaluated by other processes, within bounds of time and memory.

A process is started when one is first needed, and again after one had to be killed. However a policy loops
or grows, it costs its bounds and ends in a decision that says so.
"""

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec

from penstock.model.errors import InvalidError, UnavailableError
from penstock.policy.decision import Decision, Status, fail
from penstock.policy.files import check_size, name_bundle
from penstock.policy.messages import Reply, Request
from penstock.policy.worker import LostError, Worker


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one question may take, and how many may be asked at once."""

    seconds: float = 2.0  # of a processor
    reading: float = 5.0  # more, for each MiB of policies, when they are read first
    patience: float = 30.0  # seconds on the wall
    memory: int = 768 << 20  # bytes of address space
    largest: int = 8 << 20  # bytes of an answer
    workers: int = 2  # processes
    waiting: int = 4  # more are turned away


class Referee:
    """Asks worker processes; several threads may use it at once."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._places = threading.BoundedSemaphore(self._bounds.workers + self._bounds.waiting)
        self._turns = threading.BoundedSemaphore(self._bounds.workers)
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._closed = False

    def close(self) -> None:
        """No process is left; what is being asked ends in an error."""
        with self._lock:
            self._closed = True
            idle, busy = [*self._idle], [*self._busy]
            self._idle.clear()
        for worker in idle:
            worker.kill()
        for worker in busy:
            worker.stop()  # who asks it closes its pipes

    def judge(self, policies: Mapping[str, str], document: bytes, meta: bytes) -> Decision:
        """What the policies say of a document; both are JSON. An error when they cannot say anything.

        Raises UnavailableError when too many ask at once.
        """
        if not policies:
            return Decision(status=Status.PASS)
        request = Request(
            bundle=name_bundle(policies), seconds=self._bounds.seconds, document=document, meta=meta
        )
        try:
            reply = self._ask(request, policies)
        except LostError as error:
            return fail(str(error))
        return reply.decision if reply.decision is not None else fail(reply.fault)

    def check(self, files: Mapping[str, str]) -> dict[str, str]:
        """The text of each policy of the files by its name.

        Raises InvalidError, LimitExceededError for files that are no bundle, UnavailableError.
        """
        check_size(files)
        if not files:
            return {}
        # A check asks more than once of the same files: their names are part of what they are.
        reply = self._insist(
            Request(bundle=f"check {name_bundle(files)}", seconds=self._bounds.seconds), files
        )
        return reply.names or {}

    def run_tests(self, files: Mapping[str, str]) -> dict[str, str]:
        """By name, why each `test_…` rule of the files fails, "" when it passes. Raises as `check` does."""
        check_size(files)
        if not files:
            return {}
        request = Request(bundle=f"check {name_bundle(files)}", seconds=self._bounds.seconds, tests=True)
        return self._insist(request, files).tests or {}

    def _insist(self, request: Request, files: Mapping[str, str]) -> Reply:
        try:
            reply = self._ask(request, files)
        except LostError as error:
            raise InvalidError(str(error)) from error
        if reply.decision is not None or reply.fault:
            raise InvalidError(reply.fault or (reply.decision.reason if reply.decision else ""))
        return reply

    def _ask(self, request: Request, files: Mapping[str, str]) -> Reply:
        """The answer of a process. One that was killed by somebody else is replaced once."""
        with self._take_turn():
            try:
                return self._try(request, files)
            except LostError as error:
                if error.ours or self._closed:
                    raise
            return self._try(request, files)

    def _try(self, request: Request, files: Mapping[str, str]) -> Reply:
        with self._hold_worker() as worker:
            deadline = time.monotonic() + self._bounds.patience
            reply = self._exchange(worker, request, deadline)
            if reply.missing:
                complete = self._complete(request, files)
                deadline += 2 * complete.seconds
                reply = self._exchange(worker, complete, deadline)
            if reply.spent:
                worker.kill()
            return reply

    def _complete(self, request: Request, files: Mapping[str, str]) -> Request:
        """The request with the files, and with time to read them."""
        size = sum(map(len, files.values()))
        seconds = request.seconds + size / (1 << 20) * self._bounds.reading
        return msgspec.structs.replace(request, files=dict(files), seconds=seconds)

    def _exchange(self, worker: Worker, request: Request, deadline: float) -> Reply:
        try:
            answer = worker.ask(msgspec.msgpack.encode(request), deadline, self._bounds.largest)
            return msgspec.msgpack.decode(answer, type=Reply)
        except TimeoutError:
            raise LostError(f"the policies took more than {self._bounds.patience:g} seconds") from None
        except EOFError:
            status = worker.wait()
        if status == -signal.SIGXCPU:
            raise LostError(
                f"the policies took more than {round(request.seconds, 1):g} seconds of a processor"
            )
        raise LostError("the process that evaluates the policies was killed", ours=False)

    @contextmanager
    def _take_turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise UnavailableError("too many configs are being judged at present: try again")
        try:
            with self._turns:
                yield
        finally:
            self._places.release()

    @contextmanager
    def _hold_worker(self) -> Iterator[Worker]:
        """A process nobody else asks; it is kept when all went well, and gone otherwise."""
        worker = self._find_worker()
        good = False
        try:
            yield worker
            good = True
        finally:
            with self._lock:
                self._busy.discard(worker)
                keep = good and not self._closed
                if keep:
                    self._idle.append(worker)
            if not keep:
                worker.kill()

    def _find_worker(self) -> Worker:
        with self._lock:
            if self._closed:
                raise UnavailableError("this server is to end")
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive():
                    self._busy.add(worker)
                    return worker
                worker.kill()
        worker = Worker(self._bounds.memory)
        self._announce(worker)
        return worker

    def _announce(self, worker: Worker) -> None:
        """A new process is known to `close`, or ends when that was called meanwhile."""
        with self._lock:
            self._busy.add(worker)
            late = self._closed
        if late:
            worker.stop()
