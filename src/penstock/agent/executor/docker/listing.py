"""What `list.sh` says of a folder, and which of it a pattern means."""

import os
from collections.abc import Iterable

import msgspec

from penstock.agent.executor.files import compile_name


class Listed(msgspec.Struct, frozen=True):
    """An entry by its path below the folder that was listed."""

    name: str
    kind: str

    @property
    def is_file(self) -> bool:
        """True for a plain file, links followed."""
        return self.kind in "fF"


def read_listing(data: bytes, folder: str) -> list[Listed]:
    """The entries of a listing, as they came."""
    prefix = folder.rstrip("/") + "/"
    records = [os.fsdecode(record) for record in data.split(b"\0") if record]
    return [Listed(name=record[2:].removeprefix(prefix), kind=record[0]) for record in records]


def match_names(listing: Iterable[Listed], pattern: str) -> list[str]:
    """Names that match a Go-like pattern: `*`, `?`, `[…]` within a name, `**` across."""
    parts = tuple(pattern.split("/"))
    return [listed.name for listed in listing if _matches(tuple(listed.name.split("/")), parts)]


def _matches(names: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    if not parts:
        return not names
    if parts[0] == "**":
        if len(parts) == 1:
            return bool(names)
        return any(_matches(names[start:], parts[1:]) for start in range(len(names)))
    return bool(names) and bool(compile_name(parts[0]).fullmatch(names[0])) and _matches(names[1:], parts[1:])
