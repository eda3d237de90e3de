"""From a push to its config: a repository, the webhook its host would send, and the mirror."""

import os
from pathlib import Path

import msgspec
import pytest

from penstock.forge.address import Policy, Protocol
from penstock.forge.hooks.receive import read_hook
from penstock.forge.hooks.skip import find_skip
from penstock.forge.hooks.trigger import Decline, Declined, HookSettings, TriggerFacts, plan_trigger
from penstock.forge.mirror import Mirror
from tests.support import hooks
from tests.support.repositories import git, make_repository, write_files

CONFIG = ".circleci/config.yml"


class Team(msgspec.Struct):
    """A bare repository somebody pushes to, their clone, and the server's mirror."""

    bare: Path
    clone: Path
    mirror: Mirror

    def push(self, files: dict[str, str], message: str, branch: str = "main") -> tuple[str, str]:
        """What the host would call before and after."""
        before = git(self.clone, "rev-parse", "HEAD")
        write_files(self.clone, files)
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--allow-empty", f"--message={message}")
        git(self.clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return before, git(self.clone, "rev-parse", "HEAD")


@pytest.fixture
def team(tmp_path: Path) -> Team:
    clone = make_repository(tmp_path / "clone", {CONFIG: "version: 2.1\n"}, remote=str(tmp_path / "app.git"))
    git(tmp_path, "clone", "--quiet", "--bare", str(clone), "app.git")
    policy = Policy(protocols=frozenset({Protocol.FILE}), folders=(tmp_path,))
    mirror = Mirror(tmp_path / "mirror", os.fspath(tmp_path / "app.git"), policy=policy)
    mirror.fetch()
    return Team(tmp_path / "app.git", clone, mirror)


def receive(message: hooks.Message, settings: HookSettings | None = None) -> TriggerFacts | Declined:
    hook = read_hook(message.headers, message.body, [hooks.SECRET], now=hooks.NOW)
    return plan_trigger(hook.events[0], settings or HookSettings(), hook, hooks.NOW)


def test_a_pushed_config_is_read_at_its_commit(team: Team) -> None:
    before, after = team.push({CONFIG: "version: 2.1\njobs: {}\n", "a.py": "1"}, "add a")
    push = hooks.github_push(before=before, after=after, head_commit=hooks.github_commit(after, "add a"))
    facts = receive(hooks.from_github("push", push))
    assert isinstance(facts, TriggerFacts)
    team.mirror.fetch(facts.fetch_ref, commit=facts.revision.sha)
    commit = team.mirror.resolve(facts.revision.sha)
    assert (commit.sha, commit.subject) == (after, "add a")
    assert team.mirror.read_file(commit.sha, CONFIG) == b"version: 2.1\njobs: {}\n"
    assert team.mirror.list_changed(facts.revision.base, commit.sha) == [CONFIG, "a.py"]
    assert not find_skip(commit.subject, commit.body)


def test_a_later_push_does_not_change_what_an_earlier_one_means(team: Team) -> None:
    before, after = team.push({CONFIG: "first"}, "first")
    team.push({CONFIG: "second"}, "second")
    push = hooks.github_push(before=before, after=after, head_commit=hooks.github_commit(after))
    facts = receive(hooks.from_github("push", push))
    assert isinstance(facts, TriggerFacts)
    team.mirror.fetch(facts.fetch_ref, commit=facts.revision.sha)
    assert team.mirror.read_file(facts.revision.sha, CONFIG) == b"first"


def test_a_tag_is_read_at_the_commit_it_stands_for(team: Team) -> None:
    _, after = team.push({"a": "1"}, "add a")
    git(team.clone, "tag", "--annotate", "v1", "--message=one")
    git(team.clone, "push", "--quiet", "origin", "v1")
    body = hooks.server_push("refs/tags/v1")
    body["changes"] = [
        {"refId": "refs/tags/v1", "fromHash": hooks.ZERO, "toHash": git(team.clone, "rev-parse", "v1")}
    ]
    facts = receive(hooks.from_bitbucket("repo:refs_changed", body))
    assert isinstance(facts, TriggerFacts)
    team.mirror.fetch(facts.fetch_ref, commit=facts.revision.sha)
    assert team.mirror.resolve(facts.revision.sha).sha == after
    assert team.mirror.resolve(facts.revision.tag).sha == after


def test_the_commits_of_a_fork_are_read_from_its_pull_request(team: Team) -> None:
    _, after = team.push({CONFIG: "theirs"}, "theirs", "tmp")
    git(team.bare, "update-ref", "refs/pull/7/head", after)
    git(team.bare, "update-ref", "-d", "refs/heads/tmp")
    body = hooks.github_pull("synchronize", fork=True)
    assert isinstance(body["pull_request"], dict)
    body["pull_request"]["head"]["sha"] = after
    facts = receive(hooks.from_github("pull_request", body), HookSettings(build_fork_prs=True))
    assert isinstance(facts, TriggerFacts)
    team.mirror.fetch(facts.fetch_ref, commit=facts.revision.sha)
    assert team.mirror.read_file(facts.revision.sha, CONFIG) == b"theirs"
    assert team.mirror.find_branches_of(after) == []  # it is on no branch of the project
    assert facts.secrets is False


def test_a_deleted_branch_is_gone_from_the_mirror_after_a_full_fetch(team: Team) -> None:
    team.push({"a": "1"}, "add a", "topic")
    team.mirror.fetch()
    git(team.clone, "push", "--quiet", "origin", "--delete", "topic")
    push = hooks.github_push("refs/heads/topic", after=hooks.ZERO, head_commit=None, commits=[])
    declined = receive(hooks.from_github("push", push))
    assert isinstance(declined, Declined)
    assert declined.why is Decline.DELETED
    team.mirror.fetch()
    assert "topic" not in team.mirror.list_branches()
