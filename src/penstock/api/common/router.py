"""Finds the route of a method and a path: a tree of segments, looked up in time of the path's length."""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar
from urllib.parse import unquote

import msgspec

from penstock.api.common.faults import UnknownPathError, WrongMethodError

T = TypeVar("T")

_REST = 0


class Match(msgspec.Struct, Generic[T], frozen=True):
    """What was found, and the parameters of the path, decoded."""

    target: T
    params: dict[str, str]


class _Node(Generic[T]):
    """What may follow after some segments."""

    def __init__(self) -> None:
        self.fixed: dict[str, _Node[T]] = {}
        self.open: dict[int, _Node[T]] = {}  # by how many segments a parameter takes
        self.targets: dict[str, tuple[T, tuple[str, ...]]] = {}  # by method, with names of the parameters


class Router(Generic[T]):
    """The table of routes as a tree. Fixed segments win over parameters, short ones over long ones."""

    def __init__(self, routes: Iterable[tuple[str, str, T]]) -> None:
        self._root: _Node[T] = _Node()
        for method, path, target in routes:
            self._add(method, path, target)

    def find(self, method: str, path: str) -> Match[T]:
        """The target of a method and a path as it was sent, still percent-encoded.

        HEAD finds the target of GET. Raises UnknownPathError or WrongMethodError.
        """
        segments = path.split("/")[1:]
        found = _walk(self._root, segments, 0, ())
        if found is None:
            raise UnknownPathError("there is nothing at this address")
        targets, values = found
        entry = targets.get("GET" if method == "HEAD" else method)
        if entry is None:
            raise WrongMethodError(_list_methods(targets))
        target, names = entry
        return Match(target, dict(zip(names, values, strict=True)))

    def _add(self, method: str, path: str, target: T) -> None:
        node, names = self._root, []
        for segment in path.split("/")[1:]:
            if not segment.startswith("{"):
                node = node.fixed.setdefault(segment, _Node())
                continue
            name, _, width = segment[1:-1].partition(":")
            names.append(name)
            node = node.open.setdefault(_REST if width == "rest" else int(width or 1), _Node())
        if method in node.targets:
            raise ValueError(f"{method} {path} is routed twice")
        node.targets[method] = (target, tuple(names))


def _list_methods(targets: Mapping[str, object]) -> tuple[str, ...]:
    extra = {"OPTIONS"} | ({"HEAD"} if "GET" in targets else set())
    return tuple(sorted(targets.keys() | extra))


_Found = tuple[dict[str, tuple[T, tuple[str, ...]]], tuple[str, ...]]


def _walk(node: _Node[T], segments: list[str], place: int, values: tuple[str, ...]) -> _Found[T] | None:
    """The targets at the end of the path, with the values of the parameters on the way."""
    if place == len(segments):
        return (node.targets, values) if node.targets else None
    segment = segments[place]
    after = node.fixed.get(segment)
    if after is not None:
        found = _walk(after, segments, place + 1, values)
        if found is not None:
            return found
    for width, after in node.open.items():
        for value, used in _take(segments, place, width):
            found = _walk(after, segments, place + used, (*values, value))
            if found is not None:
                return found
    return None


def _take(segments: list[str], place: int, width: int) -> list[tuple[str, int]]:
    """The values a parameter could have here, each with how many segments it takes."""
    first = segments[place]
    if "%" in first:
        first = unquote(first)
    if width == 1:
        return [(first, 1)] if first else []
    if width == _REST:
        rest = [unquote(segment) for segment in segments[place:]]
        climbs = any(part in {"", ".", ".."} for piece in rest for part in piece.split("/"))
        return [] if climbs else [("/".join(rest), len(rest))]
    whole = [(first, 1)] if first.count("/") >= width - 1 else []
    parts = [unquote(segment) if "%" in segment else segment for segment in segments[place : place + width]]
    apart = len(parts) == width and all(parts) and not any("/" in part for part in parts)
    return whole + ([("/".join(parts), width)] if apart else [])
