"""Keeps a bare repository of ours in shape: makes it, removes what a killed git left, packs it.

Whoever calls holds the repository's lock.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from penstock.forge.command import call_git
from penstock.forge.process import Bounds
from penstock.model.errors import UnavailableError

URL_FILE = "penstock-url"
_NEW = ".new"
_OLD = ".old"
_MOST_PACKS = 40
_MOST_LOOSE = 30
"""Loose objects in one of the 256 folders they are spread over evenly."""
_SAMPLE = "objects/17"
_LONG = Bounds(seconds=3600)


def begin_repository(path: Path, object_format: str = "sha1") -> Path:
    """A new empty bare repository beside the path, to be filled and then installed there."""
    options = [
        "--bare",
        "--quiet",
        "--template=",
        "--initial-branch=main",
        f"--object-format={object_format}",
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path)
        fresh = Path(tempfile.mkdtemp(dir=path.parent, prefix=f"{path.name}.", suffix=_NEW))
    except OSError as error:
        raise UnavailableError(f"cannot write {path}: {error.strerror}") from error
    call_git("init", *options, str(fresh), cwd=fresh)
    return fresh


def install_repository(fresh: Path, path: Path, url: str) -> None:
    """The filled repository is at the path, in place of another; it remembers which URL it mirrors."""
    try:
        (fresh / URL_FILE).write_text(url)
        remove_repository(path)
        fresh.rename(path)
    except OSError as error:
        raise UnavailableError(f"cannot write {path}: {error.strerror}") from error


def remove_repository(path: Path) -> None:
    """Nothing is at or beside the path any more; readers never see half a repository there."""
    try:
        if path.exists():
            aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f"{path.name}.", suffix=_OLD))
            path.rename(aside / path.name)
    except OSError as error:
        raise UnavailableError(f"cannot remove {path}: {error.strerror}") from error
    for leftover in path.parent.glob(f"{path.name}.*{_OLD}"):
        shutil.rmtree(leftover, ignore_errors=True)


def discard_repository(fresh: Path) -> None:
    """What could not be filled takes no room."""
    shutil.rmtree(fresh, ignore_errors=True)


def read_url(path: Path) -> str:
    """The URL the repository mirrors; "" when there is none."""
    try:
        return (path / URL_FILE).read_text(errors="replace")
    except OSError:
        return ""


def remove_stale(path: Path) -> None:
    """Lock files and half-written packs are gone: nobody works here, so who made them was killed."""
    try:
        for name in _list_stale(path):
            name.unlink(missing_ok=True)
    except OSError as error:
        raise UnavailableError(f"cannot clean {path}: {error.strerror}") from error


def _list_stale(path: Path) -> Iterator[Path]:
    yield from path.glob("*.lock")
    yield from (path / "refs").rglob("*.lock")
    yield from (path / "objects").glob("*.lock")
    for pattern in ("pack/tmp_*", "pack/.tmp-*", "pack/*.lock", "info/*.lock", "??/tmp_obj_*"):
        yield from (path / "objects").glob(pattern)


def remove_leftovers(path: Path) -> None:
    """What a killed process was making or removing beside the path is gone."""
    for leftover in path.parent.glob(f"{path.name}.*"):
        if leftover.suffix in {_NEW, _OLD}:
            shutil.rmtree(leftover, ignore_errors=True)


def is_untidy(path: Path) -> bool:
    """True when many fetches have left many small packs or loose objects."""
    packs = sum(1 for _ in (path / "objects/pack").glob("*.pack"))
    loose = sum(1 for _ in (path / _SAMPLE).glob("*"))
    return packs > _MOST_PACKS or loose > _MOST_LOOSE


def tidy_repository(path: Path) -> None:
    """The same objects in few packs, the same refs in one file; what no ref leads to is kept."""
    remove_stale(path)
    call_git("repack", "--quiet", "-d", "--geometric=2", cwd=path, bounds=_LONG)
    call_git("pack-refs", "--all", cwd=path, bounds=_LONG)
