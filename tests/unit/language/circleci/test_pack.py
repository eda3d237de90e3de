"""Orbs written as folders of files become one text that the compiler takes."""

import pytest

from penstock.language.circleci import compile as compile_config
from penstock.language.circleci.pack import pack_folder, pack_orb
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


CONFIG = {
    "base.yml": "version: 2.1\n",
    "workflows/main.yml": "jobs: [build]\n",
    "jobs/build.yml": "steps: [checkout, run: make]\nmachine: true\n",
    "jobs/@all.yaml": "lint: {steps: [checkout], machine: true}\n",
    "jobs/build/extra.yml": "a: 1\n",
    "jobs/.hidden/x.yml": "a: 1\n",
    "jobs/README.md": "ignored",
}


def test_a_config_in_parts_becomes_one_text_with_sorted_keys() -> None:
    assert pack_folder(CONFIG) == (
        "jobs:\n  build:\n    extra:\n      a: 1\n    machine: true\n"
        "    steps:\n    - checkout\n    - run: make\n"
        "  lint:\n    machine: true\n    steps:\n    - checkout\n"
        "version: 2.1\nworkflows:\n  main:\n    jobs:\n    - build\n"
    )


def test_a_folder_with_a_trunk_is_packed_as_an_orb() -> None:
    packed = pack_folder(ORB)
    assert packed.startswith("commands:\n  greet:\n")
    assert "cat \\<<EOF" in packed


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no YAML files"),
        ({"a.txt": "x"}, "no YAML files"),
        ({"a.yml": "[]"}, "a.yml holds no map"),
        ({"a.yml": "jobs: 1", "jobs/b.yml": "{}"}, "is a value already"),
    ],
)
def test_a_folder_that_makes_no_config_is_told_of(files: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidError, match=message):
        pack_folder(files)
