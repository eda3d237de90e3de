"""Commit statuses: what a host is told, in which order, and what becomes of it when it does not answer."""

import json

import pytest

from penstock.engine.host_account import set_host_account, show_host_account
from penstock.engine.lookup import find_project
from penstock.engine.principal import SERVER
from penstock.engine.projects import move_source
from penstock.forge.status.send import Outcome, Sent
from penstock.model.credentials import HostAccount
from penstock.model.errors import InvalidError
from tests.support import hooks
from tests.support.hook_site import HookSite

TOKEN = "t0ken-of-the-host"
PUSH = hooks.from_github("push", hooks.github_push())


def connect(hooked: HookSite, account: HostAccount | None = None) -> HostAccount | None:
    return set_host_account(
        hooked.parts, hooked.site.sealer, SERVER, hooked.project, account or HostAccount(token=TOKEN)
    )


def told(hooked: HookSite) -> list[tuple[str, str]]:
    """Name and state of each status that was sent."""
    bodies = [json.loads(request.body) for request in hooked.sent]
    return [(body["context"].removeprefix("ci/circleci: "), body["state"]) for body in bodies]


def test_a_host_is_told_of_each_job_as_it_goes(hooked: HookSite) -> None:
    connect(hooked)
    [pipeline] = hooked.build(PUSH)
    hooked.tell()
    assert told(hooked) == [("build", "pending")]
    tasks = hooked.site.worker.claim(2)
    for task in tasks:
        hooked.site.worker.begin(task.task)
    hooked.tell()
    for task in tasks:
        hooked.site.worker.end(task.task)
    assert hooked.tell() is None
    assert told(hooked) == [
        ("build", "pending"),
        ("build", "pending"),
        ("build", "success"),
        ("hold", "pending"),
    ]
    request = hooked.sent[2]
    assert request.url == f"https://api.github.com/repos/acme/app/statuses/{hooks.AFTER}"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    body = json.loads(request.body)
    job = hooked.site.lab.job(pipeline, "build")
    assert body["target_url"].endswith(
        f"/pipelines/github/acme/app/1/workflows/{_workflow(hooked)}/jobs/{job.number}"
    )
    assert json.loads(hooked.sent[3].body)["description"] == "Waiting for an approval"


def _workflow(hooked: HookSite) -> str:
    return hooked.site.lab.workflow(hooked.pipelines()[-1]).uuid


def test_what_is_no_longer_true_is_not_told(hooked: HookSite) -> None:
    connect(hooked)
    hooked.build(PUSH)
    for task in hooked.site.worker.claim(2):
        hooked.site.worker.begin(task.task)
        hooked.site.worker.end(task.task)
    hooked.tell()
    assert sorted(told(hooked)) == [("build", "success"), ("hold", "pending")]


def test_a_host_that_is_away_is_told_later_and_in_order(hooked: HookSite) -> None:
    connect(hooked)
    hooked.outcomes = [Sent(outcome=Outcome.RETRY, status=503, message="away", wait=90)]
    hooked.build(PUSH)
    assert hooked.tell() == hooked.site.lab.clock.now() + 90_000
    for task in hooked.site.worker.claim(2):
        hooked.site.worker.begin(task.task)
        hooked.site.worker.end(task.task)
    hooked.tell()
    assert told(hooked) == [("build", "pending"), ("hold", "pending")]
    hooked.site.lab.clock.advance(90)
    assert hooked.tell() is None
    assert told(hooked) == [("build", "pending"), ("hold", "pending"), ("build", "success")]


def test_a_host_that_refuses_for_good_is_not_asked_again(hooked: HookSite) -> None:
    connect(hooked)
    hooked.outcomes = [Sent(outcome=Outcome.FINAL, status=401, message="Bad credentials")]
    hooked.build(PUSH)
    assert hooked.tell() is None
    assert len(hooked.sent) == 1


def test_a_config_that_cannot_be_used_is_told_too(hooked: HookSite) -> None:
    connect(hooked)
    hooked.commits.config = "version: 2.1\njobs: 7\n"
    [pipeline] = hooked.build(PUSH)
    hooked.tell()
    assert told(hooked) == [("Build Error", "error")]
    assert json.loads(hooked.sent[0].body)["description"] == pipeline.errors[0].message[:140]


@pytest.mark.parametrize("when", ["before", "after"])
def test_nothing_is_told_when_nobody_wants_it(hooked: HookSite, when: str) -> None:
    connect(hooked)
    if when == "before":
        hooked.change(set_github_status=False)
    hooked.build(PUSH)
    if when == "after":
        connect_nowhere(hooked)
    assert hooked.tell() is None
    assert hooked.sent == []


def connect_nowhere(hooked: HookSite) -> None:
    set_host_account(hooked.parts, hooked.site.sealer, SERVER, hooked.project, None)


def test_an_account_is_completed_from_the_address_and_never_shows_its_token(hooked: HookSite) -> None:
    whole = HostAccount(token="", host="github", api="https://api.github.com", repository="acme/app")
    assert connect(hooked) == whole
    with hooked.parts.db.read() as tx:
        assert show_host_account(tx, hooked.site.sealer, hooked.project) == whole
    assert TOKEN not in repr(HostAccount(token=TOKEN))
    own = HostAccount(token=TOKEN, host="gitea", api="http://git.acme.example:3000/api/v1", repository="a/b")
    assert connect(hooked, own) is not None
    hooked.build(PUSH)
    hooked.tell()
    assert hooked.sent[0].url == f"http://git.acme.example:3000/api/v1/repos/a/b/statuses/{hooks.AFTER}"


def test_an_account_is_shown_though_the_project_has_moved(hooked: HookSite) -> None:
    connect(hooked)
    hooked.build(PUSH)
    move_source(hooked.parts, SERVER, hooked.project, url="/srv/git/app.git")
    with hooked.parts.db.read() as tx:
        moved = find_project(tx, "gh/acme/app")
        assert show_host_account(tx, hooked.site.sealer, moved) == HostAccount(token="")
    assert hooked.tell() is None
    assert hooked.sent == []


@pytest.mark.parametrize(
    "account",
    [
        HostAccount(token=""),
        HostAccount(token="a\nb"),
        HostAccount(token=TOKEN, host="svn"),
        HostAccount(token=TOKEN, api="file:///etc/passwd"),
        HostAccount(token=TOKEN, api="https://user:word@host.example"),
        HostAccount(token=TOKEN, repository="../../user"),
        HostAccount(token=TOKEN, repository="app"),
    ],
)
def test_an_account_that_cannot_be_is_refused(hooked: HookSite, account: HostAccount) -> None:
    with pytest.raises(InvalidError):
        connect(hooked, account)
