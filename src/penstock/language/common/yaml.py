"""YAML text to plain data with places, in the semantics of YAML 1.1, within bounds."""

import re
from collections.abc import Callable

import yaml
from yaml._yaml import CParser
from yaml.composer import Composer, ComposerError
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from penstock.kit.marks import Mark
from penstock.language.common.diagnostic import Reporter
from penstock.language.common.scalars import TEXT, resolve_plain
from penstock.language.common.tree import Items, Map, Place, Source

LARGEST_SOURCE = 4 * 2**20
"""Bytes of one config; CircleCI accepts about 3 MB."""

DEEPEST_NESTING = 120
"""Levels. The C parser recurses and would overflow its stack some tens of thousands deep, and the passes
recurse in Python, whose limit is 1,000 calls."""

MOST_NODES = 400_000
"""Nodes written in one file."""

MOST_WEIGHT = 1_000_000
"""Nodes after aliases are followed; long texts weigh one more per 100 characters."""

_ALIAS = re.compile(r"[\s\[,{]\*[A-Za-z0-9_-]")
"""What an alias looks like; a scalar that is shared leaves no other trace."""

_STR = "tag:yaml.org,2002:str"
_PREFIX = "tag:yaml.org,2002:"
_EXPLICIT: dict[str, Callable[[str], object]] = {
    "int": resolve_plain,
    "float": resolve_plain,
    "bool": resolve_plain,
    "null": resolve_plain,
}


_SPLIT = "split the config, or move long commands into scripts"


class _TooMuchError(yaml.YAMLError):
    """A bound was passed while nodes were composed, in the container `where` when that is known."""

    def __init__(self, text: str, where: Node | None = None) -> None:
        super().__init__(text)
        self.where = where


class _Composer(CParser):
    """libyaml's parser and composer; the tag of a plain scalar is its value, which saves a second look."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self.depth = 0
        self.nodes = 0
        self.words: list[str] = []

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> object:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise _TooMuchError(f"more than {MOST_NODES} values")
        if kind is ScalarNode:
            self.words.append(value)
            if implicit[0]:
                return resolve_plain(value)
        return TEXT

    def descend_resolver(self, parent: Node | None, _index: object) -> None:
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            raise _TooMuchError(f"nested more than {DEEPEST_NESTING} levels deep", parent)

    def ascend_resolver(self) -> None:
        self.depth -= 1


class _Recomposer(Composer, _Composer):
    """The same in Python, which is slower, for texts that use the name of an anchor again.

    The vendor's parser lets the last anchor before an alias count; libyaml's composer refuses.
    """

    def __init__(self, stream: bytes) -> None:
        _Composer.__init__(self, stream)
        Composer.__init__(self)

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """As the base does it, with an anchor of the same name forgotten."""
        event = self.peek_event()
        if not isinstance(event, AliasEvent):
            self.anchors.pop(getattr(event, "anchor", None), None)
        node: Node | None = super().compose_node(parent, index)
        return node


def load_yaml(text: str | bytes, file: str, report: Reporter) -> Map | Items | str | None:
    """The document as plain data: maps (`Map`), lists (`Items`) and scalars.

    None after a finding or for an empty document. Duplicate keys are errors, aliases share their value.
    """
    failed, report.failed = report.failed, False
    value = _load_document(text, file, report)
    failed, report.failed = report.failed, report.failed or failed
    return None if failed else value


def _load_document(text: str | bytes, file: str, report: Reporter) -> Map | Items | str | None:
    decoded = _decode_source(text, file, report)
    if decoded is None:
        return None
    source = Source(file, decoded)
    root = _compose_nodes(source, report)
    if root is None:
        return None
    source.root = root
    builder = _Builder(source, report)
    value = builder.build(root)
    if not builder.failed and (builder.aliased or _ALIAS.search(decoded)):
        _weigh_document(value, source, report)
    return value if isinstance(value, Map | Items) else str(value)


def _decode_source(text: str | bytes, file: str, report: Reporter) -> str | None:
    """The text without byte order mark, or None after a finding."""
    if len(text) > LARGEST_SOURCE:
        message = f"The config is larger than {LARGEST_SOURCE // 2**20} MiB."
        hint = "move long scripts into files of the repository, or split the config"
        report.error("source-too-large", message, Mark(file, 1, 1), hint=hint)
        return None
    try:
        decoded = text.decode() if isinstance(text, bytes) else text.encode().decode()
    except UnicodeError as error:
        offset = error.start if isinstance(error, UnicodeDecodeError | UnicodeEncodeError) else 0
        line = text[:offset].count(b"\n" if isinstance(text, bytes) else "\n") + 1  # type: ignore[arg-type]  # same kind on both sides
        report.error("not-utf8", "The config is not UTF-8 text.", Mark(file, line), hint="save it as UTF-8")
        return None
    return decoded.removeprefix("\ufeff")


def _compose_nodes(source: Source, report: Reporter) -> Node | None:
    """The node tree, or None for an empty document or after a finding."""
    composer = _Composer(source.text.encode())
    try:
        try:
            node: Node | None = composer.get_single_node()
        except ComposerError as error:
            if error.problem != "second occurrence":
                raise
            composer = _Recomposer(source.text.encode())
            node = composer.get_single_node()
    except _TooMuchError as error:
        start = error.where.start_mark if error.where is not None else None
        mark = Mark(source.file, start.line + 1, start.column + 1) if start else Mark(source.file, 1, 1)
        report.error("yaml-too-complex", f"Unable to parse YAML: {error}.", mark, hint=_SPLIT)
        return None
    except yaml.reader.ReaderError as error:
        mark = _locate_offset(source, error.position)
        message = f"Unable to parse YAML: {error.reason}"
        hint = "remove the control character from this line"
        report.error("yaml-syntax", message, mark, source=source.line(mark.line), hint=hint)
        return None
    except yaml.MarkedYAMLError as error:
        _report_syntax(error, source, report)
        return None
    finally:
        composer.dispose()
    source.words = composer.words
    return node


def _locate_offset(source: Source, offset: int) -> Mark:
    """The mark of a byte offset."""
    before = source.text.encode()[:offset]
    return Mark(source.file, before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))


def _report_syntax(error: yaml.MarkedYAMLError, source: Source, report: Reporter) -> None:
    """A syntax error in the parser's words, at its place, with the usual cause as a hint."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    problem = (error.problem or "syntax error").replace(" in this context", " here")  # as snakeyaml says
    text = source.line(line)
    where = Mark(source.file, line, mark.column + 1 if mark else 0)
    code = "undefined-alias" if "undefined alias" in problem else "yaml-syntax"
    report.error(code, f"Unable to parse YAML: {problem}", where, source=text, hint=_explain(problem, text))


