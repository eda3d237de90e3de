"""A process in a container, watched through two named pipes: what it writes, and what becomes of it."""

import os
import select
import signal
import time
from collections.abc import Callable

from penstock.agent.executor.base import LostPlaceError, Request
from penstock.agent.executor.docker.control import ControlFolder
from penstock.model.errors import RefusedError

_PATIENCE = 60.0  # seconds a container may take to begin what it was told to
_DYING = 1.0  # seconds until the engine has noticed the end of a container
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

    def await_start(self, request: Request) -> None:
        """Return once the program runs. Raises RefusedError with the reason when it cannot."""
        deadline = time.monotonic() + _PATIENCE
        while not self._group:
            self._listen(_TICK)
            line, newline, self._heard = self._heard.partition(b"\n")
            if line == b"directory":
                raise RefusedError(f"the working directory {request.directory} does not exist")
            if line == b"program":
                raise RefusedError(f"cannot run {request.argv[0]}: there is no such program")
            if newline:
                self._group = int(line.split()[1])
            elif not self._is_alive():
                raise LostPlaceError("the container of the job is gone")
            elif time.monotonic() > deadline:
                raise LostPlaceError("the container does not begin what it was told to")

    def poll(self) -> int | None:
        """The exit code once the process has ended; None before."""
        if self._code is None and self.ended is not None:
            over = self._listen(0)
            if self._heard.endswith(b"\n"):
                self._code = int(self._heard.split()[1])
            elif over:
                self._code = self._explain_silence()
        return self._code

    def signal(self, number: int) -> bool:
        """Send a signal to the group; false when nobody is left to receive it."""
        self._killed |= number == signal.SIGKILL
        return self._is_alive() and self._send(number, self._group)

    def close(self) -> None:
        """Give the watch descriptor back."""
        if self.ended is not None:
            os.close(self.ended)
            self.ended = None

    def _listen(self, seconds: float) -> bool:
        """Take in what was said, waiting at most so long; true when nobody is left to say more."""
        if self.ended is None or not select.select([self.ended], [], [], seconds)[0]:
            return False
        data = os.read(self.ended, 4096)
        self._heard += data
        return not data

    def _explain_silence(self) -> int:
        """Only SIGKILL keeps `launch.sh` from giving the exit code, unless the container is gone."""
        until = time.monotonic() + (0 if self._killed else _DYING)
        while self._is_alive() and time.monotonic() < until:  # the engine notices an end a moment later
            time.sleep(_MOMENT)
        return _KILLED


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
