"""The policies, tests and commands on the page about policies do what it says."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.command import Project
from tests.support.pages import ROOT, Fence, read_fences

FENCES = read_fences(ROOT / "docs/use/policies.md")
SESSIONS = [fence for fence in FENCES if fence.words == ("console", "policies")]
DURATION = re.compile(r" +\(?\b\d+(\.\d+)?s\b\)?")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout with the config and the files of the page."""
    [config] = [fence.text for fence in FENCES if fence.words[:2] == ("yaml", "circleci")]
    made = Project(tmp_path_factory.mktemp("page"), config)
    for fence in FENCES:
        if len(fence.words) > 1 and fence.words[0] in {"rego", "yaml"} and "." in fence.words[1]:
            file = Path(made.folder) / fence.words[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(fence.text)
    return made


@pytest.mark.parametrize("fence", SESSIONS, ids=lambda fence: fence.name)
def test_commands_print_what_the_page_shows(project: Project, fence: Fence) -> None:
    for session in fence.text.strip().split("$ ")[1:]:
        call, _, want = session.partition("\n")
        words = shlex.split(call)
        assert words[0] == "penstock"
        done = project.call(*words[1:])
        assert done.err == ""
        assert DURATION.sub("", done.out).strip() == want.strip(), call
