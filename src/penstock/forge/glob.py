"""Patterns of paths in a repository: `*` and `?` stay inside a folder, `**` is any number of folders.

The time it takes grows with the pattern times the path, whatever the pattern.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable
from functools import lru_cache

Segment = Callable[[str], object]


def match_paths(pattern: str, paths: Iterable[str]) -> list[str]:
    """The paths that match, in their order."""
    segments = _compile(pattern)
    return [path for path in paths if _matches(segments, path.split("/"))]


def fixed_folder(pattern: str) -> str:
    """The folder every match is below; "" when it may be any."""
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0].rpartition("/")[0]


@lru_cache(64)
def _compile(pattern: str) -> tuple[Segment | None, ...]:
    """A test for each segment, None for `**`."""
    return tuple(
        None if segment == "**" else re.compile(fnmatch.translate(segment)).match
        for segment in pattern.split("/")
    )


def _matches(segments: tuple[Segment | None, ...], names: list[str]) -> bool:
    """Walk all ways through the pattern at once; `ways` are how many segments each has used up."""
    ways = _skip(segments, {0})
    for name in names:
        used = {way for way in ways if way < len(segments) and segments[way] is None}
        for way in ways:
            test = segments[way] if way < len(segments) else None
            if test is not None and test(name):
                used.add(way + 1)
        ways = _skip(segments, used)
    return len(segments) in ways


def _skip(segments: tuple[Segment | None, ...], ways: set[int]) -> set[int]:
    """The ways, and those that go on behind a `**` that stands for nothing."""
    for start in sorted(ways):
        way = start
        while way < len(segments) and segments[way] is None:
            way += 1
            ways.add(way)
    return ways
