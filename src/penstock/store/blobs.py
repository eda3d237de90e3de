"""Large immutable things by name: logs, artifacts, caches, workspace layers.

A folder by default, an object store by URL, through one library. What is under a name is whole: a put that
fails or dies leaves nothing there.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

from penstock.model.errors import InvalidError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PIECE_BYTES = 1 << 20
"""About how many bytes `open` yields at a time."""

_PART_BYTES = 5 << 20
_PARTS_AT_ONCE = 4
_MOST_NAME_BYTES = 900
_SEGMENT = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_=+@.-]{1,200}")
_REMOTE = {"s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl"}


class Blobs:
    """A place for blobs. All calls may be made from several threads at once.

    Every call raises InvalidError for a name that `check_name` refuses and UnavailableError when the
    place cannot be reached, read or written.
    """

    def __init__(self, store: "ObjectStore", folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def connect(cls, url: str) -> Self:
        """The place a URL names: a folder (plain path or `file:`), `s3:`, `gs:`, `az:` or `memory:`.

        A folder is made when it does not exist. Raises InvalidError for another URL.
        """
        from obstore.store import LocalStore, MemoryStore, from_url

        scheme = urlsplit(url).scheme if ":" in url else ""
        if scheme == "memory":
            return cls(MemoryStore())
        if scheme in {"", "file"}:
            folder = Path(unquote(urlsplit(url).path) if scheme else url).absolute()
            _make_folder(folder)
            return cls(LocalStore(os.fspath(folder)), folder)
        if scheme not in _REMOTE:
            raise InvalidError(f"no blob store of the kind {scheme!r}: use a folder, s3://, gs:// or az://")
        with _explained(f"{scheme}://…"):  # the whole URL may hold credentials
            return cls(from_url(url))

    def put(self, name: str, chunks: Iterable[bytes]) -> int:
        """Store the bytes durably and whole; returns how many. A blob of that name is replaced.

        When the iterable raises, so does this, and nothing is kept. Memory stays bounded.
        """
        import obstore

        check_name(name)
        counted = _Counted(chunks)
        start = counted.take(_PART_BYTES)
        with _explained(name):
            if counted.ended:
                obstore.put(self._store, name, start, use_multipart=False)
            else:
                parts = chain((start,), counted)
                obstore.put(self._store, name, parts, chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE)
        if self._folder is not None:
            _settle_file(self._folder, name)
        return counted.size

    def open(self, name: str, offset: int = 0) -> Iterator[bytes]:
        """The bytes from the offset in pieces of about 1 MiB.

        Raises NotFoundError at once when there is no such blob.
        """
        import obstore

        check_name(name)
        if offset and offset >= self.size(name):
            return iter(())
        with _explained(name):
            found = obstore.get(self._store, name, options={"range": {"offset": offset}} if offset else None)
        return self._stream(name, found.stream(min_chunk_size=PIECE_BYTES))

    def read(self, name: str) -> bytes:
        """All bytes of a small blob. Raises NotFoundError when there is no such blob."""
        import obstore

        check_name(name)
        with _explained(name):
            return bytes(obstore.get(self._store, name).bytes())

    def delete(self, name: str) -> None:
        """There is no blob of that name afterwards."""
        import obstore

        check_name(name)
        try:
            with _explained(name):
                obstore.delete(self._store, name)
        except NotFoundError:
            return

    def exists(self, name: str) -> bool:
        """True when there is a blob of that name."""
        try:
            self.size(name)
        except NotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        """How many bytes it has. Raises NotFoundError when there is no such blob."""
        import obstore

        check_name(name)
        with _explained(name):
            return obstore.head(self._store, name)["size"]

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Name and size of every blob below the folder `prefix`, "" for all, in no certain order."""
        import obstore

        if prefix:
            check_name(prefix)
        with _explained(prefix):
            for batch in obstore.list(self._store, prefix or None):
                for meta in batch:
                    yield meta["path"], meta["size"]

    def drop_empty(self, folder: str) -> None:
        """Nothing is left of a folder of the blob store that has no blobs; object stores know no folders.

        Only for a folder that nobody puts blobs into any more.
        """
        check_name(folder)
        if self._folder is not None:
            for path, _, _ in os.walk(self._folder / folder, topdown=False):
                with suppress(OSError):  # it holds something
                    Path(path).rmdir()

    def sweep_leftovers(self, older_than: float) -> None:
        """Remove what killed writers left in a folder before the instant (seconds since the epoch).

        Such files are never under a blob's name; an object store sweeps its own.
        """
        for path in self._folder.rglob("*#*") if self._folder is not None else ():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than:
                    path.unlink()

    def _stream(self, name: str, pieces: Iterable[object]) -> Iterator[bytes]:
        with _explained(name):
            for piece in pieces:
                yield bytes(piece)  # type: ignore[call-overload]  # obstore's Bytes has the buffer protocol


class _Counted:
    """Chunks on their way through, counted."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.size = 0
        self.ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self.ended = True
            raise
        self.size += len(chunk)
        return chunk

    def take(self, size: int) -> bytes:
        """The first chunks, joined, until they are more than `size` bytes or there are no more."""
        taken = []
        for chunk in self:
            taken.append(chunk)
            if self.size > size:
                break
        return b"".join(taken)


def check_name(name: str) -> None:
    """Raise InvalidError unless the name is made of segments `[A-Za-z0-9_=+@.-]`, apart by `/`.

    So no name is absolute, climbs, hides a control character or means another file on some store.
    """
    segments = name.split("/")
    if len(name) > _MOST_NAME_BYTES or not all(_SEGMENT.fullmatch(segment) for segment in segments):
        raise InvalidError(f"not a name for a blob: {name[:80]!r}")


@contextmanager
def _explained(subject: str) -> Iterator[None]:
    """Inside, what the blob store complains about is raised as an error of the core."""
    from obstore import exceptions

    try:
        yield
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise NotFoundError(f"there is no blob {subject!r}") from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise UnavailableError(
            f"the blob store refuses the access to {subject!r}: check its credentials"
        ) from error
    except exceptions.BaseError as error:
        full = "os error 28" in str(error) or "os error 122" in str(error)
        reason = "it is full" if full else _first_line(error)
        raise UnavailableError(f"the blob store cannot do {subject!r}: {reason}") from error


def _settle_file(folder: Path, name: str) -> None:
    """The file and its entry in its folder survive a power cut afterwards, which obstore does not see to."""
    path = folder / name
    for target, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY | os.O_DIRECTORY)):
        try:
            handle = os.open(target, flags | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise UnavailableError(f"the blob store cannot keep {name!r}: {error.strerror}") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UnavailableError(f"the folder {folder} for blobs cannot be made: {error.strerror}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
