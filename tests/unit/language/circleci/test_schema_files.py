"""The files the published JSON schema and the vendor's compiler are tested with: we judge them alike.

The verdict is in the name of a file or its folder. A schema knows nothing of definitions that
are missing, so findings about those do not count.
"""

from pathlib import Path

import pytest

from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import render
from penstock.model.diagnostic import Diagnostic, Severity
from tests.support.shared_data import list_shared

_STORE = "circleci/compile/inputs_from_schemastore"
_SERVER = "circleci/compile/inputs_from_language_server/validate"
_PARSER = "circleci/compile/inputs_from_language_server/parser"
_REFUSED = [
    path for path in list_shared(f"{_PARSER}/**/*.yml")
    if "invalid" in "/".join(path.parts[-3:]) and "orb-registry" not in path.parts
]  # fmt: skip
RIGHT = [
    *(path for path in list_shared(f"{_PARSER}/**/*.yml")
      if path not in _REFUSED and "orb-registry" not in path.parts),
    *list_shared(f"{_STORE}/positive/*"), *list_shared(f"{_SERVER}/correct_*.yml"),
    *list_shared(f"{_SERVER}/valid_*.yml"), *list_shared(f"{_SERVER}/../services/requiresNoErrors.yml"),
]  # fmt: skip
WRONG = [
    *_REFUSED,
    *list_shared(f"{_STORE}/negative/*"), *list_shared(f"{_SERVER}/wrong_*.yml"),
    *list_shared(f"{_SERVER}/invalid_*.yml"), *list_shared(f"{_SERVER}/../services/schemaError.yml"),
]  # fmt: skip
BEYOND_A_SCHEMA = frozenset(
    {"no-workflows", "unknown-job", "unknown-executor", "unknown-command", "unknown-orb", "orb-unavailable"}
)
REFUSED_HERE = {
    "workflows.json": "a workflow without jobs; a real project with one had to mend its config",
    "logical-matches.json": "a workflow without jobs, as in workflows.json",
    "contexts.json": "an entry of a workflow with two keys: which of them is the job? As of a step with two",
    "circle-13337-executors/build.yml": "an executor's name as a key; the schema wants it under 'name:'",
    "chromeless.json": "an argument under another name than the job declares",
}
"""What the schema takes, and why it is refused here."""

ONLY_TOLD = {
    "conflicting-resource-class.yml": "resource-class",
    "invalid-machine-executor-1.yml": "resource-class",
    "invalid-machine-executor-2.yml": "resource-class",
    "invalid-job-name-format.yml": "unusual-name",
}
"""What the schema refuses and the vendor's compiler takes: a warning or a hint here, with this code."""


def list_findings(path: Path) -> list[Diagnostic]:
    findings = compile_config(path.read_bytes(), Context(branch="main")).diagnostics
    return [finding for finding in findings if finding.code not in BEYOND_A_SCHEMA]


def list_errors(path: Path) -> list[str]:
    return [render(finding) for finding in list_findings(path) if finding.severity is Severity.ERROR]


def is_refused(path: Path) -> bool:
    return path.name in REFUSED_HERE or "/".join(path.parts[-2:]) in REFUSED_HERE


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: "/".join(path.parts[-2:]))
def test_what_the_schema_takes_is_taken(path: Path) -> None:
    errors = list_errors(path)
    assert bool(errors) is (is_refused(path)), "\n".join(errors)


@pytest.mark.parametrize("path", WRONG, ids=lambda path: "/".join(path.parts[-2:]))
def test_what_the_schema_refuses_is_told_of(path: Path) -> None:
    if path.name not in ONLY_TOLD:
        assert list_errors(path)
        return
    assert ONLY_TOLD[path.name] in [finding.code for finding in list_findings(path)]
    assert not list_errors(path)
