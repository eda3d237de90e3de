"""Lists of names and `/regular expressions/` that a branch or tag is held against."""

from collections.abc import Iterable

from penstock.language.common.pattern import matches_whole


def matches_any(name: str, entries: Iterable[str]) -> bool:
    """True when an entry is the name itself, or is written `/pattern/` and matches all of it.

    Raises PatternError for an entry whose pattern is invalid.
    """
    return any(_matches_entry(name, entry) for entry in entries)


def _matches_entry(name: str, entry: str) -> bool:
    pattern = unwrap_pattern(entry)
    return name == entry if pattern is None else matches_whole(pattern, name)


def unwrap_pattern(entry: str) -> str | None:
    """The pattern between the slashes, or None for a plain name."""
    if len(entry) > 1 and entry.startswith("/") and entry.endswith("/"):
        return entry[1:-1]
    return None
