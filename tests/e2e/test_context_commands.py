"""`penstock context` and `penstock group` against a live server, by somebody with a checkout."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.developer import Developer, developer_at

CONFIG = """\
version: 2.1
jobs:
  ship:
    machine: true
    steps: [run: 'printf %s "$TOKEN" | sha256sum; test "$TOKEN" = "$(printf "two\\nlines")"']
workflows: {main: {jobs: [{ship: {context: deploy}}]}}
"""


@pytest.fixture(scope="module")
def developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developer]:
    """Somebody who is logged in and has made a project of the checkout."""
    folder: Path = tmp_path_factory.mktemp("contexts")
    with developer_at(folder, {".circleci/config.yml": CONFIG}) as made:
        made.login()
        made.succeed("project", "add")
        yield made


def find_owner(developer: Developer) -> tuple[str, str]:
    """The slugs of the project's organization and of the project."""
    [shown] = developer.json("project", "show")
    return shown["organization"], shown["slug"]


def test_a_job_gets_what_was_set_and_waits_for_what_was_lifted(developer: Developer) -> None:
    assert "no context deploy" in developer.succeed("trigger", "--watch", status=1)
    assert "context set deploy NAME" in developer.succeed("context", "create", "deploy")
    assert "there is a context deploy already" in developer.call("context", "create", "deploy").err
    said = developer.succeed("context", "set", "deploy", "TOKEN", stdin="two\nlines\n")
    assert said == "TOKEN is set in deploy.\n"
    assert "two" not in developer.succeed("context", "show", "deploy")
    developer.succeed("trigger", "--watch")
    developer.succeed("context", "restrict", "deploy", "--rule", 'pipeline.git.branch == "release"')
    assert "its rule does not hold here" in developer.succeed("trigger", "--watch", status=1)
    developer.succeed("context", "unrestrict", "deploy", "--rule", 'pipeline.git.branch == "release"')
    developer.succeed("trigger", "--watch")


def test_contexts_are_looked_after(developer: Developer, tmp_path: Path) -> None:
    owner, project = find_owner(developer)
    [made] = developer.json("context", "create", "prod", "--everyone", "--organization", owner)
    file = tmp_path / "prod.env"
    file.write_text('A=1\nB="two words"\n')
    set_now = developer.json("context", "set", "prod", "--env-file", str(file))
    assert [each["variable"] for each in set_now] == ["A", "B"]
    (tmp_path / "value").write_text("x\n")
    developer.succeed("context", "set", made["id"], "C", "--value-file", str(tmp_path / "value"))
    developer.succeed("context", "unset", "prod", "A")
    assert "Environment variable not found" in developer.call("context", "unset", "prod", "A").err
    developer.succeed("context", "restrict", "prod", "--project", project)
    developer.succeed("context", "unrestrict", "prod", "--members")
    shown = developer.succeed("context", "show", "prod")
    lines = [line.split() for line in shown.splitlines() if line.startswith("  ")]
    assert [(kind, name) for kind, _, name in lines[:2]] == [("group", "Everyone"), ("project", "app")]
    assert [name for name, _ in lines[2:]] == ["B", "C"]
    developer.succeed("context", "unrestrict", "prod", "--everyone")
    assert "for administrators of the organization alone" in developer.succeed("context", "show", "prod")
    assert "is not restricted to that" in developer.call("context", "unrestrict", "prod", "--members").err
    assert [each["name"] for each in developer.json("context", "list")] == ["deploy", "prod"]
    assert "add --yes" in developer.call("context", "delete", "prod").err
    developer.succeed("context", "delete", "prod", "--yes")
    assert "has no context 'prod'" in developer.call("context", "show", "prod").err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("set", "deploy"), "name a variable"),
        (("set", "deploy", "1A"), "does not begin with a digit"),
        (("restrict", "deploy"), "give one of"),
        (("restrict", "deploy", "--members", "--everyone"), "give one of"),
        (("restrict", "deploy", "--rule", "1 ="), "character 4"),
        (("restrict", "deploy", "--group", "none"), "has no group 'none'"),
        (("restrict", "deploy", "--project", "gh/acme/none"), "Project not found"),
        (("list", "--organization", "gh/none"), "Organization not found"),
    ],
)
def test_what_makes_no_sense_is_said(developer: Developer, arguments: tuple[str, ...], says: str) -> None:
    done = developer.call("context", *arguments, stdin="x")
    assert done.status == 2
    assert says in done.err
    assert "Traceback" not in done.err


def test_no_value_is_no_empty_value(developer: Developer, tmp_path: Path) -> None:
    developer.succeed("context", "create", "empty")
    assert "no value was given" in developer.call("context", "set", "empty", "A", stdin="").err
    (tmp_path / "nothing").touch()
    developer.succeed("context", "set", "empty", "A", "--value-file", str(tmp_path / "nothing"))


def test_groups_are_looked_after(developer: Developer) -> None:
    developer.succeed("user", "add", "ada")
    developer.succeed("group", "create", "deploy team", "--description", "who ships")
    assert "does not belong" in developer.call("group", "admit", "deploy team", "ada").err
    developer.succeed("organization", "admit", find_owner(developer)[0], "ada")
    assert developer.succeed("group", "admit", "deploy team", "ada") == "ada is in deploy team.\n"
    assert [each["login"] for each in developer.json("group", "members", "deploy team")] == ["ada"]
    developer.succeed("context", "create", "teams")
    said = developer.succeed("context", "restrict", "teams", "--group", "deploy team")
    assert said == "teams is restricted to group deploy team.\n"
    developer.succeed("group", "dismiss", "deploy team", "ada")
    assert developer.json("group", "members", "deploy team") == []
    assert [each["name"] for each in developer.json("group", "list")] == ["deploy team"]
    developer.succeed("group", "delete", "deploy team")
    shown = developer.succeed("context", "show", "teams")
    [gone] = [line.split() for line in shown.splitlines() if "(which is gone)" in line]
    developer.succeed("context", "unrestrict", "teams", gone[1])
    assert "(which is gone)" not in developer.succeed("context", "show", "teams")
