"""The walk on the page about servers is true: its commands print what it shows.

A block marked `console server` holds commands, each after `$ `, with their output; they run in a checkout
with the config that stands above, against a live server that somebody has logged in to.
"""

import re
import shlex
from pathlib import Path

from tests.docs.test_examples import split_commands
from tests.support.developer import developer_at
from tests.support.pages import ROOT, read_fences

PAGE = ROOT / "docs/use/server.md"
DURATION = re.compile(r"\b\d+(\.\d+)?s\b")
COMMIT = re.compile(r"(HEAD is now at) \w+ .*")


def test_the_walk_prints_what_the_page_shows(tmp_path: Path) -> None:
    fences = read_fences(PAGE)
    [config] = [fence for fence in fences if fence.words[:2] == ("yaml", "circleci")]
    [walk] = [fence for fence in fences if fence.words == ("console", "server")]
    files = {".circleci/config.yml": config.text, "greeting.txt": "hello, world\n"}
    with developer_at(tmp_path, files) as developer:
        developer.login()
        for line, shown in split_commands(walk.text):
            program, *arguments = shlex.split(line)
            assert program == "penstock"
            done = developer.call(*arguments)
            told = done.out.replace("local/app", "gh/acme/app")
            told = told.replace(str(developer.origin), "https://github.com/acme/app.git")
            assert even_out(told) == even_out(shown), (line, done)


def even_out(text: str) -> str:
    """The text without what differs from run to run."""
    return COMMIT.sub(r"\1", DURATION.sub("?s", text))
