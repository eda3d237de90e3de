"""A process in a container, watched through two named pipes: what it writes, and what becomes of it."""

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from penstock.agent.executor.base import LostPlaceError, Request
from penstock.agent.executor.docker.control import ControlFolder
from penstock.model.errors import RefusedError

_PATIENCE = 60.0  # seconds a container may take to begin what it was told to
_DYING = 1.0  # seconds until the engine has noticed the end of a container
_LONGEST = 64  # bytes of a line about a process
_TICK = 0.5
_MOMENT = 0.05
_KILLED = 128 + signal.SIGKILL


class ContainerProcess:
    """A process started by `launch.sh`; it leads a group of its own.

    `send` delivers a signal to the group with that number in the container. `is_alive` is false
    once the agent has ended the container, and raises LostPlaceError when it ended by itself.
    """

    def __init__(
        self,
        pipes: tuple[int, int],
        send: Callable[[int, int], bool],
        is_alive: Callable[[], bool],
    ) -> None:
        life, self.output = pipes
        self.ended: int | None = life
        self._send = send
        self._is_alive = is_alive
        self._heard = b""
        self._group = 0
        self._killed = False
        self._code: int | None = None
        self._lock = threading.Lock()  # of the watch descriptor

    def await_start(self, request: Request) -> None:
        """Return once the program runs. Raises RefusedError with the reason when it cannot."""
        deadline = time.monotonic() + _PATIENCE
        while not self._group:
            self._listen(_TICK)
            line, _, self._heard = self._heard.partition(b"\n")
            if line == b"directory":
                raise RefusedError(f"the working directory {request.directory} does not exist")
            if line == b"program":
                raise RefusedError(f"cannot run {request.argv[0]}: there is no such program")
            self._group = _read_number(line, b"started") or 0
            if self._group:
                return
            if not self._is_alive():
                raise LostPlaceError("the container of the job is gone")
            if time.monotonic() > deadline:
                raise LostPlaceError("the container does not begin what it was told to")

    def poll(self) -> int | None:
        """The exit code once the process has ended; None before."""
        if self._code is None and self.ended is not None:
            over = self._listen(0)
            line, newline, _ = self._heard.partition(b"\n")
            if newline or over:
                code = _read_number(line, b"ended")
                self._code = self._explain_silence() if code is None else code
        return self._code

    def signal(self, number: int) -> bool:
        """Send a signal to the group; false when nobody is left to receive it."""
        self._killed |= number == signal.SIGKILL
        return self._is_alive() and self._send(number, self._group)

    def wake(self) -> None:
        """Whoever waits for the end looks again: the place may be gone. May be called from any thread."""
        with self._lock:
            if self.ended is None:
                return
            with suppress(OSError):  # nothing to wake where a pipe cannot be opened by its descriptor
                pipe = os.open(f"/proc/self/fd/{self.ended}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                with os.fdopen(pipe, "wb", buffering=0) as waker:
                    waker.write(b"look\n")

    def close(self) -> None:
        """Give the watch descriptor back."""
        with self._lock:
            if self.ended is not None:
                os.close(self.ended)
                self.ended = None

    def _listen(self, seconds: float) -> bool:
        """Take in what was said, waiting at most so long; true when nobody is left to say more."""
        if self.ended is None or not select.select([self.ended], [], [], seconds)[0]:
            return False
        data = os.read(self.ended, 4096)
        self._heard = self._heard[:_LONGEST] + data
        return not data

    def _explain_silence(self) -> int:
        """Only SIGKILL keeps `launch.sh` from giving the exit code, unless the container is gone."""
        until = time.monotonic() + (0 if self._killed else _DYING)
        while self._is_alive() and time.monotonic() < until:  # the engine notices an end a moment later
            time.sleep(_MOMENT)
        return _KILLED


def _read_number(line: bytes, word: bytes) -> int | None:
    """The number after the word; None for anything else, which a job that is root may have written."""
    said, _, number = line.partition(b" ")
    return int(number) if said == word and number.isdigit() else None


def make_pipes(control: ControlFolder, number: int) -> tuple[int, int]:
    """The pipes of a process, reading ends: its life and its output."""
    life = control.make_pipe(f"life-{number}")
    try:
        return life, control.make_pipe(f"out-{number}")
    except BaseException:
        os.close(life)
        raise


def drop_pipes(control: ControlFolder, number: int) -> None:
    """The names of the pipes are gone; whoever has them open keeps them."""
    for name in (f"life-{number}", f"out-{number}"):
        control.drop(name)
