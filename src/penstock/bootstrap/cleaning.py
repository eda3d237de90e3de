"""Cleans the data folder of this machine: rows, blobs, kept folders and the database file."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.agent.executor.removal import remove_tree
from penstock.bootstrap.home import DATABASE, Home, has_runs
from penstock.bootstrap.local import recover_runs
from penstock.bootstrap.parts import open_parts
from penstock.engine.cleaning import Wish, clean, preview_cleaning
from penstock.engine.history import find_run
from penstock.engine.unit import Parts
from penstock.kit.ids import is_id
from penstock.model.errors import NotFoundError, UnavailableError


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a cleaning came to: counts, and bytes on the disk."""

    runs: int
    caches: int
    files: int
    freed: int


def clean_home(home: Home, *, older_than: float, keep: int, caches: bool, dry_run: bool) -> Report:
    """The folder without runs that ended so many seconds ago, but for the newest `keep` of each project.

    Caches go that are as old, or all of them. With `dry_run` everything stays.
    """
    parts = open_parts(home)
    try:
        recover_runs(parts, home)
        now = parts.clock.now()
        before = now - round(older_than * 1000)
        wish = Wish(before=before, keep=keep, caches_before=now + 1 if caches else before)
        if dry_run:
            done = preview_cleaning(parts, wish)
            freed = sum(_measure(home.kept / run) for run in done.runs)
        else:
            done = clean(parts, wish)
            freed = sum(_remove(folder) for folder in _list_left(parts, home)) + _compact(parts, home)
    finally:
        parts.db.close()
    return Report(runs=len(done.runs), caches=done.caches, files=done.blobs, freed=freed + done.size)


def _list_left(parts: Parts, home: Home) -> Iterator[Path]:
    """The folders that `--keep` left of runs that are gone."""
    for folder in home.kept.iterdir() if home.kept.is_dir() else ():
        if is_id(folder.name):
            try:
                find_run(parts, folder.name)
            except NotFoundError:
                yield folder


def _remove(folder: Path) -> int:
    size = _measure(folder)
    remove_tree(folder)
    return size


def _compact(parts: Parts, home: Home) -> int:
    """Make the database file as small as it can be, unless a run needs it now; returns the bytes won."""
    if has_runs(home):
        return 0
    before = _measure_database(home)
    with suppress(UnavailableError):  # somebody began to use it, or the disk has no room for a copy
        parts.db.compact()
    return max(before - _measure_database(home), 0)


def _measure_database(home: Home) -> int:
    return sum(path.stat().st_size for path in home.root.glob(f"{DATABASE}*"))


def _measure(folder: Path) -> int:
    """Bytes of the files below the folder, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
