"""All that a server keeps as one file, and a data folder made of such a file.

The file is a tar: `manifest.json`, `penstock.db`, perhaps `key`, the blobs below `blobs`, and at the end
`complete.json`, without which it is not whole. The database is copied first: each blob it names was there
then, and blobs never change.
"""

import hashlib
import io
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from penstock import __version__
from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.parts import locate_database
from penstock.bootstrap.settings import Settings
from penstock.model.errors import NotFoundError, RefusedError, UnavailableError
from penstock.store.blobs import Blobs
from penstock.store.database import Database, find_version
from penstock.store.snapshot import copy_database, find_file
from penstock.store.transfer import copy_rows
from penstock.store.upgrade import HEAD

MANIFEST = "manifest.json"
COMPLETE = "complete.json"
DATABASE = "penstock.db"
KEY = "key"
BLOBS = "blobs/"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is of. `key` tells whether the key file is in it."""

    penstock: str
    schema: str
    made_at: int  # seconds since the epoch
    database_sha256: str
    key: bool


class Complete(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole backup holds."""

    blobs: int
    bytes: int


def write_backup(settings: Settings, folder: DataFolder, file: Path, *, with_key: bool) -> Complete:
    """The file is a whole backup afterwards, readable by its owner only; one that was there is replaced.

    Servers may run. Raises RefusedError when the database has an old schema, UnavailableError when something
    cannot be read or written; no file is left then.
    """
    blobs = Blobs.connect(settings.blobs or str(folder.blobs))
    with _explained(file), _draft(file) as (draft, copy):
        _copy(locate_database(settings, folder), copy)
        manifest = Manifest(
            penstock=__version__,
            schema=find_version(str(copy)) or "",
            made_at=round(time.time()),
            database_sha256=_digest(copy),
            key=with_key,
        )
        with tarfile.open(fileobj=draft, mode="w", format=tarfile.PAX_FORMAT) as tar:
            _add_bytes(tar, MANIFEST, msgspec.json.encode(manifest))
            tar.add(copy, DATABASE, filter=_make_private)
            if with_key:
                tar.add(settings.key_file or folder.key, KEY, filter=_make_private)
            complete = _add_blobs(tar, blobs)
            _add_bytes(tar, COMPLETE, msgspec.json.encode(complete))
    return complete


def _copy(url: str, copy: Path) -> None:
    """The SQLite file `copy` holds what the database at the URL, of either kind, holds at one moment."""
    source = find_file(url)
    if source is not None:
        copy_database(source, copy)
        return
    version = find_version(url)
    if version != HEAD:
        way_out = "run `penstock db upgrade`, or use the penstock of its servers"
        raise RefusedError(f"the database has schema {version}, this penstock copies {HEAD}: {way_out}")
    with (
        closing(Database.open(url)) as old,
        tempfile.TemporaryDirectory(prefix=".rows-", dir=copy.parent) as place,
    ):
        made = Path(place) / DATABASE
        with closing(Database.open(str(made))) as new:
            copy_rows(old, new)
        copy_database(made, copy)


def _add_blobs(tar: tarfile.TarFile, blobs: Blobs) -> Complete:
    """Add each blob; one that is deleted meanwhile is left out."""
    count = total = 0
    for name, size in blobs.list():
        try:
            stream = _Pieces(blobs.open(name))
        except NotFoundError:
            continue
        info = _describe(f"{BLOBS}{name}", size)
        tar.addfile(info, stream)
        count, total = count + 1, total + size
    return Complete(blobs=count, bytes=total)


class _Pieces(io.RawIOBase):
    """A stream over pieces of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes, as many as asked for unless the end comes first."""
        gathered = [self._rest]
        have = len(self._rest)
        while have < size and (piece := next(self._pieces, b"")):
            gathered.append(piece)
            have += len(piece)
        whole = b"".join(gathered)
        self._rest = whole[size:]
        return whole[:size]


@contextmanager
def _draft(file: Path) -> Iterator[tuple[io.BufferedWriter, Path]]:
    """A file to write to, which takes the name at the end, and a place for a copy beside it."""
    with tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.absolute().parent) as folder:
        path = Path(folder) / "draft"
        with os.fdopen(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb"
        ) as draft:
            yield draft, Path(folder) / DATABASE
            draft.flush()
            os.fsync(draft.fileno())
        path.rename(file)


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(f"cannot write {error.filename or file}: {error.strerror or error}") from error


def _describe(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    info.mtime = int(time.time())
    return info


def _make_private(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mode, info.uid, info.gid, info.uname, info.gname = 0o600, 0, 0, "", ""
    return info


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    tar.addfile(_describe(name, len(data)), io.BytesIO(data))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
