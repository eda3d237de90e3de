"""What of this machine a container may read: the local copy of the source, and the objects it borrows."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from penstock.agent.executor.docker.containers import SOURCE, TOP, Mount
from penstock.wire.messages import Assignment, Source

_ALTERNATES = "info/alternates"
_MOST = 50  # repositories that borrow from each other


def find_source(assignment: Assignment) -> Path | None:
    """The repository on this machine a checkout clones; None when it is elsewhere or there is none."""
    source = assignment.source
    return Path(source.url) if source is not None and Path(source.url).is_absolute() else None


def needs_ssh(source: Source | None) -> bool:
    """True when a checkout clones over ssh, which git cannot without that program."""
    if source is None or Path(source.url).is_absolute():
        return False
    return source.url.startswith("ssh://") or "://" not in source.url


def lend_source(source: Path, folder: Path) -> list[Mount]:
    """The repository as a container sees it. Where its objects are borrowed from is told in its words.

    `folder` takes the two files that tell.
    """
    _, *borrowed = list_objects(source / "objects")
    mounts = [Mount(str(source), SOURCE)]
    if not borrowed:
        return mounts
    told, nothing = folder / "alternates", folder / "nothing"
    inside = [f"{TOP}/objects/{number}" for number in range(len(borrowed))]
    told.write_text("".join(f"{path}\n" for path in inside))
    nothing.touch()
    told.chmod(0o644)
    nothing.chmod(0o644)
    mounts.append(Mount(str(told), f"{SOURCE}/objects/{_ALTERNATES}"))
    for path, place in zip(borrowed, inside, strict=True):
        mounts.append(Mount(str(path), place))
        if (path / _ALTERNATES).exists():
            mounts.append(Mount(str(nothing), f"{place}/{_ALTERNATES}"))
    return mounts


def list_objects(objects: Path) -> list[Path]:
    """A folder of git objects and all it borrows from, itself first (git docs: objects/info/alternates)."""
    found = [objects]
    for folder in found:
        found += [each for each in _read_alternates(folder) if each not in found][: _MOST - len(found)]
    return found


def _read_alternates(objects: Path) -> Iterator[Path]:
    try:
        lines = (objects / _ALTERNATES).read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        path = objects / os.fsdecode(line)
        if line and not line.startswith(b"#") and path.is_dir():
            yield Path(os.path.normpath(path))


def is_readable(source: Path, owner: int) -> bool:
    """Whether a user may read the source; an umask may have closed it to others."""
    if owner in {0, os.getuid()}:
        return True
    wanted = [source, source / "HEAD", *list_objects(source / "objects")]
    return all(path.stat().st_mode & stat.S_IROTH for path in wanted)