def _explain(problem: str, line: str) -> str:
    """The usual cause of a syntax error."""
    if "\t" in line[: len(line) - len(line.lstrip())] or "cannot start any token" in problem:
        return "indent with blanks, not tabs; quote values that start with %, @ or `"
    if "mapping values are not allowed" in problem:
        return "quote the value if it contains ': ', and check the indentation of this line"
    if "undefined alias" in problem:
        return "define the anchor (&name) above this line; quote the value if it should start with *"
    if "expected a single document" in problem:
        return "a config is one document: remove the second '---'"
    return "check indentation and quotes here and on the line above"


class _Builder:
    """Turns nodes into values, each container once, however many aliases lead to it."""

    def __init__(self, source: Source, report: Reporter) -> None:
        self.source = source
        self.report = report
        self.aliased = False
        self.failed = False
        self._built: dict[int, Map | Items] = {}

    def build(self, node: Node) -> object:
        """The value of a node."""
        if node.__class__ is ScalarNode:
            tag = node.tag
            if tag is TEXT:
                return node.value
            return self._build_tagged(node) if tag.__class__ is str else tag
        known = self._built.get(id(node))
        if known is not None:
            self.aliased = True
            return known
        if node.__class__ is MappingNode:
            return self._build_map(node)
        return self._build_items(node) if isinstance(node, SequenceNode) else None

    def _build_items(self, node: SequenceNode) -> Items:
        items = Items(())
        items.node, items.source = node, self.source
        self._built[id(node)] = items
        for child in node.value:
            value = self.build(child)
            items.append(value)
            if not items.templated and _is_templated(value):
                items.templated = True
        return items

    def _build_map(self, node: MappingNode) -> Map:
        made = Map(())
        made.node, made.source = node, self.source
        self._built[id(node)] = made
        pairs = node.value
        if any(_is_merge(key) for key, _ in pairs):
            pairs = self._merge_pairs(pairs, made)
        merged = len(made)
        own = 0
        for key_node, value_node in pairs:
            key = self._build_key(key_node)
            value = self.build(value_node)
            own += key not in made or merged > 0
            made[key] = value
            if not made.templated and (_is_templated(value) or "<<" in key):
                made.templated = True
        if own != len(pairs) or merged:
            self._find_duplicates(pairs)
        return made

    def _build_key(self, node: Node) -> str:
        if isinstance(node, ScalarNode):
            return str(node.value)
        self._refuse("yaml-key", "Unable to parse YAML: found a key that is not a simple value", node)
        return ""

    def _merge_pairs(self, pairs: list[tuple[Node, Node]], into: Map) -> list[tuple[Node, Node]]:
        """Lays what `<<` names into the map, and returns the pairs that remain."""
        rest = []
        for key_node, value_node in pairs:
            if not _is_merge(key_node):
                rest.append((key_node, value_node))
                continue
            value = self.build(value_node)
            for part in reversed(value) if isinstance(value, Items) else (value,):
                if isinstance(part, Map):
                    into.update(part)
                    into.templated = into.templated or part.templated
                else:
                    message = "Unable to parse YAML: expected a mapping or list of mappings for merging"
                    self._refuse("yaml-merge", message, value_node)
        return rest

    def _find_duplicates(self, pairs: list[tuple[Node, Node]]) -> None:
        """Reports each key that stands twice, at its second place."""
        first: dict[str, Node] = {}
        for key_node, _ in pairs:
            key = str(key_node.value)
            if key in first:
                line = first[key].start_mark.line + 1
                message = f"Unable to parse YAML: found duplicate key {key} (first on line {line})"
                self._refuse("duplicate-key", message, key_node)
            first.setdefault(key, key_node)

    def _build_tagged(self, node: ScalarNode) -> object:
        """The value of a scalar with an explicit tag such as `!!str`."""
        if node.tag in {_STR, "!"}:
            return node.value
        convert = _EXPLICIT.get(node.tag.removeprefix(_PREFIX))
        value = convert(node.value) if convert else TEXT
        if convert is None:
            message = f"Unable to parse YAML: could not determine a constructor for the tag {node.tag}"
            self._refuse("yaml-tag", message, node)
        return node.value if value is TEXT else value

    def _refuse(self, code: str, message: str, node: Node) -> None:
        self.failed = True
        mark = Mark(self.source.file, node.start_mark.line + 1, node.start_mark.column + 1)
        hint = _WAYS_OUT.get(code, "")
        self.report.error(code, message, mark, source=self.source.line(mark.line), hint=hint)


