"""Webhooks that are in order: which pipelines they make, and what those are told."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import msgspec
import pytest

from penstock.engine.accounts import create_user
from penstock.engine.deliver import MOST_ATTEMPTS
from penstock.engine.launch import Workshop
from penstock.engine.principal import SERVER
from penstock.engine.push import PUSH, Order, launch_push
from penstock.model.errors import ConflictError, ForbiddenError, NotFoundError, UnavailableError
from penstock.model.run import Fork
from penstock.model.status import PipelineStatus
from penstock.store import outbox
from penstock.store.users import Profile
from tests.support import hooks
from tests.support.circle import CONFIG
from tests.support.hook_site import HookSite


def push(ref: str = "refs/heads/main", **changes: object) -> hooks.Message:
    return hooks.from_github("push", hooks.github_push(ref, **changes))


@pytest.mark.parametrize("name", ["", "gh/acme/app", "github/acme/app"])
def test_a_push_is_promised_at_once_and_built_after_the_answer(hooked: HookSite, name: str) -> None:
    reply = hooked.send(push("refs/heads/mend"), name)
    assert reply.status == 202
    [promised] = reply.json()["pipelines"]
    assert hooked.pipelines() == []
    assert hooked.carry() is None
    [pipeline] = hooked.pipelines()
    assert promised == {"id": pipeline.uuid, "branch": "mend", "revision": hooks.AFTER}
    revision = pipeline.revision
    assert (revision.sha, revision.base, revision.subject) == (hooks.AFTER, hooks.BEFORE, "fix the pump")
    assert (pipeline.trigger, pipeline.actor, pipeline.number) == ("webhook", "ann", 1)
    assert hooked.site.lab.status(pipeline) == "running"


@pytest.mark.parametrize(
    "message",
    [
        hooks.from_github("push", hooks.github_push()),
        hooks.from_gitea("push", hooks.gitea_push()),
        hooks.from_gitlab("Push Hook", hooks.gitlab_push()),
        hooks.from_bitbucket("repo:push", hooks.bitbucket_push()),
    ],
    ids=["github", "gitea", "gitlab", "bitbucket"],
)
def test_every_host_is_understood(hooked: HookSite, message: hooks.Message) -> None:
    [pipeline] = hooked.build(message)
    assert (pipeline.revision.sha, pipeline.revision.branch) == (hooks.AFTER, "main")


@pytest.mark.parametrize("pusher", [{"full_name": "boss", "email": "boss@example.com"}, {}, None])
def test_who_has_no_login_at_the_host_is_nobody_here(hooked: HookSite, pusher: object) -> None:
    [pipeline] = hooked.build(push(sender=None, pusher=pusher))
    assert pipeline.actor == "webhook"
    with pytest.raises(ConflictError, match="whoever pushes"):
        create_user(hooked.site.parts, SERVER, Profile(login="Webhook"))


def test_a_config_may_ask_what_the_event_said_also_later(hooked: HookSite) -> None:
    name = "pipeline.trigger_parameters.github_app.forced"
    hooked.commits.config = hooked.commits.config.replace("name: Make", f"name: << {name} >>")
    [pipeline] = hooked.build(push(forced=True))
    values = hooked.site.get(f"pipeline/{pipeline.uuid}/values")
    assert (values[name], values["pipeline.trigger_source"]) == ("true", "webhook")
    compiled = hooked.site.get(f"pipeline/{pipeline.uuid}/config")["compiled"]
    assert "name: 'true'" in compiled or 'name: "true"' in compiled or "name: true" in compiled


def test_a_tag_is_built_as_one(hooked: HookSite) -> None:
    [pipeline] = hooked.build(push("refs/tags/v1"))
    assert (pipeline.revision.tag, pipeline.revision.branch) == ("v1", "")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (hooks.from_github("ping", {"zen": "…", "hook_id": 1}), "nothing is built"),
        (hooks.from_github("star", {"action": "created"}), "nothing is built"),
        (push(after=hooks.ZERO, deleted=True, head_commit=None, commits=[]), "deleted"),
        (push(head_commit=hooks.github_commit(message="docs [skip ci]")), "skip ci"),
        (hooks.from_github("pull_request", hooks.github_pull()), "built when they are pushed"),
        (hooks.from_github("pull_request", hooks.github_pull(fork=True)), "forks are not built"),
        (push(repository=hooks.github_repository("acme/other", 99)), "another repository"),
    ],
    ids=["ping", "unknown event", "deleted branch", "skip", "own pull request", "fork", "other repository"],
)
def test_what_means_no_pipeline_is_answered_with_the_reason(
    hooked: HookSite, message: hooks.Message, reason: str
) -> None:
    reply = hooked.send(message)
    assert reply.status == 200
    assert reply.json()["pipelines"] == []
    assert reason in reply.json()["ignored"][0]["reason"]
    assert hooked.carry() is None
    assert hooked.pipelines() == []
    assert hooked.send(message).status == 200  # it may come again, since nothing follows from it


def test_a_message_the_host_did_not_tell_is_looked_up_for_its_mark(hooked: HookSite) -> None:
    hooked.commits.messages[hooks.AFTER] = "docs\n\n[ci skip]"
    assert hooked.build(push(head_commit=None, commits=[])) == []
    hooked.commits.messages[hooks.AFTER] = "docs"
    assert len(hooked.build(push(head_commit=None, commits=[], forced=True))) == 1


def test_with_pull_requests_only_branches_wait_for_theirs(hooked: HookSite) -> None:
    hooked.change(build_prs_only=True, pr_only_branch_overrides=["release"])
    assert hooked.build(push("refs/heads/mend")) == []
    branches = [each.revision.branch for each in hooked.build(push("refs/heads/release"))]
    assert branches == ["release"]
    hooked.build(push("refs/heads/main"))
    hooked.build(hooks.from_github("pull_request", hooks.github_pull()))
    assert [each.revision.branch for each in hooked.pipelines()] == ["release", "main", "mend"]
    assert hooked.pipelines()[-1].revision.pull_request == "https://github.com/acme/app/pull/7"


@pytest.mark.parametrize("trusted", [False, True])
def test_a_fork_is_built_when_wanted_and_has_secrets_only_when_they_are_passed(
    hooked: HookSite, *, trusted: bool
) -> None:
    hooked.change(build_fork_prs=True, forks_receive_secret_env_vars=trusted)
    [pipeline] = hooked.build(hooks.from_github("pull_request", hooks.github_pull(fork=True)))
    assert pipeline.revision.fork == Fork(number=7, owner="bob", name="app")
    assert (pipeline.revision.branch, pipeline.revision.sha) == ("pull/7", hooks.AFTER)
    assert hooked.commits.fetched[0].ref == "refs/pull/7/head"
    assignment = hooked.site.worker.claim(1)[0]
    assert assignment.environment["CIRCLE_PR_USERNAME"] == "bob"
    assert ("TOKEN" in assignment.environment) is trusted


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_a_pull_request_that_is_triggered_by_hand_is_a_stranger_s(
    hooked: HookSite, *, trusted: bool, whole: bool
) -> None:
    site = hooked.site
    hooked.change(forks_receive_secret_env_vars=trusted)
    site.code.configs["pull/7/head"] = CONFIG
    site.code.foreign.add("pull/7/head")
    ref = {"branch": "pull/7/head"}
    if whole:
        site.trigger(**ref)
    else:  # the code is ours, its config is not
        site.post("project/gh/acme/app/pipeline/run", {"checkout": {"branch": "main"}, "config": ref}, 201)
    [pipeline] = hooked.pipelines()
    assert pipeline.revision.fork == Fork(number=7, owner="", name="")
    assert ("TOKEN" in site.worker.claim(1)[0].environment) is trusted


def test_a_newer_push_cancels_what_is_older_on_its_branch_but_not_on_the_default_one(
    hooked: HookSite,
) -> None:
    hooked.change(autocancel_builds=True)
    for branch in ("mend", "main"):
        for sha in (hooks.OTHER, hooks.AFTER):
            hooked.build(push(f"refs/heads/{branch}", after=sha, head_commit=hooks.github_commit(sha)))
    states = [hooked.site.lab.status(pipeline) for pipeline in hooked.pipelines()]
    assert states == ["canceled", "running", "running", "running"]


def test_the_default_branch_is_the_one_the_host_tells(hooked: HookSite) -> None:
    hooked.change(autocancel_builds=True, build_prs_only=True)
    repository = hooks.github_repository() | {"default_branch": "trunk"}
    for sha in (hooks.OTHER, hooks.AFTER):
        commit = hooks.github_commit(sha)
        hooked.build(push("refs/heads/trunk", after=sha, head_commit=commit, repository=repository))
    assert [hooked.site.lab.status(each) for each in hooked.pipelines()] == ["running", "running"]
    assert hooked.site.find("gh/acme/app").default_branch == "trunk"


def test_a_commit_that_is_gone_makes_an_errored_pipeline(hooked: HookSite) -> None:
    hooked.commits.errors = [NotFoundError("there is no such commit")]
    [pipeline] = hooked.build(push())
    assert pipeline.status is PipelineStatus.ERRORED
    assert pipeline.errors[0].message == "Failed to fetch the commit: there is no such commit"


def test_refused_credentials_are_shown_at_once(hooked: HookSite) -> None:
    hooked.commits.errors = [ForbiddenError("it refuses the given credentials")]
    [pipeline] = hooked.build(push())
    assert pipeline.status is PipelineStatus.ERRORED


def test_an_origin_that_is_away_is_asked_again(hooked: HookSite) -> None:
    hooked.commits.errors = [UnavailableError("it does not answer")]
    assert hooked.build(push()) == []
    hooked.site.lab.clock.advance(2)
    assert hooked.carry() is None
    assert [pipeline.status for pipeline in hooked.pipelines()] == [PipelineStatus.CREATED]


def test_an_origin_that_stays_away_makes_an_errored_pipeline(hooked: HookSite) -> None:
    hooked.commits.errors = [UnavailableError("it does not answer")] * MOST_ATTEMPTS
    hooked.send(push())
    for _ in range(MOST_ATTEMPTS):
        hooked.carry()
        hooked.site.lab.clock.advance(3_600)
    [pipeline] = hooked.pipelines()
    assert pipeline.errors[0].message == "Failed to fetch the commit: it does not answer"


def test_pushes_of_a_project_are_built_in_order(hooked: HookSite) -> None:
    hooked.commits.errors = [UnavailableError("it does not answer")]
    hooked.send(push(after=hooks.OTHER, head_commit=hooks.github_commit(hooks.OTHER)))
    hooked.carry()
    assert hooked.pipelines() == []
    # That the host sends another one tells that it is there again: nobody waits any longer.
    hooked.build(push())
    assert [each.revision.sha for each in hooked.pipelines()] == [hooks.OTHER, hooks.AFTER]


def test_a_project_that_takes_no_work_builds_nothing(hooked: HookSite) -> None:
    hooked.change(block_new_work=True)
    assert hooked.build(push()) == []
    assert hooked.carry() is None


def orders_of(hooked: HookSite) -> list[Order]:
    with hooked.parts.db.write() as tx:
        letters = outbox.take_due(tx, [PUSH], hooked.site.lab.clock.now(), lease_until=0)
    return [msgspec.convert(letter.payload, Order) for letter in letters]


def test_a_letter_that_comes_again_makes_no_other_pipeline(hooked: HookSite) -> None:
    hooked.send(push())
    [order] = orders_of(hooked)
    workshop = Workshop(code=hooked.commits)
    first = launch_push(hooked.parts, workshop, order)
    assert launch_push(hooked.parts, workshop, order) == first
    hooked.carry()
    assert len(hooked.pipelines()) == 1
    assert len(hooked.commits.fetched) == 1


def test_servers_that_have_the_same_letter_make_one_pipeline(hooked: HookSite) -> None:
    hooked.send(push())
    [order] = orders_of(hooked)
    hooked.commits.meeting = Barrier(2)
    workshop = Workshop(code=hooked.commits)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(launch_push, hooked.parts, workshop, order) for _ in range(2)]
        made = {pipeline.uuid for pipeline in (run.result() for run in runs) if pipeline is not None}
    assert made == {order.pipeline}
    assert len(hooked.pipelines()) == 1


def test_hosts_that_send_twice_at_once_are_heard_once(hooked: HookSite) -> None:
    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(lambda _: hooked.send(push()).status, range(4)))
    assert statuses == [202, 409, 409, 409]
    hooked.carry()
    assert len(hooked.pipelines()) == 1
