"""The folder an agent shares with a container: small files and named pipes.

The job may do what it likes inside, as root. So nothing here is reached by a path that the job could bend:
the folder is held open, names are looked up in it, links are not followed, only plain files are read.
"""

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

from penstock.model.errors import RefusedError

_PIPE = 1 << 20  # as for pipes of the host: fewer, larger reads
_MOST = 64 << 20  # bytes of a file; lists of tests and their times stay far below
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class ControlFolder:
    """A shared folder. Names are without `/`. Raises RefusedError for a name that is no plain file."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True)
        self.path = path
        self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._kept: dict[str, int] = {}
        os.fchmod(self._folder, 0o777)  # whatever the image's user is; the folders above are closed to others

    def has(self, name: str) -> bool:
        """True when there is something of that name."""
        try:
            os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        except OSError:
            return False
        return True

    def read(self, name: str) -> bytes:
        """The content of the file. Raises RefusedError when it is larger than anything of use here."""
        descriptor = self._open(name, _READ)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(_MOST + 1)
        if len(data) > _MOST:
            raise RefusedError(f"{name} in the control folder is larger than {_MOST >> 20} MiB")
        return data

    def write(self, name: str, data: bytes) -> None:
        """The file has exactly this content and is everybody's to read, write and run."""
        descriptor = self._open(name, _WRITE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.ftruncate(descriptor, 0)
                os.fchmod(descriptor, 0o777)
                file.write(data)
        except OSError as error:
            raise RefusedError(f"cannot write {name} in the control folder: {error.strerror}") from error

    def _open(self, name: str, flags: int) -> int:
        try:
            descriptor = os.open(name, flags, 0o600, dir_fd=self._folder)
        except OSError as error:
            raise RefusedError(f"cannot open {name} in the control folder: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise RefusedError(f"{name} in the control folder is no file")
        return descriptor

    def make_pipe(self, name: str, *, both: bool = False) -> int:
        """A named pipe for everybody; returns its reading end, non-blocking, with `both` one for both."""
        os.mkfifo(name, dir_fd=self._folder)
        flags = (_READ & ~os.O_RDONLY) | os.O_RDWR if both else _READ
        descriptor = os.open(name, flags, dir_fd=self._folder)
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise RefusedError(f"{name} in the control folder is no pipe")
        os.fchmod(descriptor, 0o666)
        with suppress(OSError, AttributeError):  # above the user's share of pipe memory
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE)
        return descriptor

    def keep_pipe(self, name: str) -> None:
        """A named pipe that has a writer until `close`, or until this process dies."""
        self._kept[name] = self.make_pipe(name, both=True)

    def tell(self, name: str, line: str) -> None:
        """Write a short line to a pipe that is kept. Raises RefusedError when nobody reads it."""
        try:
            os.write(self._kept[name], f"{line}\n".encode())
        except BlockingIOError as error:
            raise RefusedError(f"the container does not read {name}") from error

    def drop(self, name: str) -> None:
        """The name is gone."""
        with suppress(OSError):
            os.unlink(name, dir_fd=self._folder)

    def let_go(self) -> None:
        """Pipes that were kept have no writer any more: whoever lives by one ends."""
        for descriptor in self._kept.values():
            os.close(descriptor)
        self._kept.clear()

    def close(self) -> None:
        """Give the folder and what was kept open back; the folder stays."""
        self.let_go()
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1
