"""Tests of policies: configs with the decision that is expected, and rules that must hold.

CircleCI docs: test config policies. A case has what its test has, unless it says otherwise: maps are merged
by key and lists by place, and what is null is taken away.
"""

import difflib
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
import yaml

from penstock.model.errors import InvalidError, LimitExceededError
from penstock.policy.document import COMPILED, read_config, write_json
from penstock.policy.folder import TEST_CASES, list_folders, read_policies, read_text
from penstock.policy.referee import Referee

RULES = "<opa.tests>"
"""The group of tests that are rules."""

_KEYS = frozenset({"input", "meta", "decision", "compile", "pipeline_parameters", "cases"})

Compile = Callable[[str, Mapping[str, object]], str]
"""The processed config of a config and pipeline parameters. Raises InvalidError for one with errors."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a test ended; one without a name says why a group has none, or none that can run."""

    group: str
    name: str = ""
    passed: bool
    seconds: float = 0.0
    error: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A test or a case of one, with what it has from those around it."""

    name: str
    input: Any = None
    meta: Any = None
    decision: Any = None
    compile: bool = False
    parameters: Any = None


def run_suite(root: Path, referee: Referee, compiler: Compile) -> Iterator[Result]:
    """The results of all tests of a folder and those below it.

    A folder's tests are about its policies and those below it. Raises InvalidError when there is no folder.
    """
    if not root.is_dir():
        raise InvalidError(f"there is no folder {root}")
    yield from _run_rules(root, referee)
    for folder in list_folders(root):
        yield from _run_folder(folder, referee, compiler)


def _run_rules(root: Path, referee: Referee) -> Iterator[Result]:
    files = read_policies(root, tests=True)
    began = time.monotonic()
    try:
        found = referee.run_tests(files)
    except (InvalidError, LimitExceededError) as error:
        yield Result(group=RULES, passed=False, error=str(error))
        return
    each_took = (time.monotonic() - began) / max(len(found), 1)
    for name, fault in found.items():
        full = f"data.org.{name}"
        yield Result(group=RULES, name=full, passed=not fault, seconds=each_took, error=fault)


def _run_folder(folder: Path, referee: Referee, compiler: Compile) -> Iterator[Result]:
    group = str(folder)
    try:
        policies = read_policies(folder)
        referee.check(policies)
        cases = sorted(_load_cases(folder), key=lambda case: case.name)
    except (InvalidError, LimitExceededError) as error:
        yield Result(group=group, passed=False, error=str(error))
        return
    if not policies or not cases:
        yield Result(group=group, passed=True, error="no tests" if policies else "no policies")
    else:
        for case in cases:
            yield _run_case(case, group, policies, referee, compiler)


def _load_cases(folder: Path) -> Iterator[Case]:
    """The cases of all files of a folder that expect something. Raises InvalidError."""
    known: set[str] = set()
    for file in sorted(each for each in folder.iterdir() if each.name.endswith(TEST_CASES)):
        for name, body in read_config(read_text(file), str(file)).items():
            if not name.startswith("test_"):
                continue
            if name in known:
                raise InvalidError(f'test name conflict: "{name}"')
            known.add(name)
            yield from _unfold(Case(name=name), body, str(file))


def _unfold(parent: Case, body: object, file: str) -> Iterator[Case]:
    """The test and its cases."""
    if not isinstance(body, dict):
        raise InvalidError(f"{file}: {parent.name} is not a map")
    if unknown := sorted(body.keys() - _KEYS):
        raise InvalidError(f"{file}: {parent.name} has the unknown key {unknown[0]}")
    mine = Case(
        name=parent.name,
        input=_inherit(parent.input, body.get("input")),
        meta=_inherit(parent.meta, body.get("meta")),
        decision=_inherit(parent.decision, body.get("decision")),
        compile=bool(body.get("compile", parent.compile)),
        parameters=_inherit(parent.parameters, body.get("pipeline_parameters")),
    )
    if mine.decision is not None:
        yield mine
    cases = body.get("cases") or {}
    if not isinstance(cases, dict):
        raise InvalidError(f"{file}: the cases of {mine.name} are not a map")
    for name, inner in sorted(cases.items()):
        yield from _unfold(msgspec.structs.replace(mine, name=f"{mine.name}/{name}"), inner, file)


def _inherit(before: Any, own: Any) -> Any:  # noqa: ANN401 - plain data of any kind
    if own is None:
        return before
    return merge_data(before, own) if before is not None else own


def merge_data(before: Any, own: Any) -> Any:  # noqa: ANN401 - plain data of any kind
    """What is said later over what was said before."""
    if isinstance(before, dict) and isinstance(own, dict):
        kept = {key: value for key, value in before.items() if key not in own}
        changed = {key: merge_data(before.get(key), value) for key, value in own.items() if value is not None}
        return {key: (kept | changed)[key] for key in {**before, **own} if key in kept or key in changed}
    if isinstance(before, list) and isinstance(own, list):
        pairs = zip_longest(before, own, fillvalue=...)
        return [
            one if other is ... else merge_data(None if one is ... else one, other)
            for one, other in pairs
            if other is not None
        ]
    return own


def _run_case(
    case: Case, group: str, policies: Mapping[str, str], referee: Referee, compiler: Compile
) -> Result:
    document = case.input
    if case.compile or case.parameters is not None:
        try:
            document = _compile_input(case, compiler)
        except InvalidError as error:
            told = f"failed to compile test input: {error}"
            return Result(group=group, name=case.name, passed=False, error=told)
    began = time.monotonic()
    decision = referee.judge(policies, write_json(document), write_json(case.meta))
    took = time.monotonic() - began
    difference = _compare(case.decision, msgspec.to_builtins(decision))
    return Result(group=group, name=case.name, passed=not difference, seconds=took, error=difference)


def _compile_input(case: Case, compiler: Compile) -> dict[str, object]:
    if not isinstance(case.input, dict):
        raise InvalidError("the input is not a map")
    source = _write_yaml({key: value for key, value in case.input.items() if key != COMPILED})
    compiled = compiler(source, case.parameters or {})
    return {**case.input, COMPILED: read_config(compiled, "compiled config")}


def _compare(expected: object, actual: object) -> str:
    """How the decision differs, "" when it does not."""
    lines = difflib.unified_diff(
        _write_yaml(expected).splitlines(),
        _write_yaml(actual).splitlines(),
        "Expected",
        "Actual",
        n=1,
        lineterm="",
    )
    return "\n".join(lines)


def _write_yaml(value: object) -> str:
    plain = msgspec.json.decode(write_json(value))
    return str(yaml.safe_dump(plain, sort_keys=True, allow_unicode=True, width=1000))
