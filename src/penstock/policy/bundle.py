"""A bundle of policies: read, named, and checked, in the vendor's words (CircleCI docs: config policies)."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from penstock.model.errors import InvalidError
from penstock.policy.files import check_size
from penstock.policy.library import find_wanted, load_module
from penstock.policy.rego.errors import RegoError
from penstock.policy.rego.names import find_everies, list_parts, list_terms
from penstock.policy.rego.program import FaultError, Program, compile_modules
from penstock.policy.rego.read_module import read_module
from penstock.policy.rego.tree import Body, Comprehension, Module, Ref, Scalar, Term, Var

PACKAGE = "org"
NAME_RULE = "policy_name"
MOST_NAME = 80

_NAME = re.compile(r"\w+", re.ASCII)


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """Policies that are in order: the text of each by its name, and all of them as a program."""

    policies: Mapping[str, str]
    program: Program


def read_bundle(files: Mapping[str, str]) -> Bundle:
    """The policies of the files, whose names are only for messages.

    Raises InvalidError with all that is wrong in one of the steps, LimitExceededError for too much.
    """
    check_size(files)
    found = _read_files(files)
    modules = {name: each.module for name, each in found.items()}
    _raise_all("failed policy linting", _lint(modules))
    library = {f"library/{name}": read_module(load_module(name)) for name in _find_library(modules)}
    faults: list[FaultError] = []
    places = {name: each.file for name, each in found.items()}
    program = compile_modules({**modules, **library}, faults, strict=modules, files=places)
    _raise_all("failed to compile policy", (_show_fault(each) for each in faults))
    return Bundle(policies={name: each.text for name, each in found.items()}, program=program)


def _show_fault(fault: FaultError) -> str:
    return f'"{fault.module}": {fault}' if fault.module else str(fault)


class _Read(NamedTuple):
    """A policy that was read."""

    file: str
    text: str
    module: Module


def _read_files(files: Mapping[str, str]) -> dict[str, _Read]:
    """The policies by name."""
    faults: list[str] = []
    found: list[tuple[str, _Read]] = []
    for file, text in files.items():
        shown = json.dumps(file, ensure_ascii=False)
        try:
            module = read_module(text)
        except RegoError as error:
            faults.append(f"failed to parse file {shown}: {error}")
            continue
        except RecursionError:
            faults.append(f"failed to parse file {shown}: it is nested too deeply")
            continue
        try:
            found.append((_read_name(module), _Read(file, text, module)))
        except InvalidError as error:
            faults.append(f"failed to parse file: {shown}: {error}")
    _raise_all("failed to parse policy file(s)", faults)
    counts = Counter(name for name, _ in found)
    twice = [f'policy "{name}" declared {count} times' for name, count in counts.items() if count > 1]
    _raise_all("failed to parse bundle", twice)
    return dict(found)


def _read_name(module: Module) -> str:
    """The policy's name, which its first rule declares."""
    if not module.rules:
        raise InvalidError(f'must declare rule "{NAME_RULE}" but module contains no rules')
    first = module.rules[0]
    if first.path != (NAME_RULE,):
        raise InvalidError(f'first rule declaration must be "{NAME_RULE}" but found "{".".join(first.path)}"')
    if first.kind != "set":
        raise InvalidError(f"invalid {NAME_RULE} declaration: must declare as key")
    name = first.key.value if isinstance(first.key, Scalar) else None
    if not isinstance(name, str):
        raise InvalidError(f"invalid {NAME_RULE}: it must be a string")
    if not name:
        raise InvalidError(f"{NAME_RULE} must not be empty")
    if len(name) > MOST_NAME:
        raise InvalidError(f"{NAME_RULE} must be maximum {MOST_NAME} characters but got {len(name)}")
    if not _NAME.fullmatch(name):
        shown = json.dumps(name, ensure_ascii=False)
        raise InvalidError(f"{shown} must use alphanumeric and underscore characters only")
    return name


def _lint(modules: Mapping[str, Module]) -> Iterator[str]:
    for name, module in modules.items():
        package = ".".join(module.package)
        if package != PACKAGE:
            yield (
                f'"{name}": invalid package name: expected one of packages [{PACKAGE}] '
                f'but got "package {package}"'
            )
        for path, line in _find_paths(module):
            if path[:3] == ("data", "meta", "branch"):
                yield (
                    f'"{name}": line {line}: invalid use of data.meta.branch use data.meta.vcs.branch instead'
                )


def _find_library(modules: Mapping[str, Module]) -> tuple[str, ...]:
    """The modules of the library that the policies want."""
    imported = [each.path for module in modules.values() for each in module.imports]
    return find_wanted([*imported, *(path for module in modules.values() for path, _ in _find_paths(module))])


def _find_paths(module: Module) -> Iterator[tuple[tuple[str, ...], int]]:
    """Each path that begins with `data` and is written out, with its line."""
    for rule in module.rules:
        terms = [*rule.args, *([rule.key] if rule.key is not None else [])]
        for branch in rule.branches:
            terms += [branch.value, *_list_body(branch.body)]
        for term in terms:
            yield from _find_in(term)


def _list_body(body: Body) -> Iterator[Term]:
    for literal in body:
        yield from list_terms(literal)
    for every in find_everies(body):
        yield from _list_body(every.body)


def _find_in(term: Term) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(term, Ref) and isinstance(term.head, Var) and term.head.name == "data":
        written = []
        for key in term.keys:
            if not isinstance(key, Scalar):
                break
            written.append(str(key.value))
        yield ("data", *written), term.line
    inner = [term.value, *_list_body(term.body)] if isinstance(term, Comprehension) else []
    for part in (*list_parts(term), *inner):
        yield from _find_in(part)


def _raise_all(where: str, faults: Iterable[str]) -> None:
    found = list(faults)
    if found:
        count = f"{len(found)} error(s) occurred: " if len(found) > 1 else ""
        raise InvalidError(f"{where}: {count}{'; '.join(found[:20])}")
