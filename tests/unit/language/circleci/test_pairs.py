"""Configs with what the vendor's compiler made of them: the processed text, or the errors."""

import json
import re
from pathlib import Path

import pytest
import yaml

from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context
from penstock.model.diagnostic import Severity
from penstock.plan.plan import Plan
from tests.support.shared_data import list_shared

PAIRS = [path.parent for path in list_shared("circleci/compile/pairs/*/input.yml")]
ORB_NAMES = {"docs-node-4.7.0-test": "circleci/node@4.7.0"}

DIFFERENT = {
    "artifactory1-command-upload-missing-target": "the wording of 2018",
    "err-negative-lookahead-next": "only the --next compiler refuses look-ahead",
    "err-undeclared": "today's compiler prints the name with its prefix",
}
"""Cases whose errors we word otherwise, on purpose."""


def compile_pair(folder: Path) -> Plan:
    source = (folder / "input.yml").read_text()
    if folder.name.startswith("artifactory2"):  # two files joined, each with a version
        source = re.sub(r"(?m)^version: 2\.1\n(?=version)", "", source)
    orb = folder / "orb.yml"
    orbs = {ORB_NAMES[folder.name]: orb.read_text()} if orb.exists() else {}
    return compile_config(source, Context(branch="main", orbs=orbs))


def normalise(value: object, key: str = "") -> object:
    """Blanks collapsed, environments as maps."""
    match value:
        case dict():
            return {name: normalise(item, name) for name, item in value.items()}
        case list() if key == "environment":
            return {name: item for part in value for name, item in part.items()}
        case list():
            return [normalise(item) for item in value]
        case str():
            return re.sub(r"[ \t]+", " ", value).rstrip("\n")
        case _:
            return value


def read_processed(text: str) -> object:
    document = yaml.safe_load(text)
    document.pop("version", None)
    document["workflows"].pop("version", None)
    for workflow in document["workflows"].values():
        workflow["jobs"].sort(key=json.dumps)
    return normalise(document)


@pytest.mark.parametrize("folder", PAIRS, ids=lambda folder: folder.name)
def test_the_vendors_result_is_reproduced(folder: Path) -> None:
    plan = compile_pair(folder)
    expected = folder / "expected.yml"
    if expected.exists():
        assert plan.compiled, plan.diagnostics
        assert read_processed(plan.compiled) == read_processed(expected.read_text())
        return
    shown = [
        line
        for finding in plan.diagnostics
        if finding.severity is not Severity.HINT
        for line in (*finding.scope, finding.message)
    ]
    same = shown == json.loads((folder / "expected_errors.json").read_text())
    assert same is (folder.name not in DIFFERENT), shown
