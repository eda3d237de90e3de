"""Which pipeline an event means: never code of strangers with secrets, never the same push twice."""

import pytest

from penstock.forge.hooks.event import Hook, PullRequest
from penstock.forge.hooks.preset import Preset
from penstock.forge.hooks.receive import read_hook
from penstock.forge.hooks.trigger import Decline, Declined, HookSettings, TriggerFacts, plan_trigger
from penstock.language.circleci.values import KNOWN
from tests.support import hooks
from tests.support.hooks import AFTER, BEFORE, NOW, OTHER, PULLS, PUSHES, SECRET, SIGNING, ZERO, Message

PULLS_ONLY = HookSettings(build_prs_only=True, pr_only_branch_overrides=("release",))
FORKS = HookSettings(build_fork_prs=True)
FORK = True


def read(message: Message) -> Hook:
    return read_hook(message.headers, message.body, [SECRET, SIGNING], now=NOW)


def plan(message: Message, settings: HookSettings | None = None) -> TriggerFacts | Declined:
    hook = read(message)
    return plan_trigger(hook.events[0], settings or HookSettings(), hook, NOW)


def accept(message: Message, settings: HookSettings | None = None) -> TriggerFacts:
    facts = plan(message, settings)
    assert isinstance(facts, TriggerFacts)
    return facts


def decline(message: Message, settings: HookSettings | None = None) -> Decline:
    declined = plan(message, settings)
    assert isinstance(declined, Declined)
    return declined.why


def push(ref: str = "refs/heads/main", message: str = "fix", **changes: object) -> Message:
    commit = hooks.github_commit(message=message)
    return hooks.from_github("push", hooks.github_push(ref, head_commit=commit, **changes))


def pull(action: str = "opened", *, fork: bool = False, **changes: object) -> Message:
    return hooks.from_github("pull_request", hooks.github_pull(action, fork=fork, **changes))


@pytest.mark.parametrize("name", PUSHES)
def test_a_push_of_any_host_is_built(name: str) -> None:
    facts = accept(PUSHES[name]())
    revision = facts.revision
    assert (revision.sha, revision.branch, revision.tag, revision.base) == (AFTER, "main", "", BEFORE)
    assert revision.subject == "fix the pump"
    assert (facts.fetch_ref, facts.fetch_url, facts.event) == ("refs/heads/main", "", "push")
    assert (facts.secrets, facts.fork, facts.pull_number, facts.skip_checked) == (True, "", None, True)
    assert facts.actor.login == "ann"


def test_a_tag_is_built_at_its_commit_and_has_no_base() -> None:
    facts = accept(push("refs/tags/v1", after=hooks.TAG_OBJECT, before=ZERO))
    assert (facts.revision.sha, facts.revision.tag, facts.revision.branch, facts.revision.base) == (
        AFTER, "v1", "", "",
    )  # fmt: skip
    assert facts.fetch_ref == "refs/tags/v1"


def test_a_new_branch_has_no_base() -> None:
    assert accept(push(before=ZERO)).revision.base == ""


def test_what_was_deleted_is_not_built() -> None:
    for ref in ("refs/heads/main", "refs/tags/v1"):
        assert decline(push(ref, after=ZERO)) is Decline.DELETED


def test_the_newest_commit_may_ask_for_no_pipeline() -> None:
    assert decline(push(message="docs [skip ci]")) is Decline.SKIPPED
    assert decline(push(message="docs\n\n[ci skip]")) is Decline.SKIPPED
    assert decline(push("refs/tags/v1", message="docs [skip ci]")) is Decline.SKIPPED
    older = [hooks.github_commit(OTHER, "[skip ci]"), hooks.github_commit()]
    assert accept(push(commits=older)).skip_checked


def test_a_message_nobody_told_is_looked_at_later() -> None:
    body = hooks.server_push() | {"toCommit": None}
    assert not accept(hooks.from_bitbucket("repo:refs_changed", body)).skip_checked


def test_a_pull_request_of_the_same_repository_was_built_when_it_was_pushed() -> None:
    for action in ("opened", "synchronize", "reopened"):
        assert decline(pull(action)) is Decline.PUSH_BUILT


