"""Where jobs on this machine hand in requests: each has a pipe in its control folder.

The command (`injob/asking.py`) puts the request into a file, makes a pipe of its own and rings; it is
answered in another file and called by its pipe. Names are its own making, without `/`.
"""

import errno
import os
import re
import selectors
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import IO

import msgspec

from penstock.agent.continuation import MOST_BYTES
from penstock.agent.reply import Answers, Errand, answer

BELL = "desk"
_NAME = re.compile(rf"({'|'.join(Errand)})-([0-9-]{{1,40}})".encode())
_LONGEST = 60  # bytes kept of a line that has not ended: more is no name


class Desk:
    """Hears the bells of all tasks with one thread, and answers those of each with another while it rings.

    A task that asks for nothing costs a pipe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bells = selectors.DefaultSelector()
        self._woken, self._wake = os.pipe()
        self._bells.register(self._woken, selectors.EVENT_READ)
        self._thread: threading.Thread | None = None

    def open(self, folder: Path, answers: Answers) -> "Seat":
        """From now on the requests in the folder are answered, until the seat is closed."""
        seat = Seat(folder, answers, self._listen)
        with self._lock:
            self._bells.register(seat.bell, selectors.EVENT_READ, seat)
            if self._thread is None:
                self._thread = threading.Thread(target=self._hear, name="penstock-desk", daemon=True)
                self._thread.start()
        return seat

    def dismiss(self, seat: "Seat") -> None:
        """The seat is closed: nothing is answered there any more."""
        with self._lock:
            seat.closed = True
            if not seat.busy:
                self._bells.unregister(seat.bell)
        seat.leave()

    def close(self) -> None:
        """Nothing is heard any more. Every seat was closed before."""
        os.close(self._wake)
        if self._thread is not None:
            self._thread.join()
        self._bells.close()
        os.close(self._woken)

    def _hear(self) -> None:
        while True:
            for key, _ in self._bells.select():
                if key.data is None:
                    return
                self._begin(key.data)

    def _begin(self, seat: "Seat") -> None:
        with self._lock:
            if not (seat.closed or seat.busy):
                self._bells.unregister(seat.bell)
                seat.begin()

    def _listen(self, seat: "Seat") -> None:
        """The seat has answered all; when it rings again, it is heard again."""
        with self._lock:
            seat.busy = False
            if not seat.closed:
                self._bells.register(seat.bell, selectors.EVENT_READ, seat)


class Seat:
    """Where one task's requests are answered, one after the other."""

    def __init__(self, folder: Path, answers: Answers, done: "Callable[[Seat], None]") -> None:
        os.mkfifo(folder / BELL, 0o600)
        self.bell = os.open(folder / BELL, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.busy = False
        self.closed = False
        self._folder = folder
        self._answers = answers
        self._done = done
        self._heard = b""
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Answer what has rung, in another thread."""
        self.busy = True
        self._thread = threading.Thread(target=self._serve, name="penstock-seat", daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Nothing is being answered any more."""
        if self._thread is not None:
            self._thread.join()
        os.close(self.bell)

    def _serve(self) -> None:
        with suppress(BlockingIOError):  # all was heard
            while not self.closed:
                *names, self._heard = (self._heard[-_LONGEST:] + os.read(self.bell, 4096)).split(b"\n")
                for name in takewhile(lambda _: not self.closed, names):  # hundreds may ring at once
                    if match := _NAME.fullmatch(name):
                        with suppress(OSError):  # the command is gone, and nobody waits
                            self._heed(Errand(match[1].decode()), match[2].decode())
        self._done(self)

    def _heed(self, errand: Errand, name: str) -> None:
        with self._open(f"{errand}-{name}", os.O_RDONLY, "rb") as file:
            reply = answer(self._answers, errand, file.read(MOST_BYTES + 1))
        with self._open(f"answer-{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, "wb") as file:
            file.write(f"{reply.status}\n".encode() + msgspec.json.encode({"message": reply.message}))
        caller = os.open(self._folder / f"answered-{name}", os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(caller, b"\n")
        finally:
            os.close(caller)

    def _open(self, name: str, flags: int, mode: str) -> IO[bytes]:
        """The plain file; whatever else the job has put there is refused, and never waited for."""
        handle = os.open(self._folder / name, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise OSError(errno.EINVAL, "no plain file", name)
        return os.fdopen(handle, mode)
