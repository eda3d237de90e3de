"""Where jobs on this machine hand in requests: a pipe in their control folder.

The command (`injob/asking.py`) puts the request into a file, makes a pipe of its own and rings; it is
answered in another file and called by its pipe. Names are its own making, without `/`.
"""

import errno
import os
import re
import select
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from penstock.agent.continuation import MOST_BYTES
from penstock.agent.reply import Answers, Errand, answer

BELL = "desk"
_NAME = re.compile(rf"({'|'.join(Errand)})-([0-9-]{{1,40}})".encode())
_LONGEST = 60  # bytes kept of a line that has not ended: more is no name


class Desk:
    """A thread that answers the requests of one task until it is closed."""

    def __init__(self, folder: Path, answers: Answers) -> None:
        self._folder = folder
        self._answers = answers
        os.mkfifo(folder / BELL, 0o600)
        self._bell = os.open(folder / BELL, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._serve, name="penstock-desk", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nothing is answered any more."""
        os.close(self._wake)
        self._thread.join()
        os.close(self._woken)
        os.close(self._bell)

    def _serve(self) -> None:
        heard = b""
        while self._woken not in select.select([self._bell, self._woken], [], [])[0]:
            *names, heard = (heard[-_LONGEST:] + os.read(self._bell, 4096)).split(b"\n")
            for name in names:
                if match := _NAME.fullmatch(name):
                    with suppress(OSError):  # the command is gone, and nobody waits
                        self._heed(Errand(match[1].decode()), match[2].decode())

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