@pytest.mark.parametrize("action", ["closed", "labeled", "ready_for_review"])
def test_a_pull_request_without_new_commits_is_not_built(action: str) -> None:
    for settings in (HookSettings(), PULLS_ONLY, FORKS):
        assert decline(pull(action, fork=settings is FORKS), settings) is Decline.NOTHING_NEW


def test_with_pull_requests_only_a_branch_is_built_for_its_pull_request_and_only_then() -> None:
    assert decline(push("refs/heads/mend"), PULLS_ONLY) is Decline.PULLS_ONLY
    for action in ("opened", "synchronize", "reopened"):
        facts = accept(pull(action, before=OTHER), PULLS_ONLY)
        assert (facts.revision.branch, facts.revision.sha, facts.secrets) == ("mend", AFTER, True)
        assert facts.revision.pull_request == "https://github.com/acme/app/pull/7"
        assert (facts.fetch_ref, facts.pull_number, facts.base_branch) == ("refs/heads/mend", 7, "main")
        assert not facts.skip_checked


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/heads/release", "refs/tags/v1"])
def test_with_pull_requests_only_some_pushes_are_built_all_the_same(ref: str) -> None:
    assert accept(push(ref), PULLS_ONLY).fetch_ref == ref
    default = HookSettings(build_prs_only=True, default_branch="trunk")
    assert accept(push("refs/heads/trunk"), default).revision.branch == "trunk"


def test_what_is_pushed_to_such_a_branch_is_not_built_twice() -> None:
    body = hooks.github_pull("synchronize")
    assert isinstance(body["pull_request"], dict)
    body["pull_request"]["head"]["ref"] = "release"
    assert decline(hooks.from_github("pull_request", body), PULLS_ONLY) is Decline.PUSH_BUILT


@pytest.mark.parametrize("name", PULLS)
def test_a_fork_is_built_only_when_the_project_says_so_and_has_no_secrets(name: str) -> None:
    message = PULLS[name](FORK)
    for settings in (HookSettings(), PULLS_ONLY, HookSettings(forks_receive_secrets=True)):
        assert decline(message, settings) is Decline.FORK
    facts = accept(message, FORKS)
    assert facts.secrets is False
    assert facts.fork
    assert facts.skip_checked  # strangers cannot skip
    assert (facts.revision.branch, facts.pull_number) == ("pull/7", 7)
    assert facts.fetch_ref == ("refs/heads/mend" if name == "bitbucket" else accept_ref(message))
    assert facts.fetch_url == ("https://bitbucket.org/bob/app.git" if name == "bitbucket" else "")
    generous = HookSettings(build_fork_prs=True, forks_receive_secrets=True, build_prs_only=True)
    assert accept(message, generous).secrets is True


def accept_ref(message: Message) -> str:
    (event,) = read(message).events
    assert isinstance(event, PullRequest)
    assert event.ref
    return event.ref


def test_a_fork_that_is_gone_is_built_where_the_host_keeps_its_commits() -> None:
    body = hooks.github_pull("synchronize", fork=True)
    assert isinstance(body["pull_request"], dict)
    body["pull_request"]["head"]["repo"] = None
    facts = accept(hooks.from_github("pull_request", body), FORKS)
    assert (facts.fork, facts.secrets, facts.fetch_ref) == ("unknown", False, "refs/pull/7/head")
    body = hooks.bitbucket_pull(fork=True)
    assert isinstance(body["pullrequest"], dict)
    body["pullrequest"]["source"]["repository"] = None
    assert decline(hooks.from_bitbucket("pullrequest:created", body), FORKS) is Decline.NO_SOURCE


def test_a_greeting_and_what_is_ignored_are_not_built() -> None:
    assert decline(hooks.from_github("ping", {})) is Decline.NO_BUILD
    assert decline(hooks.from_github("star", {})) is Decline.NO_BUILD


