"""`penstock project env` and `key` as people call them: variables reach jobs, keys are made and removed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.developer import Developer, developer_at

CONFIG = """\
version: 2.1
jobs:
  build: {machine: true, steps: [{run: {name: Say, command: 'echo "${#WORD} $WORD"'}}]}
workflows: {main: {jobs: [build]}}
"""


@pytest.fixture(scope="module")
def developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developer]:
    """Somebody who is logged in and has made a project of the checkout."""
    with developer_at(tmp_path_factory.mktemp("projects"), {".circleci/config.yml": CONFIG}) as made:
        made.login()
        made.succeed("project", "add")
        yield made


def test_a_variable_is_set_used_masked_and_unset(developer: Developer, tmp_path: Path) -> None:
    said = developer.succeed("project", "env", "set", "WORD", stdin="open sesame\n")
    assert "sesame" not in said
    assert developer.succeed("project", "env", "list").split() == ["WORD", "xxxxsame"]
    assert developer.json("project", "env", "list") == [{"name": "WORD", "value": "xxxxsame"}]
    developer.succeed("trigger", "--watch")
    assert "11 ****" in developer.succeed("logs", "build", "--pipeline", "latest")
    (tmp_path / "value").write_text("two\nlines\n")
    [made] = developer.json("project", "env", "set", "WORD", "--value-file", str(tmp_path / "value"))
    assert made == {"name": "WORD", "value": "xxxxines"}
    developer.succeed("project", "env", "unset", "WORD")
    assert developer.succeed("project", "env", "list") == ""
    assert "not found" in developer.call("project", "env", "unset", "WORD").err


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("set", "1WORD"), "x", "a variable's name"),
        (("set", "WORD"), "", "no value was given"),
        (("set", "WORD", "--value-file", "/no/such/file"), "", "cannot be read"),
        (("unset", "a/../b"), "", "not found"),
        (("list", "--project", "gh/acme/none"), "", "not found"),
    ],
)
def test_a_mistake_is_one_sentence(
    developer: Developer, arguments: tuple[str, ...], stdin: str, says: str
) -> None:
    outcome = developer.call("project", "env", *arguments, stdin=stdin)
    assert outcome.status != 0
    assert says in outcome.err
    assert "Traceback" not in outcome.err


def test_a_key_is_made_listed_and_removed(developer: Developer) -> None:
    developer.succeed("project", "add", "git@github.com:acme/web.git")
    web = ("--project", "gh/acme/web")
    public = developer.succeed("project", "key", "add", *web).strip()
    assert public.startswith("ssh-ed25519 AAAA")
    [listed] = developer.json("project", "key", "list", *web)
    assert (listed["public-key"], listed["type"], listed["preferred"]) == (public, "deploy-key", True)
    [own] = developer.json("project", "key", "add", "--personal", *web)
    assert own["type"] == "github-user-key"
    assert [each["preferred"] for each in developer.json("project", "key", "list", *web)] == [False, True]
    assert "preferred" in developer.succeed("project", "key", "list", *web)
    developer.succeed("project", "key", "remove", own["fingerprint"], *web)
    developer.succeed("project", "key", "remove", listed["fingerprint"], *web)
    assert developer.succeed("project", "key", "list", *web) == ""
    assert "not found" in developer.call("project", "key", "remove", "SHA256:a/b+c", *web).err
    assert "ssh" in developer.call("project", "key", "add").err  # its own project lies on this machine
