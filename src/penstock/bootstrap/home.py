"""Where Penstock keeps what it must remember on this machine."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from penstock.agent.executor.removal import remove_tree
from penstock.model.errors import UnavailableError

DATABASE = "penstock.db"
_LOCK = ".lock"


class Home(msgspec.Struct, frozen=True):
    """The data folder of local runs."""

    root: Path

    @property
    def database(self) -> str:
        """The address of the database."""
        return f"sqlite:///{self.root / DATABASE}"

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

    @property
    def orbs(self) -> Path:
        """The registry of this machine's own orbs."""
        return self.root / "orbs"

    @property
    def fetched(self) -> Path:
        """Orbs that were fetched before."""
        return self.root / "fetched"


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
            self._lock = _take_lock(_lock_of(path))
            path.mkdir(mode=0o700)
        except OSError as error:
            raise _not_writable(path, error) from error

    def remove(self) -> None:
        """Delete the folder and all it holds, also what jobs made read-only."""
        remove_tree(self.path)
        self._unlock()

    def keep(self, place: Path) -> Path:
        """Move the folder to where it stays; returns its new path."""
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = self.path.rename(place / self.path.name)
        self._unlock()
        return kept

    def _unlock(self) -> None:
        _lock_of(self.path).unlink(missing_ok=True)
        os.close(self._lock)


def is_abandoned(path: Path) -> bool:
    """True when the process that made the run folder is gone."""
    with _seized(path) as abandoned:
        return abandoned


def has_runs(home: Home) -> bool:
    """True while a run of some command goes on."""
    names = {entry.name.removesuffix(_LOCK) for entry in home.runs.iterdir()}
    return any(not is_abandoned(home.runs / name) for name in names)


def remove_abandoned(home: Home) -> None:
    """Nothing is left of a run that is over, neither folder nor lock, except what was kept on purpose."""
    names = {entry.name.removesuffix(_LOCK) for entry in home.runs.iterdir()}
    for path in (home.runs / name for name in names):
        with _seized(path) as abandoned:
            if abandoned:
                remove_tree(path)
                _lock_of(path).unlink(missing_ok=True)


@contextmanager
def _seized(path: Path) -> Iterator[bool]:
    """True when nobody holds the run folder's lock; nobody can take it inside then."""
    try:
        lock = os.open(_lock_of(path), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        abandoned = False
    else:
        abandoned = True
    try:
        yield abandoned
    finally:
        os.close(lock)


def _take_lock(path: Path) -> int:
    """The descriptor of the lock, held. A file that was cleared away before we held it does not count."""
    while True:
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        except FileNotFoundError:
            pass
        os.close(lock)


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + _LOCK)


def _not_writable(path: Path, error: OSError) -> UnavailableError:
    way_out = "Set PENSTOCK_HOME to a folder with space that you may write to"
    return UnavailableError(f"cannot write to {path}: {error.strerror}. {way_out}")
