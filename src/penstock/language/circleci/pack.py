"""Packs a config or an orb written as a folder of files into one text (`config pack`, `orb pack`)."""

import re
from collections.abc import Mapping

from penstock.language.circleci.emit import Emitter, TooLargeError
from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Items, Map
from penstock.language.common.yaml import load_yaml
from penstock.model.errors import InvalidError

ROOT = "@orb.yml"
ENDINGS = (".yml", ".yaml")
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
    return _print_tree(_build_orb(files))


def pack_folder(files: Mapping[str, str]) -> str:
    """The text of the config, or of the orb when there is an `@orb.yml`, with keys in alphabetical order.

    A folder becomes a map under its name, a YAML file a map under its own; the maps of files at the top,
    and of files whose names start with `@`, are merged into the folder they are in. Other files and
    hidden folders are left out. Raises InvalidError when a file is no map, or there is none.
    """
    tree = _build_orb(files) if ROOT in files else _build_config(files)
    if not tree:
        raise InvalidError("there are no YAML files in the folder")
    return _print_tree(_sort_keys(tree))


def _build_orb(files: Mapping[str, str]) -> dict[str, object]:
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
    return _Inclusion(files).include_map(tree)


def _build_config(files: Mapping[str, str]) -> dict[str, object]:
    tree: dict[str, object] = {}
    for path in sorted(files):
        *folders, file = path.split("/")
        if not file.endswith(ENDINGS) or any(folder.startswith(".") for folder in folders):
            continue
        target = tree
        for folder in folders:
            target = _open_branch(target, folder, path)
        if folders and not file.startswith("@"):
            target = _open_branch(target, file.rpartition(".")[0], path)
        target.update(_load_map(path, files[path]))
    return tree


def _open_branch(tree: dict[str, object], name: str, path: str) -> dict[str, object]:
    """The map under a name, a copy of what a file put there, so that more can be merged into it."""
    known = tree.setdefault(name, {})
    if not isinstance(known, dict):
        raise InvalidError(f"{path}: '{name}' is a value already, and no map")
    branch = tree[name] = dict(known)
    return branch


def _sort_keys(value: Mapping[str, object]) -> dict[str, object]:
    return {key: _sort_items(value[key]) for key in sorted(value)}


def _sort_items(value: object) -> object:
    match value:
        case dict():
            return _sort_keys(value)
        case list():
            return [_sort_items(item) for item in value]
        case _:
            return value


def _print_tree(tree: dict[str, object]) -> str:
    try:
        return Emitter().emit(tree)
    except TooLargeError as error:
        raise InvalidError(f"the packed text would be too large: {error}") from error


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
        # `<<` of a shell script is no template; the vendor's command line tool escapes it in the same way.
        return text.replace("<<", "\\<<")
