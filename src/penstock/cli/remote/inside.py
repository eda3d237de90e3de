"""Writes files below a folder and nowhere else, whatever their paths say and whatever links lie there."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from penstock.model.errors import InvalidError, UnavailableError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_PART = ".penstock-part"


class Inside:
    """A folder that files are written below; made when it is missing.

    Raises UnavailableError when something cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise UnavailableError(f"cannot write to {folder}: {error.strerror}") from error

    def __enter__(self) -> Self:
        """Ready to write."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open any more."""
        os.close(self._top)

    def write(self, path: str, pieces: Iterable[bytes]) -> Path:
        """The file of that relative path, which has what the pieces say; it appears when it is whole.

        Raises InvalidError for a path that leads elsewhere, or over a link.
        """
        parts = _split(path)
        target = self._folder.joinpath(*parts)
        try:
            folder = self._enter(parts[:-1])
        except OSError as error:
            raise InvalidError(f"left out: {target} cannot be reached ({error.strerror})") from error
        try:
            _write(folder, parts[-1], pieces)
        except OSError as error:
            raise UnavailableError(f"cannot write {target}: {error.strerror}") from error
        finally:
            os.close(folder)
        return target

    def _enter(self, parts: tuple[str, ...]) -> int:
        """The folder of these names, made as needed; no link is followed."""
        here = os.dup(self._top)
        try:
            for part in parts:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=here)
                there = os.open(part, _FOLDER, dir_fd=here)
                os.close(here)
                here = there
        except BaseException:
            os.close(here)
            raise
        return here


def _split(path: str) -> tuple[str, ...]:
    parts = tuple(path.split("/"))
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise InvalidError(f"left out: the path {path!r} leads elsewhere")
    return parts


def _write(folder: int, name: str, pieces: Iterable[bytes]) -> None:
    """The file, written beside its place first. A link of its name is replaced, not followed."""
    part = f"{name[:100]}{_PART}"
    with suppress(FileNotFoundError):
        os.unlink(part, dir_fd=folder)
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=folder)
    try:
        with os.fdopen(number, "wb") as out:
            for piece in pieces:
                out.write(piece)
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(part, dir_fd=folder)
        raise
