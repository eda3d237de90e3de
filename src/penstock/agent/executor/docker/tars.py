"""Tar streams on their way between the server's archives and a container's files."""

import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from tarfile import TarFile, TarInfo
from typing import IO

from penstock.agent.executor.archive import ChunkSource
from penstock.model.errors import RefusedError

_PIECE = 1 << 20
_BUFFER = 64 << 10
Owner = tuple[int, int]


def rename_members(chunks: Iterable[bytes], old: str, new: str) -> Iterator[bytes]:
    """A container's archive with its top name replaced, without the two blocks at the end."""
    with _open(chunks) as archive:
        for info in archive:
            info.name = _replace_top(info.name, old, new)
            if info.islnk():
                info.linkname = _replace_top(info.linkname, old, new)
            if info.isfifo() or _is_plain(info):
                yield from _emit(archive, info)


def end_stream() -> bytes:
    """What closes a tar stream."""
    return bytes(2 * tarfile.BLOCKSIZE)


def read_single(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of the one file in an archive."""
    with _open(chunks) as archive:
        info = archive.next()
        source = archive.extractfile(info) if info is not None else None
        while source is not None and (piece := source.read(_PIECE)):
            yield piece


class Layout:
    """An archive of the server's as streams a container takes: absolute names, owned by the job's user.

    `exists` says whether a folder is there; those above an entry that are not are made for the same owner.
    It is asked between streams only, because an engine that takes one answers nothing else about the
    container. So: `while layout.advance(): put(layout.stream())`.
    """

    def __init__(self, roots: Mapping[str, str], owner: Owner, exists: Callable[[str], bool]) -> None:
        self._roots = roots
        self._owner = owner
        self._exists = exists
        self._known = {"/"}
        self._way: list[str] = []  # folders that are missing above the next entry
        self._archive: TarFile | None = None
        self._accept: Callable[[str], None] | None = None
        self._next: TarInfo | None = None
        self.count = 0

    def open(self, chunks: Iterable[bytes], accept: Callable[[str], None] | None) -> None:
        """Begin with an archive; `accept` sees the name of every entry that is no folder."""
        self._archive = _open(chunks)
        self._accept = accept
        self._step()

    def advance(self) -> bool:
        """Find out what the next stream needs; false when everything has been streamed."""
        if self._next is None:
            return False
        self._way = self.find_way(str(PurePosixPath(self._next.name).parent))
        return True

    def stream(self) -> Iterator[bytes]:
        """As many entries as can be streamed without another question."""
        yield from self.make_folders(self._way)
        while (info := self._next) is not None and str(PurePosixPath(info.name).parent) in self._known:
            if info.isdir():
                self._known.add(info.name)
            yield from self._own(self._archive, info)
            self.count += 1
            self._step()
        yield end_stream()

    def find_way(self, folder: str) -> list[str]:
        """The folder and those above it, as far as they are missing, from the top."""
        missing: list[str] = []
        while folder not in self._known:
            self._known.add(folder)
            if self._exists(folder):
                break
            missing.insert(0, folder)
            folder = str(PurePosixPath(folder).parent)
        return missing

    def make_folders(self, folders: Iterable[str]) -> Iterator[bytes]:
        """A piece of a stream that makes the folders."""
        for folder in folders:
            info = TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            yield from self._own(None, info)

    def _step(self) -> None:
        """Look at the next entry and find its place."""
        info = _read_next(self._archive) if self._archive is not None else None
        if info is not None:
            if not info.isdir() and self._accept is not None:
                self._accept(info.name)
            info.name = locate_entry(info.name, self._roots)
            if info.islnk():
                info.linkname = locate_entry(info.linkname, self._roots).lstrip("/")
        self._next = info

    def _own(self, archive: TarFile | None, info: TarInfo) -> Iterator[bytes]:
        info.uid, info.gid = self._owner
        info.uname = info.gname = ""
        yield from _emit(archive, info)


def locate_entry(name: str, roots: Mapping[str, str]) -> str:
    """Where an entry belongs. Raises RefusedError for a name that leads elsewhere."""
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/"):
        raise RefusedError(f"the archive has an entry that leads outside: {name}")
    if "" in roots:
        return str(PurePosixPath(roots[""], *parts))
    if not parts or parts[0] not in roots:
        raise RefusedError(f"the archive has an entry of no known place: {name}")
    return str(PurePosixPath(roots[parts[0]], *parts[1:]))


def _read_next(archive: TarFile) -> TarInfo | None:
    """The next entry that is a file, a folder or a link: nothing else is ever packed."""
    try:
        while (info := archive.next()) is not None and not _is_plain(info):
            pass
    except tarfile.TarError as error:
        raise RefusedError(f"the archive is damaged: {error}") from error
    return info


def _read_piece(source: IO[bytes]) -> bytes:
    try:
        return source.read(_PIECE)
    except tarfile.TarError as error:
        raise RefusedError(f"the archive is damaged: {error}") from error


def _is_plain(info: TarInfo) -> bool:
    return info.isreg() or info.isdir() or info.issym() or info.islnk()


def _open(chunks: Iterable[bytes]) -> TarFile:
    try:
        return tarfile.open(fileobj=ChunkSource(chunks), mode="r|", bufsize=_BUFFER)
    except tarfile.TarError as error:
        raise RefusedError(f"the archive is damaged: {error}") from error


def _replace_top(name: str, old: str, new: str) -> str:
    rest = name.strip("/").removeprefix(old.strip("/"))
    return new + rest


def _emit(archive: TarFile | None, info: TarInfo) -> Iterator[bytes]:
    info.pax_headers = {}
    info.name = info.name.lstrip("/")
    info.mtime = int(info.mtime)
    yield info.tobuf(tarfile.PAX_FORMAT)
    source = archive.extractfile(info) if archive is not None and info.isreg() else None
    while source is not None and (piece := _read_piece(source)):
        yield piece
    if padding := -info.size % tarfile.BLOCKSIZE if info.isreg() else 0:
        yield bytes(padding)
