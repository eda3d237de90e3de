"""Deletes a folder whatever a job did to it: made it read-only, thousands of levels deep."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path


def remove_tree(path: Path) -> None:
    """The folder and all below it is gone; what this user cannot delete at all stays. Never raises."""
    with suppress(RecursionError):
        shutil.rmtree(path, ignore_errors=True)
    if os.path.lexists(path):
        with suppress(OSError):
            path.chmod(0o700)
            while _flatten(path):
                pass
        with suppress(OSError):
            path.rmdir()


def _flatten(top: Path) -> bool:
    """Delete what is in the folder and move what is one level below up; false when nothing could be done.

    No path gets longer than two levels, so neither the depth of the tree nor the length of paths matters.
    """
    names = (f"{number:x}" for number in count() if not os.path.lexists(top / f"{number:x}"))
    progress = False
    for entry in list(os.scandir(top)):
        with suppress(OSError):
            if not entry.is_dir(follow_symlinks=False):
                Path(entry).unlink()
            else:
                _hoist(Path(entry), top, names)
            progress = True
    return progress


def _hoist(folder: Path, top: Path, names: Iterator[str]) -> None:
    """Delete the folder; the folders in it are in `top` then."""
    folder.chmod(0o700)
    for entry in list(os.scandir(folder)):
        if entry.is_dir(follow_symlinks=False):
            Path(entry).chmod(0o700)  # a folder that may not be written to cannot be moved
            Path(entry).rename(top / next(names))
        else:
            Path(entry).unlink()
    folder.rmdir()
