"""The data folder of a server: what lies where, and that only one server uses it."""

import errno
import fcntl
import os
from pathlib import Path
from typing import Self

import msgspec

from penstock.model.errors import RefusedError, UnavailableError


class DataFolder(msgspec.Struct, frozen=True):
    """Names of what a server keeps."""

    root: Path

    @property
    def database(self) -> Path:
        """The database, unless it is elsewhere."""
        return self.root / "penstock.db"

    @property
    def blobs(self) -> Path:
        """Logs, artifacts, caches and workspaces, unless they are elsewhere."""
        return self.root / "blobs"

    @property
    def key(self) -> Path:
        """The file with the keys that seal secrets, unless it is elsewhere."""
        return self.root / "key"

    @property
    def jobs(self) -> Path:
        """Where the agent in the server runs jobs."""
        return self.root / "jobs"

    @property
    def ends(self) -> Path:
        """What that agent has not stored yet of jobs that have ended."""
        return self.root / "ends"

    @property
    def mirrors(self) -> Path:
        """Local copies of the projects' repositories."""
        return self.root / "mirrors"

    @property
    def keys(self) -> Path:
        """Where keys of repositories lie while one is fetched."""
        return self.root / "keys"

    @property
    def agent(self) -> Path:
        """The UUID of the agent that runs jobs here."""
        return self.root / "agent"

    @property
    def lock(self) -> Path:
        """Held by the server that uses the folder."""
        return self.root / "server.lock"

    def make(self) -> None:
        """The folder exists and belongs to its owner alone. Raises UnavailableError."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not os.access(self.root, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            way_out = "name another folder with --data"
            raise UnavailableError(f"cannot write to {self.root}: {error.strerror}; {way_out}") from error


class FolderLock:
    """The lock of a data folder, held inside; the kernel drops it when the process ends, however it ends."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._handle = -1

    def __enter__(self) -> Self:
        path = self._folder.lock
        try:
            handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UnavailableError(f"cannot make {path}: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise RefusedError(
                f"another penstock server (process {holder}) uses the folder {self._folder.root}: stop it, "
                "or name another folder with --data. Several servers share a PostgreSQL database and have "
                "a folder each"
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)
