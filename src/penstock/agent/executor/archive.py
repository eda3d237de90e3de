"""Tar streams of files on this machine, made and laid out piece by piece in bounded memory."""

import io
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from penstock.agent.executor.base import Member
from penstock.model.errors import RefusedError

_PIECE = 1 << 20
_BUFFER = 64 << 10  # tarfile copies what is left of its buffer at each read: larger ones are slower


def pack(members: Sequence[Member]) -> Iterator[bytes]:
    """A tar stream of the members and all below them: permissions, times, links as links.

    Sockets are left out, as are files that vanish meanwhile. Raises RefusedError when a file cannot be
    read.
    """
    # Only used to describe files and to recognise hard links; the stream is written here, piece by piece.
    with tarfile.open(fileobj=io.BytesIO(), mode="w") as describer:
        for member in members:
            for name, path in _find_all(member):
                yield from _pack_one(describer, name, path)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _find_all(member: Member) -> Iterator[tuple[str, str]]:
    """Names and paths of a member and what is below it, folders before their contents."""
    yield member.name, member.path
    if not os.path.isdir(member.path) or os.path.islink(member.path):  # noqa: PTH112, PTH114 - hot
        return
    with os.scandir(member.path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            yield from _find_all(Member(name=f"{member.name}/{entry.name}", path=entry.path))


def _pack_one(describer: tarfile.TarFile, name: str, path: str) -> Iterator[bytes]:
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            return
        info = describer.gettarinfo(path, arcname=name)
        info.mtime = int(info.mtime)  # fractions would cost an extra header for each file
        if not info.isreg():
            yield info.tobuf(tarfile.PAX_FORMAT)
            return
        with Path(path).open("rb") as file:
            yield info.tobuf(tarfile.PAX_FORMAT)
            yield from _read_exactly(file, info.size)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RefusedError(f"cannot read {path}: {error.strerror}") from error


def _read_exactly(file: io.BufferedReader, size: int) -> Iterator[bytes]:
    """So many bytes and padding to a block; a file that shrinks meanwhile is filled up with zeros."""
    left = size
    while left > 0:
        piece = file.read(min(_PIECE, left)) or bytes(min(_PIECE, left))
        left -= len(piece)
        yield piece
    if padding := -size % tarfile.BLOCKSIZE:
        yield bytes(padding)


def unpack(
    chunks: Iterable[bytes], roots: Mapping[str, str], accept: Callable[[str], None] | None = None
) -> int:
    """Lay a tar stream into folders; returns the number of entries. See `Place.unpack` for the rules."""
    count = 0
    folders: list[tuple[str, tarfile.TarInfo]] = []
    try:
        with tarfile.open(fileobj=ChunkSource(chunks), mode="r|", bufsize=_BUFFER) as archive:
            for info in archive:
                target = _locate(info.name, roots)
                if accept is not None and not info.isdir():
                    accept(info.name)
                _lay(archive, info, target, roots)
                if info.isdir():
                    folders.append((target, info))
                count += 1
    except tarfile.TarError as error:
        raise RefusedError(f"the archive is damaged: {error}") from error
    for target, info in reversed(folders):  # last, because writing into a folder changes its time
        _stamp(target, info)
    return count


class ChunkSource(io.RawIOBase):
    """Chunks as a file that can only be read on."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self._chunks = filter(None, chunks)
        self._rest = b""

    def readable(self) -> bool:
        """True: it can be read, once."""
        return True

    def read(self, size: int = -1) -> bytes:
        """So many bytes, less only at the end of the stream."""
        wanted = max(size, 0)
        parts = [self._rest]
        have = len(self._rest)
        while have < wanted and (chunk := next(self._chunks, b"")):
            parts.append(chunk)
            have += len(chunk)
        whole = b"".join(parts)
        self._rest = whole[wanted:]
        return whole[:wanted]


def _locate(name: str, roots: Mapping[str, str]) -> str:
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/"):
        raise RefusedError(f"the archive has an entry that leads outside: {name}")
    if "" in roots:
        return os.path.join(roots[""], *parts)  # noqa: PTH118 - hot
    if not parts or parts[0] not in roots:
        raise RefusedError(f"the archive has an entry of no known place: {name}")
    return os.path.join(roots[parts[0]], *parts[1:])  # noqa: PTH118 - hot


def _lay(archive: tarfile.TarFile, info: tarfile.TarInfo, target: str, roots: Mapping[str, str]) -> None:
    try:
        if info.isdir():
            Path(target).mkdir(parents=True, exist_ok=True)
            return
        _make_way(target)
        if info.issym():
            Path(target).symlink_to(info.linkname)
        elif info.islnk():
            Path(target).hardlink_to(_locate(info.linkname, roots))
        elif info.isreg():
            source = archive.extractfile(info)
            with Path(target).open("wb") as file:
                if source is not None:
                    shutil.copyfileobj(source, file, _PIECE)
            _stamp(target, info)
    except OSError as error:
        raise RefusedError(f"cannot write {target}: {error.strerror}") from error


def _make_way(target: str) -> None:
    """The folder above exists and the name is free."""
    above = os.path.dirname(target)  # noqa: PTH120 - hot
    if not os.path.isdir(above):  # noqa: PTH112 - hot
        Path(above).mkdir(parents=True, exist_ok=True)
    if os.path.lexists(target):
        path = Path(target)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(target)
        else:
            path.unlink()


def _stamp(target: str, info: tarfile.TarInfo) -> None:
    with suppress(OSError):  # a folder that is not ours keeps its own
        Path(target).chmod(info.mode)
        os.utime(target, (info.mtime, info.mtime))
