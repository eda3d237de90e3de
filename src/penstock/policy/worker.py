"""One process that evaluates policies, from the side of who asks it."""

import os
import selectors
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import penstock
from penstock.kit import children
from penstock.policy.messages import LENGTH

_START = "import sys; sys.path.insert(0, sys.argv[1]); from penstock.policy.child import main; main()"
_PIECE = 64 << 10


class LostError(Exception):
    """There is no answer; `ours` when the bounds are why."""

    def __init__(self, message: str, *, ours: bool = True) -> None:
        super().__init__(message)
        self.ours = ours


class Worker:
    """A process that was started; it knows nothing of this one's environment, files or sockets."""

    def __init__(self, memory: int) -> None:
        root = str(Path(penstock.__file__).parent.parent)
        with children.LOCK:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, root, str(memory)],
                env={},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for us to answer
            )
            children.KNOWN.add(self._process.pid)
        assert self._process.stdin is not None  # noqa: S101 - pipes were asked for
        assert self._process.stdout is not None  # noqa: S101 - the same
        self._into, self._out_of = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._into, False)
        os.set_blocking(self._out_of, False)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def ask(self, message: bytes, deadline: float, largest: int) -> bytes:
        """The answer. Raises TimeoutError past the deadline of the monotonic clock, EOFError without one."""
        self._send(len(message).to_bytes(LENGTH, "big") + message, deadline)
        size = int.from_bytes(self._receive(LENGTH, deadline), "big")
        if size > largest:
            raise EOFError
        return self._receive(size, deadline)

    def wait(self) -> int:
        """The status with which the process ended; it is killed when it has not."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(1.0)
        self.kill()
        return self._process.returncode

    def stop(self) -> None:
        """The process ends; whoever asks it is told, and closes its pipes."""
        with suppress(OSError):
            self._process.kill()

    def kill(self) -> None:
        """The process is gone, its pipes are closed; nobody else may be asking it."""
        self.stop()
        self._process.wait()
        children.forget_child(self._process.pid)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            self._await(self._into, selectors.EVENT_WRITE, deadline)
            try:
                rest = rest[os.write(self._into, rest[:_PIECE]) :]
            except BrokenPipeError:
                raise EOFError from None

    def _receive(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._await(self._out_of, selectors.EVENT_READ, deadline)
            piece = os.read(self._out_of, min(size - len(data), _PIECE))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def _await(self, pipe: int, event: int, deadline: float) -> None:
        """Return when the pipe is ready; raises TimeoutError."""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, event)
            if not selector.select(max(deadline - time.monotonic(), 0)):
                raise TimeoutError
