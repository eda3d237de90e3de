"""Examples in the documentation are true: configs compile, and commands print what the page shows.

A block marked `yaml circleci` is a whole config; with `broken` it has errors. A block marked `console run`
holds commands, each after `$ `, with their output; they run in a checkout with the config that stands above.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.language.circleci.compile import compile as compile_circleci
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import render
from penstock.model.diagnostic import Severity
from tests.support.command import Project
from tests.support.pages import USER_PAGES, Fence, read_fences

FILES = {"greeting.txt": "hello, world\n"}
"""What the checkouts of examples hold besides their config."""

CONFIGS = [
    fence for page in USER_PAGES for fence in read_fences(page) if fence.words[:2] == ("yaml", "circleci")
]
DURATION = re.compile(r"\b\d+(\.\d+)?s\b")


class Session(msgspec.Struct, frozen=True):
    """A block of commands and the config above it."""

    config: str
    fence: Fence


def list_sessions() -> Iterator[Session]:
    for page in USER_PAGES:
        config = ""
        for fence in read_fences(page):
            if fence.words[:2] == ("yaml", "circleci"):
                config = fence.text
            elif fence.words == ("console", "run"):
                yield Session(config, fence)


SESSIONS = list(list_sessions())


@pytest.mark.parametrize("fence", CONFIGS, ids=lambda fence: fence.name)
def test_a_config_on_a_page_compiles_as_the_page_says(fence: Fence) -> None:
    plan = compile_circleci(fence.text, Context(branch="main", values={"pipeline.git.tag": None}))
    errors = [render(each) for each in plan.diagnostics if each.severity is Severity.ERROR]
    if "broken" in fence.words:
        assert errors
    else:
        assert errors == []
        assert plan.workflows


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.fence.name)
def test_commands_on_a_page_print_what_it_shows(session: Session, tmp_path: Path) -> None:
    project = Project(tmp_path, session.config, FILES)
    for command, shown in split_commands(session.fence.text):
        program, *arguments = shlex.split(command)
        assert program == "penstock"
        done = project.call(*arguments)
        assert hide_times(done.err + done.out) == hide_times(shown), command


def split_commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command with the output shown below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def hide_times(text: str) -> str:
    """The text without what differs from run to run."""
    return DURATION.sub("?s", text)


def test_there_are_examples_of_both_kinds() -> None:
    assert len(CONFIGS) > len(SESSIONS) > 1
