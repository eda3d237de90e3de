"""Orbs written as folders of files become one text that the compiler takes."""

import pytest

from penstock.language.circleci import compile as compile_config
from penstock.language.circleci.pack import pack_orb
from penstock.language.common.context import Context
from penstock.model.errors import InvalidError

ORB = {
    "@orb.yml": "version: 2.1\ncommands: {old: {steps: [checkout]}}\n",
    "commands/greet.yml": "parameters: {to: {type: string}}\nsteps:\n  - run: echo << parameters.to >>\n",
    "commands/script.yml": "steps:\n  - run: {command: <<include(scripts/run.sh)>>}\n",
    "jobs/nested/all.yaml": "machine: true\nsteps: [old, {greet: {to: you}}, script]\n",
    "scripts/run.sh": "cat <<EOF\n<< parameters.x >>\nEOF\n",
    "README.md": "ignored",
}


def test_a_packed_orb_runs() -> None:
    text = "version: 2.1\norbs: {o: a/o@1}\nworkflows: {main: {jobs: [o/all]}}\n"
    plan = compile_config(text, Context(branch="main", orbs={"a/o@1": pack_orb(ORB)}))
    commands = [getattr(step, "command", "") for step in plan.workflows["main"].jobs["o/all"].steps]
    assert commands == ["", "echo you", "cat <<EOF\n<< parameters.x >>\nEOF\n"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "is this the source folder"),
        ({"@orb.yml": "[]"}, "holds no map"),
        ({"@orb.yml": "a: ["}, "Unable to parse YAML"),
        ({"@orb.yml": "a: <<include(x.sh)>>"}, "could not open x.sh"),
        ({"@orb.yml": "a: b <<include(x.sh)>>", "x.sh": ""}, "the whole value"),
        ({"@orb.yml": "{}", "jobs/a.yml": "text"}, "holds no map"),
    ],
)
def test_what_cannot_be_packed_is_told_of(files: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidError, match=message):
        pack_orb(files)
