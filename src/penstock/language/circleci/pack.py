"""Packs an orb written as a folder of files into one text (CircleCI docs: orb authoring, `orb pack`)."""

import re
from collections.abc import Mapping

from penstock.language.circleci.emit import Emitter, TooLargeError
from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Items, Map
from penstock.language.common.yaml import load_yaml
from penstock.model.errors import InvalidError

ROOT = "@orb.yml"
SECTIONS = ("commands", "jobs", "executors", "examples")
MOST_INCLUDED = 4 << 20
"""Characters all included files may have together."""

_INCLUDE = re.compile(r"<<\s*include\(\s*([^)]+?)\s*\)\s*>>")


def pack_orb(files: Mapping[str, str]) -> str:
    """The text of the orb whose files are given by their path below its source folder.

    `@orb.yml` is the trunk; a file below `commands/`, `jobs/`, `executors/` or `examples/` becomes the
    element with its name, and `<<include(path)>>` the text of a file. Raises InvalidError when the trunk
    or an included file is missing, or a file is no map.
    """
    if ROOT not in files:
        raise InvalidError(f"there is no {ROOT} in the folder: is this the source folder of an orb?")
    tree: dict[str, object] = dict(_load_map(ROOT, files[ROOT]))
    for path in sorted(files):
        section, _, rest = path.partition("/")
        name, dot, ending = rest.rpartition(".")
        if section not in SECTIONS or not dot or ending not in {"yml", "yaml"}:
            continue
        elements = tree.get(section)
        known = dict(elements) if isinstance(elements, dict) else {}
        tree[section] = known | {name.rpartition("/")[2]: _load_map(path, files[path])}
    try:
        return Emitter().emit(dict(_Inclusion(files).include_map(tree)))
    except TooLargeError as error:
        raise InvalidError(f"the packed orb would be too large: {error}") from error


def check_source(text: str, file: str) -> None:
    """Raises InvalidError, with the place, when the text is no map in YAML, which every orb is."""
    _load_map(file, text)


def _load_map(path: str, text: str) -> Map:
    report = Reporter()
    value = load_yaml(text, path, report)
    if isinstance(value, Map):
        return value
    finding = next(iter(report.list_findings()), None)
    raise InvalidError(f"{finding.mark}: {finding.message}" if finding else f"{path} holds no map")


class _Inclusion:
    """Puts included files into a tree, within a bound."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._left = MOST_INCLUDED

    def include_map(self, value: Mapping[str, object]) -> dict[str, object]:
        """The mapping with every inclusion below it replaced."""
        return {key: self._include(item) for key, item in value.items()}

    def _include(self, value: object) -> object:
        match value:
            case dict():
                return self.include_map(value)
            case Items():
                return [self._include(item) for item in value]
            case str() if match := _INCLUDE.fullmatch(value.strip()):
                return self._read(match[1])
            case str() if _INCLUDE.search(value):
                raise InvalidError(f"an inclusion must be the whole value: {value.strip()[:80]}")
            case _:
                return value

    def _read(self, path: str) -> str:
        text = self._files.get(path.removeprefix("./"))
        if text is None:
            raise InvalidError(f"could not open {path} for inclusion")
        self._left -= len(text)
        if self._left < 0:
            raise InvalidError(f"the included files are larger than {MOST_INCLUDED >> 20} MiB together")
        # `<<` of a shell script is no template (the vendor's packer escapes it in the same way).
        return text.replace("<<", "\\<<")