PRESETS = {
    "push": {Preset.ALL_PUSHES},
    "push to the default branch": {
        Preset.ALL_PUSHES, Preset.DEFAULT_BRANCH_PUSHES, Preset.ONLY_BUILD_PRS,
    },
    "tag": {Preset.ALL_PUSHES, Preset.ONLY_TAGS, Preset.ONLY_BUILD_PRS},
    "opened": {Preset.ONLY_BUILD_PRS, Preset.ONLY_OPEN_PRS},
    "synchronize": {Preset.ONLY_BUILD_PRS, Preset.ONLY_BUILD_PUSHES_TO_NON_DRAFT_PRS},
    "reopened": {Preset.ONLY_BUILD_PRS},
    "ready_for_review": {Preset.ONLY_READY_FOR_REVIEW_PRS},
    "closed": {Preset.ONLY_MERGED_OR_CLOSED_PRS},
    "merged": {Preset.ONLY_MERGED_OR_CLOSED_PRS, Preset.ONLY_MERGED_PRS},
    "labeled run-ci": {Preset.ONLY_LABELED_PRS},
    "labeled": set(),
    "deleted": set(),
    "new branch without commits": set(),
    "fork": set(),
}  # fmt: skip
"""Presets by the events they build."""


def make_event(name: str) -> Message:
    merged = hooks.github_pull("closed")
    assert isinstance(merged["pull_request"], dict)
    merged["pull_request"]["merged"] = True
    special = {
        "push": push("refs/heads/mend"),
        "push to the default branch": push(),
        "tag": push("refs/tags/v1", commits=[]),
        "deleted": push("refs/heads/mend", after=ZERO),
        "new branch without commits": push("refs/heads/mend", before=ZERO, commits=[]),
        "merged": hooks.from_github("pull_request", merged),
        "labeled run-ci": pull("labeled", label={"name": "run-ci"}),
        "fork": pull("synchronize", fork=True),
    }
    return special.get(name) or pull(name)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_builds_the_events_it_names_and_no_others(name: str) -> None:
    message = make_event(name)
    built = {
        preset for preset in Preset if isinstance(plan(message, HookSettings(preset=preset)), TriggerFacts)
    }
    assert built == PRESETS[name]


def test_a_merged_pull_request_is_fetched_where_it_outlives_its_branch() -> None:
    facts = accept(make_event("merged"), HookSettings(preset=Preset.ONLY_MERGED_PRS))
    assert (facts.revision.branch, facts.revision.sha, facts.fetch_ref) == ("mend", AFTER, "refs/pull/7/head")
    assert facts.values["pipeline.event.action"] == "closed"


def test_a_draft_is_not_built_where_drafts_are_not() -> None:
    body = hooks.github_pull("synchronize")
    assert isinstance(body["pull_request"], dict)
    body["pull_request"]["draft"] = True
    settings = HookSettings(preset=Preset.ONLY_BUILD_PUSHES_TO_NON_DRAFT_PRS)
    assert decline(hooks.from_github("pull_request", body), settings) is Decline.OTHER_PRESET


@pytest.mark.parametrize("name", [*PUSHES, *(f"{name} fork" for name in PULLS)])
def test_every_value_is_one_a_config_may_name_and_has_its_type(name: str) -> None:
    message = PULLS[name.removesuffix(" fork")](FORK) if name.endswith("fork") else PUSHES[name]()
    values = accept(message, FORKS).values
    types: dict[str, type] = {"string": str, "integer": int, "boolean": bool}
    wrong = {
        key: value
        for key, value in values.items()
        if key not in KNOWN or (value is not None and type(value) is not types[KNOWN[key]])
    }
    assert wrong == {}


def test_values_of_a_push_are_those_of_the_host() -> None:
    values = accept(PUSHES["github"]()).values
    assert values["pipeline.event.name"] == "push"
    assert values["pipeline.trigger.type"] == "github_app"
    assert values["pipeline.trigger.received_at"] == "2025-10-09T08:53:20.000Z"
    assert values["pipeline.git.base_revision"] == BEFORE
    assert values["pipeline.git.repo_id"] == 11
    assert values["pipeline.event.github.sender.login"] == "ann"
    assert values["pipeline.git.ssh_checkout_url"] == "git@github.com:acme/app.git"
    assert (
        accept(PUSHES["gitlab"]()).values["pipeline.trigger_parameters.gitlab.commit_title"] == "fix the pump"
    )


def test_values_of_a_pull_request_are_those_of_the_host() -> None:
    values = accept(pull(fork=True, before=OTHER), FORKS).values
    below = "pipeline.event.github.pull_request."
    assert values["pipeline.event.name"] == "pull_request"
    assert values["pipeline.event.action"] == "opened"
    assert (values[f"{below}number"], values[f"{below}draft"], values[f"{below}head.sha"]) == (
        7,
        False,
        AFTER,
    )
