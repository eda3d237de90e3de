"""Mistakes and malice in a config: a sentence with a place, soon, in little memory, and never a traceback."""

import os
import re
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.command import Project
from tests.support.measured import Measured, run_bounded

PLACE = re.compile(r"\.circleci/config\.yml:(\d+| .*\[yaml-too-complex\])")  # a bomb is everywhere
SECONDS = 2.0

JOB = "version: 2.1\njobs: {build: {machine: true, steps: [{run: 'true'}]}}\n"
ALIASES = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))

MISTAKES = {
    "bad YAML": ("version: 2.1\njobs: [build\n", ""),
    "tabs": ("version: 2.1\njobs:\n\tbuild: {}\n", ""),
    "an unclosed quote": ("version: 2.1\njobs: {build: 'x}\n", ""),
    "a key twice": (JOB + "jobs: {}\n", "jobs"),
    "an unknown key": (JOB.replace("machine: true", "machine: true, stpes: 1"), "stpes"),
    "a wrong type": ("version: 2.1\njobs: {build: {machine: true, steps: 7}}\n", "steps"),
    "a list at the top": ("- version: 2.1\n", ""),
    "a number at the top": ("7\n", ""),
    "nothing": ("", ""),
    "only blanks and comments": ("  \n# nothing\n", ""),
    "no version": ("jobs: {build: {machine: true, steps: [{run: 'true'}]}}\n", "version"),
    "an old version": (JOB.replace("2.1", "1"), "version"),
    "a cycle": (
        JOB + "workflows: {main: {jobs: [build: {name: a, requires: [b]}, build: {name: b, requires: [a]}]}}",
        "",
    ),
    "a job that requires itself": (JOB + "workflows: {main: {jobs: [build: {requires: [build]}]}}", "build"),
    "an unknown job": (JOB + "workflows: {main: {jobs: [bild]}}\n", "bild"),
    "an unknown job required": (JOB + "workflows: {main: {jobs: [build: {requires: [tset]}]}}\n", "tset"),
    "an unknown command": (JOB.replace("{run: 'true'}", "greet"), "greet"),
    "a command that calls itself": (JOB.replace("{run: 'true'}", "a") + "commands: {a: {steps: [a]}}\n", "a"),
    "an unknown executor": (JOB.replace("machine: true", "executor: nowhere"), "nowhere"),
    "an unknown pipeline parameter": (JOB.replace("'true'", "<< pipeline.parameters.no >>"), "no"),
    "an unknown parameter of a job": (
        JOB + "workflows: {main: {jobs: [build: {size: large}]}}\n",
        "size",
    ),
    "a missing parameter": (
        JOB.replace("machine: true", "parameters: {size: {type: string}}, machine: true")
        + "workflows: {main: {jobs: [build]}}\n",
        "size",
    ),
    "a bad regular expression": (
        JOB + "workflows: {main: {jobs: [build: {filters: {branches: {only: '/(/'}}}]}}\n",
        "",
    ),
    "an alias of itself": ("version: 2.1\njobs: &a {build: *a}\n", ""),
    "an unknown alias": ("version: 2.1\njobs: *nowhere\n", "nowhere"),
    "a bomb of aliases": (f"version: 2.1\na0: &a0 [x, x]\n{ALIASES}jobs: *a11\n", ""),
    "a bomb of merges": (
        "version: 2.1\nm0: &m0 {x: 1}\n"
        + "".join(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 30)}]}}\n" for n in range(1, 30)),
        "",
    ),
    "deep brackets": ("version: 2.1\njobs: " + "[" * 200_000, ""),
    "deep braces": ("version: 2.1\njobs: " + "{a: " * 50_000, ""),
    "deep blocks": ("version: 2.1\n" + "".join(" " * n + "a:\n" for n in range(1500)), ""),
    "deep lists": ("version: 2.1\njobs:\n" + "- " * 50_000 + "x\n", ""),
    "two documents": (JOB + "---\n" + JOB, ""),
    "a control character": (JOB.replace("true'", "\x01'"), ""),
    "an enormous matrix": (
        JOB.replace("machine: true", "parameters: {a: {type: integer}, b: {type: integer}}, machine: true")
        + f"workflows: {{main: {{jobs: [build: {{matrix: {{parameters: {{a: {list(range(999))}, "
        f"b: {list(range(999))}}}}}}}]}}}}\n",
        "",
    ),
    "an endless template": (
        JOB.replace("{run: 'true'}", "a0")
        + "commands:\n"
        + "".join(
            f"  a{n}: {{steps: [{', '.join([f'a{n + 1}' if n < 29 else 'checkout'] * 10)}]}}\n"
            for n in range(30)
        ),
        "",
    ),
}

RUN_TOO = {
    "bad YAML",
    "a cycle",
    "an unknown command",
    "a bomb of aliases",
    "deep braces",
    "an endless template",
}
"""Those of which `run` is asked; the others are shown to `validate`, which is the same compiler."""


def check(found: Measured) -> None:
    assert "Traceback" not in found.out + found.err
    assert found.status == 2, (found.status, found.err[-2000:])
    assert found.seconds < SECONDS
    assert 0 < len(found.err) < 100_000


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, name: str) -> None:
    config, expected = MISTAKES[name]
    project = Project(tmp_path, config)
    found = run_bounded(project, "run" if name in RUN_TOO else "validate")
    check(found)
    assert PLACE.search(found.err), found.err[-2000:]
    assert expected in found.err
    assert not project.home.exists()


