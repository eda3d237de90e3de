"""A data folder made of a backup: it takes its name only when it is whole."""

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from penstock.bootstrap.backup import BLOBS, COMPLETE, DATABASE, KEY, MANIFEST, Complete, Manifest
from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.settings import Settings
from penstock.model.errors import InvalidError, RefusedError, UnavailableError
from penstock.store.blobs import Blobs
from penstock.store.database import Database
from penstock.store.snapshot import check_file
from penstock.store.transfer import copy_rows
from penstock.store.upgrade import HEAD

T = TypeVar("T", bound=msgspec.Struct)


def read_backup(file: Path, settings: Settings, folder: DataFolder) -> tuple[Manifest, Complete]:
    """The folder holds what was backed up, or the database and blobs that the settings name do; tells what.

    They must be empty, the folder may be missing. Raises RefusedError when something is not and for a file
    that is no whole backup, UnavailableError when something cannot be read or written; all is as it was then.
    """
    root = folder.root
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise RefusedError(f"{root} is not empty: name a folder that is, or does not exist, with --data")
    with _explained(file):
        root.parent.mkdir(parents=True, exist_ok=True)
        draft = DataFolder(Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent)))
        try:
            with _open_blobs(settings, draft) as blobs:
                told = _unpack(file, draft, blobs)
                if settings.database:
                    _move_rows(draft, settings.database)
            draft.root.rename(root)
        finally:
            shutil.rmtree(draft.root, ignore_errors=True)
    return told


class _Place:
    """Where blobs go, which had none before; remembers which were put there."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self.names: list[str] = []

    def put(self, name: str, source: IO[bytes]) -> None:
        """Store what the stream holds."""
        self.blobs.put(name, iter(partial(source.read, 1 << 20), b""))
        self.names.append(name)


@contextmanager
def _open_blobs(settings: Settings, draft: DataFolder) -> Iterator[_Place]:
    """The place for blobs; when what is done inside fails, none of them is left in it."""
    place = _Place(Blobs.connect(settings.blobs or str(draft.blobs)))
    if next(place.blobs.list(), None) is not None:
        raise RefusedError("there are blobs already where `blobs` leads: name a place that is empty")
    try:
        yield place
    except BaseException:
        if settings.blobs:
            for name in place.names:
                place.blobs.delete(name)
        raise


def _move_rows(draft: DataFolder, url: str) -> None:
    """The database at the URL holds what that of the folder held, which has none any more."""
    with closing(Database.open(str(draft.database))) as old, closing(Database.open(url)) as new:
        copy_rows(old, new)
    for path in draft.root.glob(f"{draft.database.name}*"):
        path.unlink()


def _unpack(file: Path, folder: DataFolder, place: _Place) -> tuple[Manifest, Complete]:
    with tarfile.open(file, mode="r|") as tar:
        members = iter(tar)
        manifest = _decode(tar, next(members, None), MANIFEST, Manifest)
        if not manifest.schema.isdecimal() or int(manifest.schema) > int(HEAD):
            raise RefusedError(f"{file} was made by a newer penstock ({manifest.penstock}): upgrade this one")
        for member in members:
            if member.name == COMPLETE:
                complete = _decode(tar, member, COMPLETE, Complete)
                _check(folder, manifest, complete, len(place.names))
                return manifest, complete
            _write(tar, member, folder, place)
    raise RefusedError(f"{file} ends in the middle: it is no whole backup")


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: DataFolder, place: _Place) -> None:
    """Write one file of the backup to its place; nothing else may be in it."""
    source = tar.extractfile(member) if member.isreg() else None
    if source is None:
        raise RefusedError(f"{member.name[:80]!r} in it is no plain file")
    if member.name.startswith(BLOBS):
        place.put(member.name.removeprefix(BLOBS), source)
        return
    if member.name not in {DATABASE, KEY}:
        raise RefusedError(f"there is something in it that no backup has: {member.name[:80]!r}")
    path = folder.database if member.name == DATABASE else folder.key
    with path.open("xb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    path.chmod(0o600)


def _check(folder: DataFolder, manifest: Manifest, complete: Complete, count: int) -> None:
    """What was unpacked is what was packed."""
    if count != complete.blobs:
        raise RefusedError(f"it should hold {complete.blobs} blobs, and holds {count}")
    try:
        with folder.database.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        digest = ""
    if digest != manifest.database_sha256:
        raise RefusedError("the database in it was changed or is missing")
    check_file(folder.database)


def _decode(tar: tarfile.TarFile, member: tarfile.TarInfo | None, name: str, shape: type[T]) -> T:
    source = tar.extractfile(member) if member is not None and member.name == name else None
    if source is None:
        raise RefusedError("it is no backup of penstock")
    try:
        return msgspec.json.decode(source.read(1 << 16), type=shape)
    except msgspec.MsgspecError as error:
        raise RefusedError(f"it is no backup this penstock can read: {error}") from error


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    """Inside, what is wrong with the file or the disk is told as an error of the core."""
    try:
        yield
    except tarfile.TarError as error:
        raise RefusedError(f"{file} is no backup, or not a whole one: {error}") from error
    except InvalidError as error:
        raise RefusedError(f"{file} is no backup: {error}") from error
    except OSError as error:
        raise UnavailableError(f"{error.filename or file}: {error.strerror or error}") from error
