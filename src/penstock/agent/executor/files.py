"""Files of a place on this machine: paths, walking, matching."""

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from penstock.agent.executor.base import Entry, Kind
from penstock.model.errors import RefusedError

_PIECE = 1 << 20


def resolve_path(path: str, base: str, home: str) -> str:
    """The absolute path without `.` and `..`; a leading `~` is home, a relative path begins at base."""
    if path == "~" or path.startswith("~/"):
        path = home.rstrip("/") + path[1:] or "/"
    return os.path.normpath(os.path.join(base, path))  # noqa: PTH118 - pathlib keeps `..`


def find_kind(path: str) -> Kind | None:
    """What is at the path, links followed; None when nothing is or nobody may look."""
    try:
        target = Path(path)
        if target.is_file():
            return Kind.FILE
        if target.is_dir():
            return Kind.FOLDER
        return Kind.OTHER if target.exists() else None
    except OSError:
        return None


def make_folder(path: str) -> None:
    """The folder and those above it exist. Raises RefusedError when it cannot be made."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedError(f"cannot make the folder {path}: {error.strerror}") from error


def read_file(path: str) -> Iterator[bytes]:
    """The content in pieces of a mebibyte. Raises RefusedError when it cannot be read."""
    try:
        with Path(path).open("rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise RefusedError(f"cannot read {path}: {error.strerror}") from error


def walk_files(path: str) -> Iterator[Entry]:
    """Every regular file below the folder, sorted by name; a folder inside itself is not entered again."""
    yield from _walk(path, "", frozenset())


def _walk(folder: str, prefix: str, above: frozenset[tuple[int, int]]) -> Iterator[Entry]:
    try:
        here = os.stat(folder)  # noqa: PTH116 - one call per folder, no Path
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise RefusedError(f"cannot read {folder}: {error.strerror}") from error
    if (here.st_dev, here.st_ino) in above:
        return
    within = above | {(here.st_dev, here.st_ino)}
    for entry in entries:
        name = prefix + entry.name
        if entry.is_dir():
            yield from _walk(entry.path, name + "/", within)
        elif entry.is_file():
            yield Entry(name=name, path=entry.path, size=entry.stat().st_size)


def match_paths(base: str, pattern: str) -> list[str]:
    """Sorted paths below base that match a Go-like pattern: `*`, `?`, `[…]` within a name, `**` across.

    A pattern without magic matches the path itself when it exists.
    """
    if not _has_magic(pattern):
        return [pattern] if os.path.lexists(os.path.join(base, pattern)) else []  # noqa: PTH118
    parts = pattern.split("/")
    start = len(find_fixed(pattern))
    fixed = "/".join(parts[:start])
    prefix = fixed + "/" if fixed else ""
    top = os.path.join(base, fixed) if fixed else base  # noqa: PTH118
    return sorted(prefix + name for name in _match_below(top, "", tuple(parts[start:])))


def find_fixed(pattern: str) -> list[str]:
    """The folders of a pattern before the first that has magic."""
    parts = pattern.split("/")
    return parts[: next((index for index, part in enumerate(parts) if _has_magic(part)), len(parts))]


def _match_below(folder: str, prefix: str, parts: tuple[str, ...]) -> set[str]:
    head, rest = parts[0], parts[1:]
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return set()
    found: set[str] = set()
    if head == "**":
        found |= _match_below(folder, prefix, rest) if rest else {prefix + entry.name for entry in entries}
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found |= _match_below(entry.path, f"{prefix}{entry.name}/", parts)
        return found
    pattern = compile_name(head)
    for entry in entries:
        if pattern.fullmatch(entry.name):
            if not rest:
                found.add(prefix + entry.name)
            elif entry.is_dir():
                found |= _match_below(entry.path, f"{prefix}{entry.name}/", rest)
    return found


def _has_magic(text: str) -> bool:
    return any(character in text for character in "*?[")


@lru_cache(maxsize=256)
def compile_name(pattern: str) -> re.Pattern[str]:
    """A regular expression for one path segment (Go filepath.Match: `*`, `?`, classes, escapes)."""
    position, out = 0, ""
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "*":
            out += "[^/]*"
        elif character == "?":
            out += "[^/]"
        elif character == "\\" and position < len(pattern):
            out += re.escape(pattern[position])
            position += 1
        elif character == "[" and (end := pattern.find("]", position + 1)) > 0:
            body = pattern[position:end].replace("\\", "\\\\")
            out += f"[{'^' + body[1:] if body[0] in '^!' else body}]"
            position = end + 1
        else:
            out += re.escape(character)
    return re.compile(out, re.DOTALL)