_WAYS_OUT = {
    "yaml-key": "quote text that starts with { or [",
    "yaml-tag": "quote the value if it should start with !",
    "duplicate-key": "remove one of the two, or put what they hold under one",
}


def _is_merge(key: Node) -> bool:
    """True for an unquoted `<<`."""
    return key.value == "<<" and isinstance(key, ScalarNode) and key.tag is TEXT and key.style != '"'


def _is_templated(value: object) -> bool:
    if isinstance(value, str):
        return "<<" in value
    return isinstance(value, Map | Items) and value.templated


def _weigh_document(value: object, source: Source, report: Reporter) -> None:
    """Refuses aliases that contain themselves and aliases that multiply beyond `MOST_WEIGHT`."""
    weights: dict[int, int] = {}

    def weigh(part: Map | Items) -> int:
        weights[id(part)] = 0
        total = len(part)
        for child in part.values() if isinstance(part, Map) else part:
            if isinstance(child, str):
                total += len(child) // 100
            elif isinstance(child, Map | Items):
                total += (
                    weights[id(child)] or _report_loop(child, report)
                    if id(child) in weights
                    else weigh(child)
                )
        weights[id(part)] = total or 1
        return total

    if isinstance(value, Map | Items) and weigh(value) > MOST_WEIGHT:
        message = f"Unable to parse YAML: aliases expand to more than {MOST_WEIGHT} values."
        report.error("yaml-too-complex", message, Mark(source.file, 1, 1), hint=_SPLIT)


def _report_loop(part: Map | Items, report: Reporter) -> int:
    hint = "write out what the alias (*name) inside its own anchor (&name) should be"
    report.error("alias-loop", "Unable to parse YAML: an alias contains itself", Place(part), hint=hint)
    return 1
