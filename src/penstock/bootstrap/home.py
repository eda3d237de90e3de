"""Where Penstock keeps what it must remember on this machine."""

import errno
import fcntl
import os
import shutil
from pathlib import Path

import msgspec

from penstock.model.errors import UnavailableError


class Home(msgspec.Struct, frozen=True):
    """The data folder of local runs."""

    root: Path

    @property
    def database(self) -> str:
        """The address of the database."""
        return f"sqlite:///{self.root / 'penstock.db'}"

    @property
    def blobs(self) -> str:
        """The folder of logs, artifacts, caches and workspaces."""
        return str(self.root / "blobs")

    @property
    def runs(self) -> Path:
        """The folder in which each run has a folder while it lasts."""
        return self.root / "runs"

    @property
    def kept(self) -> Path:
        """Where the folders of runs stay that are to be looked at."""
        return self.root / "kept"


def find_home() -> Home:
    """The data folder, made when missing: PENSTOCK_HOME, else below XDG_DATA_HOME, else ~/.local/share.

    Raises UnavailableError when it cannot be written to.
    """
    given = os.environ.get("PENSTOCK_HOME")
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")  # noqa: PTH111 - may be unset
    root = Path(given) if given else Path(base) / "penstock"
    try:
        (root / "runs").mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _not_writable(root, error) from error
    if not os.access(root, os.W_OK):
        raise _not_writable(root, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    return Home(root=root.resolve())


class RunFolder:
    """The folder of one local run, locked for as long as its process lives.

    The kernel drops the lock when the process ends, however it ends, so a folder whose lock is free
    belongs to a run that is over. The lock is held before the folder exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._lock = os.open(_lock_of(path), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            path.mkdir(mode=0o700)
        except OSError as error:
            raise _not_writable(path, error) from error

    def remove(self) -> None:
        """Delete the folder and all it holds, also what jobs made read-only."""
        remove_tree(self.path)
        self._unlock()

    def keep(self, place: Path) -> Path:
        """Move the folder to where it stays; returns its new path."""
        place.mkdir(parents=True, exist_ok=True)
        kept = self.path.rename(place / self.path.name)
        self._unlock()
        return kept

    def _unlock(self) -> None:
        _lock_of(self.path).unlink(missing_ok=True)
        os.close(self._lock)


def is_abandoned(path: Path) -> bool:
    """True when the process that made the run folder is gone."""
    try:
        lock = os.open(_lock_of(path), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def remove_abandoned(home: Home) -> None:
    """No folder of a run that is over is left, except those that were kept on purpose."""
    for path in home.runs.iterdir():
        if path.is_dir() and is_abandoned(path):
            remove_tree(path)
            _lock_of(path).unlink(missing_ok=True)


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def remove_tree(path: Path) -> None:
    """Delete a folder; folders inside that forbid it (a Go module cache) are opened first."""
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        for folder, _, _ in os.walk(path):
            if not os.access(folder, os.W_OK | os.X_OK):
                Path(folder).chmod(0o700)
        shutil.rmtree(path, ignore_errors=True)


def _not_writable(path: Path, error: OSError) -> UnavailableError:
    way_out = "Set PENSTOCK_HOME to a folder with space that you may write to"
    return UnavailableError(f"cannot write to {path}: {error.strerror}. {way_out}")
