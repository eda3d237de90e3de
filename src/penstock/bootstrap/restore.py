"""A data folder made of a backup: it takes its name only when it is whole."""

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from penstock.bootstrap.backup import BLOBS, COMPLETE, DATABASE, KEY, MANIFEST, Complete, Manifest
from penstock.bootstrap.folder import DataFolder
from penstock.model.errors import InvalidError, RefusedError, UnavailableError
from penstock.store.blobs import check_name
from penstock.store.snapshot import check_file
from penstock.store.upgrade import HEAD

T = TypeVar("T", bound=msgspec.Struct)


def read_backup(file: Path, folder: DataFolder) -> tuple[Manifest, Complete]:
    """The folder, which must be empty or missing, holds what was backed up; tells what that was.

    Raises RefusedError for a folder with something in it and for a file that is no whole backup,
    UnavailableError when something cannot be read or written; the folder is as it was then.
    """
    root = folder.root
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise RefusedError(f"{root} is not empty: name a folder that is, or does not exist, with --data")
    with _explained(file):
        root.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
        try:
            told = _unpack(file, DataFolder(draft))
            draft.rename(root)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return told


def _unpack(file: Path, folder: DataFolder) -> tuple[Manifest, Complete]:
    with tarfile.open(file, mode="r|") as tar:
        members = iter(tar)
        manifest = _decode(tar, next(members, None), MANIFEST, Manifest)
        if not manifest.schema.isdecimal() or int(manifest.schema) > int(HEAD):
            raise RefusedError(f"{file} was made by a newer penstock ({manifest.penstock}): upgrade this one")
        count = 0
        for member in members:
            if member.name == COMPLETE:
                complete = _decode(tar, member, COMPLETE, Complete)
                _check(folder, manifest, complete, count)
                return manifest, complete
            _write(tar, member, folder)
            count += member.name.startswith(BLOBS)
    raise RefusedError(f"{file} ends in the middle: it is no whole backup")


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: DataFolder) -> None:
    """Write one file of the backup to its place; nothing else may be in it."""
    if member.name.startswith(BLOBS):
        name = member.name.removeprefix(BLOBS)
        check_name(name)
        path = folder.blobs / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    elif member.name in {DATABASE, KEY}:
        path = folder.database if member.name == DATABASE else folder.key
    else:
        raise RefusedError(f"there is something in it that no backup has: {member.name[:80]!r}")
    source = tar.extractfile(member) if member.isreg() else None
    if source is None:
        raise RefusedError(f"{member.name[:80]!r} in it is no plain file")
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
