"""Plain data that remembers where it was written: maps and lists that carry their YAML node."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from penstock.kit.marks import Mark


class Source:
    """One text a config is made of: its file name, and its lines when somebody asks."""

    __slots__ = ("_lines", "_paths", "file", "root", "text", "words")

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.root: Node | None = None
        self.words: list[str] = []  # every scalar as written, in order
        self._lines: list[str] | None = None
        self._paths: dict[int, tuple[str | int, ...]] | None = None

    def line(self, number: int) -> str:
        """The text of a line, counted from 1; empty when there is no such line."""
        if self._lines is None:
            self._lines = self.text.splitlines()
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def path(self, node: Node) -> tuple[str | int, ...]:
        """The keys and indices that lead from the top to the first appearance of a node."""
        if self._paths is None:
            self._paths = dict(_walk_paths(self.root))
        return self._paths.get(id(node), ())


class Map(dict[str, object]):
    """A mapping of the source, or a copy of one with some values filled in.

    Keys are the text as written. `templated` is true when a value somewhere below may hold `<<`.
    """

    __slots__ = ("node", "source", "templated")

    def __init__(self, pairs: Iterable[tuple[str, object]], origin: "Map | Items | None" = None) -> None:
        super().__init__(pairs)
        self.node: Node | None = origin.node if origin is not None else None
        self.source: Source | None = origin.source if origin is not None else None
        self.templated = False


class Items(list[object]):
    """A sequence of the source, or a copy of one; the list counterpart of `Map`."""

    __slots__ = ("node", "source", "templated")

    def __init__(self, items: Iterable[object], origin: "Map | Items | None" = None) -> None:
        super().__init__(items)
        self.node: Node | None = origin.node if origin is not None else None
        self.source: Source | None = origin.source if origin is not None else None
        self.templated = False


class Unresolved(str):
    """A text whose references could not be filled in; that has been reported, so nobody judges its type."""

    __slots__ = ()


class Place(NamedTuple):
    """A container, or the value (`on_key`: the key) that stands at `key` in it.

    Cheap to make; the mark is looked up only when a diagnostic needs it.
    """

    container: Map | Items
    key: str | int | None = None
    on_key: bool = False

    def find_mark(self) -> Mark:
        """File, line and column; the container's own when the key is not written in it."""
        node, source = self.find_node(), self.container.source
        if node is None or source is None:
            return Mark(source.file if source is not None else "")
        return Mark(source.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def find_text(self, text: str) -> Mark:
        """Where a piece of the value stands: in a block of many lines its own line, else the value's."""
        mark, node, source = self.find_mark(), self.find_node(), self.container.source
        if not isinstance(node, ScalarNode) or source is None:
            return mark
        for number in range(mark.line, node.end_mark.line + 2):
            column = source.line(number).find(text, mark.column - 1 if number == mark.line else 0)
            if column >= 0:
                return Mark(source.file, number, column + 1)
        return mark

    def find_line(self, number: int) -> str:
        """A line of the source the place is in."""
        return self.container.source.line(number) if self.container.source is not None else ""

    def find_node(self) -> Node | None:
        """The YAML node, also when the key came in by a merge; None for data without a source."""
        node = self.container.node
        if self.key is None or node is None:
            return node
        if isinstance(node, MappingNode):
            pair = _find_pair(node, str(self.key))
            return pair[0 if self.on_key else 1] if pair else node
        if isinstance(node, SequenceNode) and isinstance(self.key, int) and self.key < len(node.value):
            child: Node = node.value[self.key]
            return child
        return node

    def find_pointer(self) -> str:
        """The JSON pointer of the container, as the vendor's schema reports print it: `#/jobs/build`."""
        source, node = self.container.source, self.find_node()
        if source is None or node is None:
            return "#"
        path = source.path(node) or (
            source.path(self.container.node) if self.container.node is not None else ()
        )
        return "/".join(("#", *(str(part) for part in path)))


def _find_pair(node: MappingNode, key: str) -> tuple[Node, Node] | None:
    """The pair of a mapping that gives a key its value: its own, else the last one merged in."""
    merged = []
    for key_node, value_node in node.value:
        if isinstance(key_node, ScalarNode):
            if key_node.value == key:
                return key_node, value_node
            if key_node.value == "<<":
                merged.append(value_node)
    for value_node in reversed(merged):
        candidates = value_node.value if isinstance(value_node, SequenceNode) else [value_node]
        for candidate in candidates:
            if isinstance(candidate, MappingNode) and (pair := _find_pair(candidate, key)):
                return pair
    return None


def _walk_paths(root: Node | None) -> Iterator[tuple[int, tuple[str | int, ...]]]:
    """Every node once, with its first path."""
    pending: list[tuple[Node | None, tuple[str | int, ...]]] = [(root, ())]
    seen: set[int] = set()
    while pending:
        node, path = pending.pop(0)
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        yield id(node), path
        if isinstance(node, MappingNode):
            pending.extend(
                (value, (*path, key.value if isinstance(key, ScalarNode) else "?"))
                for key, value in node.value
            )
        elif isinstance(node, SequenceNode):
            pending.extend((child, (*path, index)) for index, child in enumerate(node.value))
