"""Published orbs: every command and every job of each expands when it is called as declared."""

from pathlib import Path

import pytest
import yaml

from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import render
from penstock.model.diagnostic import Severity
from tests.support.shared_data import list_shared

ORBS = list_shared("circleci/orbs/*.yml")
ARGUMENTS = {
    "string": "x", "integer": 1, "boolean": True, "steps": ["checkout"], "env_var_name": "X",
    "executor": "mine",
}  # fmt: skip
WAITING = frozenset({"orb-unavailable"})
"""Orbs that import other registry orbs."""


def make_arguments(element: dict[str, dict[str, dict[str, object]]]) -> dict[str, object]:
    """A value for every parameter without a default."""
    return {
        name: spec["enum"][0] if spec["type"] == "enum" else ARGUMENTS[str(spec["type"])]  # type: ignore[index]  # a list
        for name, spec in (element.get("parameters") or {}).items()
        if "default" not in spec
    }


def make_config(orb: dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]]) -> str:
    """A config that calls everything an orb offers."""
    commands, jobs = orb.get("commands") or {}, orb.get("jobs") or {}
    steps = [{f"o/{name}": make_arguments(command)} for name, command in commands.items()]
    entries: list[object] = [{f"o/{name}": make_arguments(job)} for name, job in jobs.items()]
    config = {
        "version": 2.1,
        "orbs": {"o": "acme/o@1"},
        "executors": {"mine": {"machine": True}},
        "jobs": {"all": {"machine": True, "steps": [*steps, "checkout"]}},
        "workflows": {"main": {"jobs": ["all", *entries]}},
    }
    return yaml.safe_dump(config, sort_keys=False)


@pytest.mark.parametrize("path", ORBS, ids=lambda path: path.name)
def test_everything_an_orb_offers_can_be_called(path: Path) -> None:
    source = path.read_text()
    text = make_config(yaml.safe_load(source))
    plan = compile_config(text, Context(branch="main", orbs={"acme/o@1": source}))
    errors = [finding for finding in plan.diagnostics if finding.severity is Severity.ERROR]
    unexpected = [finding for finding in errors if finding.code not in WAITING]
    assert not unexpected, "\n".join(map(render, unexpected))
    assert bool(plan.workflows) is not bool(errors)