def test_a_tag_that_makes_objects_makes_none(tmp_path: Path) -> None:
    project = Project(tmp_path, JOB + "x: !!python/object/apply:os.system ['touch PWNED']\n")
    assert "Traceback" not in run_bounded(project, "validate").err
    assert not (project.folder / "PWNED").exists()


def test_an_enormous_number_is_but_a_text(tmp_path: Path) -> None:
    found = run_bounded(Project(tmp_path, JOB.replace("'true'", "9" * 100_000)), "validate")
    assert found.status == 0
    assert found.seconds < SECONDS


def test_an_enormous_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    project = Project(tmp_path, JOB)
    with (project.folder / ".circleci/config.yml").open("a") as file:
        file.writelines(f"x{number}: [{'y, ' * 100}]\n" for number in range(160_000))
    for call in ("validate", "run", "compile"):
        check(run_bounded(project, call))
    with (project.folder / ".circleci/config.yml").open("a") as file:
        file.truncate(1 << 40)
    check(run_bounded(project, "validate"))


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 40,
        b"\x00" * 5000,
        b"\xff\xfe" + JOB.encode("utf-16-le"),
        b"version: 2.1\njobs: {\xff\xfe: 1}\n",
        b"\x1f\x8b\x08\x00" + os.urandom(4000),
    ],
    ids=["bytes", "zeros", "utf-16", "latin", "gzip"],
)
def test_a_file_that_is_no_text_is_told_so(tmp_path: Path, content: bytes) -> None:
    project = Project(tmp_path, JOB)
    (project.folder / ".circleci/config.yml").write_bytes(content)
    check(run_bounded(project, "validate"))


def test_what_is_no_file_is_told_so(tmp_path: Path) -> None:
    project = Project(tmp_path, JOB)
    os.mkfifo(project.folder / "pipe")
    (project.folder / "loop").symlink_to("loop")
    for name in (".circleci", "pipe", "loop", "nowhere", "/dev/zero", "config.yml/x", "a" * 5000, ""):
        check(run_bounded(project, "validate", name))
    check(run_bounded(project, "run", "--config", "pipe"))


def test_a_folder_in_place_of_the_config_is_told_so(tmp_path: Path) -> None:
    project = Project(tmp_path, JOB)
    (project.folder / ".circleci/config.yml").unlink()
    (project.folder / ".circleci/config.yml").mkdir()
    check(run_bounded(project, "validate"))
    check(run_bounded(project, "run"))


def test_a_file_that_may_not_be_read_is_told_so(tmp_path: Path) -> None:
    project = Project(tmp_path, JOB)
    (project.folder / ".circleci/config.yml").chmod(0)
    for call in ("validate", "run"):
        found = project.call_as_user(call)
        assert found.status == 2, found
        assert "config.yml cannot be read: Permission denied" in found.err
        assert "Traceback" not in found.err


def test_a_current_folder_that_was_deleted_is_told_so(tmp_path: Path) -> None:
    project = Project(tmp_path, JOB)
    gone = tmp_path / "gone"
    gone.mkdir()
    for call in ("validate", "run", "logs", "runs"):
        found = project.call_in_deleted(gone, call)
        assert found.status == 2, found
        assert "cannot be found" in found.err
        assert "Traceback" not in found.err


CALLS = [
    ("run", "--param", "novalue"),
    ("run", "--param", "=x"),
    ("run", "--param", "unknown=1"),
    ("run", "--context", "x=nowhere"),
    ("run", "--env-file", "nowhere"),
    ("run", "--env-file", "."),
    ("run", "--max-parallel", "0"),
    ("run", "--max-parallel", "many"),
    ("run", "--job", "nobody"),
    ("run", "--workflow", "nobody"),
    ("run", "--branch", "a", "--tag", "b"),
    ("run", "--output", ""),
    ("run", "--output", ".circleci/config.yml"),
    ("run", "nowhere"),
    ("run", "one", "two"),
    ("logs", "--run", "99999999999999999999"),
    ("logs", "nobody"),
    ("runs", "--limit", "-1"),
    ("runs", "--limit", "99999999999999999999"),
    ("validate", "one", "two"),
    ("nonsense",),
    ("run", "--nonsense"),
]


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_a_wrong_call_is_told_so_and_starts_nothing(tmp_path: Path, call: tuple[str, ...]) -> None:
    project = Project(tmp_path, JOB)
    outcome = project.call(*call)
    assert outcome.status == 2, outcome
    assert outcome.err.strip()
    assert "Traceback" not in outcome.err
    assert not list(project.home.glob("runs/*"))


def test_a_regular_expression_that_takes_forever_is_stopped(tmp_path: Path) -> None:
    config = dedent("""
        version: 2.1
        jobs: {build: {machine: true, steps: [{run: "true"}]}}
        workflows: {main: {jobs: [build: {filters: {branches: {only: '/(a+)+b/'}}}]}}
        """)
    project = Project(tmp_path, config)
    found = run_bounded(project, "run", "--branch", "a" * 60)
    assert "Traceback" not in found.err
    assert found.seconds < SECONDS
    assert found.status in {0, 2}
