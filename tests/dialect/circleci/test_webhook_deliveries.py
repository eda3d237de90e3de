"""What webhooks are told of real runs, and what becomes of what cannot be delivered."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER
from penstock.engine.project_settings import add_hook_secret
from penstock.engine.projects import NewProject, create_project, delete_project
from penstock.engine.webhook_choice import FIRST_REST, GIVE_UP_AFTER, GROWTH
from penstock.engine.webhook_desk import FAREWELL, LEASE
from penstock.model.errors import RefusedError
from penstock.model.project import Project
from penstock.model.status import TaskStatus
from penstock.model.webhook import DeliveryState
from penstock.notify.send import Parcel, Receipt
from penstock.store import removal
from tests.support import hooks as told
from tests.support.circle import CircleSite
from tests.support.hook_site import HookSite
from tests.support.shared_data import find_shared
from tests.support.webhook_site import SECRET, WebhookSite, finish

ONE = """\
version: 2.1
jobs:
  test: {machine: true, steps: [{run: make}]}
workflows: {main: {jobs: [test]}}
"""

MIXED = """\
version: 2.1
jobs:
  build: {machine: true, steps: [{run: make}]}
  later: {machine: true, steps: [{run: make}]}
workflows:
  main:
    jobs:
      - build
      - hold: {type: approval}
      - later: {requires: [build]}
"""


@pytest.fixture
def hooks(site: CircleSite) -> WebhookSite:
    made = WebhookSite(site)
    site.code.configs["main"] = ONE
    return made


def run(hooks: WebhookSite, status: TaskStatus = TaskStatus.SUCCESS) -> str:
    """A pipeline of one job ends like this; its id."""
    made = hooks.site.trigger()
    [assignment] = hooks.site.worker.claim(1)
    hooks.site.worker.begin(assignment.task)
    hooks.site.lab.clock.advance(3)
    hooks.site.worker.end(assignment.task, status)
    return str(made["id"])


def kinds(hooks: WebhookSite) -> list[str]:
    return [body["type"] for body in hooks.bodies()]


def test_a_workflow_and_its_job_are_told_when_they_end(hooks: WebhookSite) -> None:
    made = hooks.create()
    hooks.site.trigger()
    hooks.carry()
    assert hooks.sent == []
    pipeline = hooks.site.lab.every_pipeline()[0]
    finish(hooks.site.worker)
    hooks.carry()
    job, workflow = hooks.bodies()
    assert (job["type"], workflow["type"]) == ("job-completed", "workflow-completed")
    assert job["webhook"] == {"id": made["id"], "name": "chat"}
    assert workflow["workflow"]["status"] == "success"
    assert "status" not in job["workflow"]
    assert "job" not in workflow
    assert job["job"]["status"] == "success"
    assert job["job"]["number"] == hooks.site.lab.job(pipeline, "test").number
    assert job["job"]["id"] == hooks.site.lab.job(pipeline, "test").uuid
    assert job["project"]["slug"] == "github/acme/app"
    assert job["organization"] == {"id": hooks.site.acme.uuid, "name": "acme"}
    assert job["pipeline"]["trigger"] == {"type": "api"}
    page = f"/pipelines/github/acme/app/{pipeline.number}/workflows/{workflow['workflow']['id']}"
    assert workflow["workflow"]["url"].endswith(page)
    assert len({job["id"], workflow["id"]}) == 2


def test_each_message_says_what_it_is_and_is_signed(hooks: WebhookSite) -> None:
    hooks.create()
    run(hooks)
    hooks.carry()
    for parcel, body in zip(hooks.sent, hooks.bodies(), strict=True):
        assert parcel.headers["circleci-event-type"] == body["type"]
        assert parcel.headers["Content-Type"] == "application/json"
        assert parcel.headers["User-Agent"] == "CircleCI-Webhook/1.0"
        expected = hmac.new(SECRET.encode(), parcel.body, hashlib.sha256).hexdigest()
        assert parcel.headers["circleci-signature"] == f"v1={expected}"


def test_without_a_secret_nothing_is_signed(hooks: WebhookSite) -> None:
    hooks.create(signing_secret="")
    run(hooks)
    hooks.carry()
    assert hooks.sent
    assert not any("circleci-signature" in parcel.headers for parcel in hooks.sent)


def test_only_the_events_a_webhook_wants_are_sent(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"], url="https://a.example/")
    hooks.create(events=["job-completed"], url="https://b.example/")
    run(hooks)
    hooks.carry()
    sent = {parcel.url: parcel.headers["circleci-event-type"] for parcel in hooks.sent}
    assert sent == {"https://a.example/": "workflow-completed", "https://b.example/": "job-completed"}


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (TaskStatus.FAILED, "failed"),
        (TaskStatus.TIMEDOUT, "failed"),
        (TaskStatus.INFRASTRUCTURE_FAIL, "failed"),
        (TaskStatus.CANCELED, "canceled"),
    ],
)
def test_ends_are_told_in_the_vendors_four_words(hooks: WebhookSite, status: TaskStatus, word: str) -> None:
    hooks.create()
    run(hooks, status)
    hooks.carry()
    job, workflow = hooks.bodies()
    assert job["job"]["status"] == word
    assert workflow["workflow"]["status"] in {word, "failed", "canceled"}


def test_a_rerun_is_told_again(hooks: WebhookSite) -> None:
    hooks.create()
    run(hooks, TaskStatus.FAILED)
    first = hooks.site.get_workflow()
    hooks.site.post(f"workflow/{first}/rerun", {"from_failed": True}, 202)
    finish(hooks.site.worker)
    hooks.carry()
    assert kinds(hooks) == ["job-completed", "workflow-completed"] * 2
    ends = [body["workflow"] for body in hooks.bodies() if body["type"] == "workflow-completed"]
    assert [each["status"] for each in ends] == ["failed", "success"]
    assert ends[0]["id"] == first != ends[1]["id"]


def test_a_job_that_a_rerun_keeps_is_not_told_again(hooks: WebhookSite) -> None:
    hooks.create(events=["job-completed"])
    hooks.site.code.configs["main"] = MIXED.replace("      - hold: {type: approval}\n", "")
    hooks.site.trigger()
    finish(hooks.site.worker)
    [assignment] = hooks.site.worker.claim(1)
    hooks.site.worker.begin(assignment.task)
    hooks.site.worker.end(assignment.task, TaskStatus.FAILED)
    hooks.site.post(f"workflow/{hooks.site.get_workflow()}/rerun", {"from_failed": True}, 202)
    finish(hooks.site.worker)
    hooks.carry()
    names = [(body["job"]["name"], body["job"]["status"]) for body in hooks.bodies()]
    assert names == [("build", "success"), ("later", "failed"), ("later", "success")]


def test_neither_approvals_nor_jobs_that_never_had_their_turn_are_told(hooks: WebhookSite) -> None:
    hooks.create()
    hooks.site.code.configs["main"] = MIXED
    hooks.site.trigger()
    [assignment] = hooks.site.worker.claim(1)
    hooks.site.worker.begin(assignment.task)
    hooks.site.worker.end(assignment.task, TaskStatus.FAILED)
    hooks.site.lab.approve(hooks.site.lab.every_pipeline()[0], "hold")
    hooks.carry()
    assert [body["job"]["name"] for body in hooks.bodies() if "job" in body] == ["build"]
    assert kinds(hooks)[-1] == "workflow-completed"


def test_a_job_that_may_not_use_its_context_is_told_as_unauthorized(hooks: WebhookSite) -> None:
    hooks.create()
    hooks.site.restrict_context()
    hooks.site.code.configs["main"] = ONE.replace("[test]", "[test: {context: deploy}]")
    hooks.site.trigger()
    hooks.carry()
    job, workflow = hooks.bodies()
    assert (job["job"]["status"], workflow["workflow"]["status"]) == ("unauthorized", "unauthorized")
    assert job["job"]["started_at"] is None


def test_a_canceled_workflow_is_told(hooks: WebhookSite) -> None:
    hooks.create()
    hooks.site.trigger()
    hooks.site.post(f"workflow/{hooks.site.get_workflow()}/cancel", None, 202)
    hooks.carry()
    sent = {body["type"]: body for body in hooks.bodies()}
    assert sent["workflow-completed"]["workflow"]["status"] == "canceled"
    assert sent["job-completed"]["job"]["status"] == "canceled"


def _paths(value: object, at: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, f"{at}.{name}")
    else:
        yield at


SAMPLES = "circleci/samples/webhooks"


@pytest.mark.parametrize("event", ["workflow-completed", "job-completed"])
def test_the_keys_are_those_of_the_vendors_samples(hooks: WebhookSite, event: str) -> None:
    sample = msgspec.json.decode(
        find_shared(f"{SAMPLES}/{event}-for-github-oauth-and-bitbucket-cloud.json").read_bytes()
    )
    hooks.create(events=[event])
    run(hooks)
    hooks.carry()
    [body] = hooks.bodies()
    assert set(_paths(body)) == set(_paths(sample))
    for part in ("happened_at", "pipeline.created_at", "workflow.created_at", "workflow.stopped_at"):
        assert len(_at(body, part)) == len(_at(sample, part)), part
        assert _at(body, part).endswith("Z")


def _at(value: Any, path: str) -> Any:  # noqa: ANN401 - JSON
    for name in path.split("."):
        value = value[name]
    return value


def push(hooks: WebhookSite, project: Project, message: told.Message) -> None:
    """The project has a webhook and builds what was pushed."""
    scope = {"id": project.uuid, "type": "project"}
    hooks.create(events=["workflow-completed"], scope=scope)
    site = HookSite(hooks.site)
    add_hook_secret(hooks.parts, hooks.site.sealer, SERVER, project, told.SECRET)
    site.commits.config = ONE
    assert site.send(message, project.uuid).status == 202
    site.carry()
    finish(hooks.site.worker)
    hooks.carry()


def test_what_a_project_on_gitlab_tells_has_the_keys_of_the_vendors_sample(hooks: WebhookSite) -> None:
    name = "workflow-completed-for-gitlab-github-app-and-bitbucket-data-center.json"
    sample = msgspec.json.decode(find_shared(f"{SAMPLES}/{name}").read_bytes())
    owner = create_organization(hooks.parts, SERVER, host="gl", name="acme")
    new = NewProject(name="app", url="https://gitlab.com/acme/app.git")
    project = create_project(hooks.parts, SERVER, owner, new)
    push(hooks, project, told.from_gitlab("Push Hook", told.gitlab_push(user_id=7)))
    [body] = hooks.bodies()
    assert set(_paths(sample)) - set(_paths(body)) == set()
    assert "vcs" not in body["pipeline"]
    assert body["pipeline"]["trigger"] == {"type": "gitlab"}
    assert body["project"]["slug"] == "gitlab/acme/app"
    parameters = body["pipeline"]["trigger_parameters"]
    assert parameters["git"]["checkout_sha"] == told.AFTER
    assert parameters["circleci"]["event_type"] == "push"
    assert parameters["gitlab"]["user_id"] == "7"
    assert all(isinstance(value, str) for group in parameters.values() for value in group.values())


def test_a_push_to_github_is_told_with_its_commit(hooks: WebhookSite) -> None:
    push(hooks, hooks.site.project, told.from_github("push", told.github_push()))
    [body] = hooks.bodies()
    vcs = body["pipeline"]["vcs"]
    assert body["pipeline"]["trigger"] == {"type": "webhook"}
    assert (vcs["provider_name"], vcs["branch"], vcs["revision"]) == ("github", "main", told.AFTER)
    assert vcs["target_repository_url"] == "https://github.com/acme/app"
    assert vcs["commit"] == {
        "subject": "fix the pump",
        "body": "It leaked.",
        "author": {"name": "Ann", "email": "ann@example.com"},
        "authored_at": "2025-06-15T15:06:40Z",
        "committer": {"name": "Bob", "email": "bob@example.com"},
        "committed_at": "2025-06-15T15:06:41Z",
    }
    assert "tag" not in vcs


def test_a_failure_is_tried_again_with_the_same_body_until_it_works(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])
    hooks.answer = lambda _: Receipt(status=500, error="the receiver answered with status 500")
    run(hooks)
    for attempt in range(4):
        due = hooks.carry()
        assert due is not None
        assert due - hooks.parts.clock.now() == FIRST_REST * GROWTH**attempt
        hooks.site.lab.clock.advance(FIRST_REST * GROWTH**attempt / 1000)
    hooks.answer = lambda _: Receipt(status=204)
    assert hooks.carry() is None
    assert len(hooks.sent) == 5
    assert len({parcel.body for parcel in hooks.sent}) == 1
    [delivery] = hooks.log()
    assert (delivery.state, delivery.attempts, delivery.status) == (DeliveryState.DELIVERED, 5, 204)
    assert delivery.uuid == hooks.bodies()[0]["id"]


def test_what_fails_for_a_day_is_given_up(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])
    hooks.answer = lambda _: Receipt(status=400, error="the receiver answered with status 400", answer="no")
    run(hooks)
    while (due := hooks.carry()) is not None:
        hooks.site.lab.clock.advance((due - hooks.parts.clock.now()) / 1000)
    [delivery] = hooks.log()
    assert (delivery.state, delivery.status, delivery.answer) == (DeliveryState.FAILED, 400, "no")
    assert GIVE_UP_AFTER <= hooks.parts.clock.now() - delivery.created_at < GIVE_UP_AFTER + 3_700_000
    assert 20 < delivery.attempts < 40


def test_a_message_that_a_receiver_refuses_does_not_hold_up_the_next(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])
    run(hooks)
    hooks.answer = lambda _: Receipt(status=500)
    hooks.carry()
    run(hooks)
    hooks.answer = lambda _: Receipt(status=200)
    hooks.carry()
    assert [each.state for each in hooks.log()] == [DeliveryState.WAITING, DeliveryState.DELIVERED]


def test_a_receiver_that_is_gone_is_asked_once_at_a_time(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])
    hooks.answer = lambda _: Receipt(error="no answer within 10 s", duration=10_000)
    for _ in range(5):
        run(hooks)
    hooks.carry()
    assert len(hooks.sent) == 1
    for _ in range(10):
        due = hooks.carry()
        assert due is not None
        hooks.site.lab.clock.advance((due - hooks.parts.clock.now()) / 1000)
    assert len(hooks.sent) == 10
    hooks.answer = lambda _: Receipt(status=200)
    assert hooks.carry() is None
    assert {each.state for each in hooks.log()} == {DeliveryState.DELIVERED}


def test_what_waited_for_a_receiver_for_a_day_is_given_up_untried(hooks: WebhookSite) -> None:
    hooks.create()
    hooks.answer = lambda _: Receipt(error="no answer within 10 s", duration=10_000)
    run(hooks)
    hooks.carry()
    hooks.site.lab.clock.advance(GIVE_UP_AFTER / 1000 + 61)
    hooks.carry()
    assert {each.state for each in hooks.log()} == {DeliveryState.FAILED}


def test_a_receiver_may_ask_to_be_left_alone(hooks: WebhookSite) -> None:
    hooks.create()
    hooks.answer = lambda _: Receipt(status=429, wait="300")
    run(hooks)
    due = hooks.carry()
    assert due == hooks.parts.clock.now() + 300_000
    assert len(hooks.sent) == 1


def test_an_address_that_is_refused_is_not_tried_again(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])
    hooks.answer = lambda _: Receipt(error="the URL leads to a private or special address", final=True)
    run(hooks)
    assert hooks.carry() is None
    [delivery] = hooks.log()
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 1)
    assert "private" in delivery.error


def test_a_change_holds_for_what_waits(hooks: WebhookSite) -> None:
    made = hooks.create(events=["workflow-completed"])
    hooks.answer = lambda _: Receipt(error="no connection")
    run(hooks)
    hooks.carry()
    wish = {"url": "https://new.example/", "signing-secret": "newer", "verify-tls": False}
    hooks.site.succeed("PUT", f"/api/v2/webhook/{made['id']}", wish, 200)
    hooks.answer = lambda _: Receipt(status=200)
    hooks.site.lab.clock.advance(FIRST_REST / 1000)
    assert hooks.carry() is None
    old, new = hooks.sent
    assert (new.url, new.verify_tls, new.body) == ("https://new.example/", False, old.body)
    expected = hmac.new(b"newer", new.body, hashlib.sha256).hexdigest()
    assert new.headers["circleci-signature"] == f"v1={expected}"


def test_nothing_is_sent_to_a_webhook_that_was_deleted(hooks: WebhookSite) -> None:
    made = hooks.create()
    run(hooks)
    hooks.site.succeed("DELETE", f"/api/v2/webhook/{made['id']}", None, 200)
    assert hooks.carry() is None
    assert hooks.sent == []


def test_a_webhook_may_be_deleted_while_something_is_sent_to_it(hooks: WebhookSite) -> None:
    made = hooks.create()
    run(hooks)
    hooks.held = []
    hooks.carry()
    hooks.site.succeed("DELETE", f"/api/v2/webhook/{made['id']}", None, 200)
    for work in hooks.held:
        work()
    assert hooks.carry() is None
    assert hooks.log() == []


def test_nothing_is_sent_for_a_project_on_its_way_out(hooks: WebhookSite) -> None:
    hooks.create()
    run(hooks)
    delete_project(hooks.parts, SERVER, hooks.site.project)
    assert hooks.carry() is None
    assert hooks.sent == []
    assert {each.state for each in hooks.log()} == {DeliveryState.DROPPED}


def test_a_webhook_made_while_a_pipeline_runs_is_told_of_its_end(hooks: WebhookSite) -> None:
    hooks.site.trigger()
    hooks.create()
    finish(hooks.site.worker)
    hooks.carry()
    assert kinds(hooks) == ["job-completed", "workflow-completed"]


def test_two_servers_send_each_message_once(hooks: WebhookSite) -> None:
    hooks.create()
    hooks.create(url="https://b.example/")
    run(hooks)
    other = hooks.open_desk()
    hooks.held = []
    desks = [hooks.desk, other]
    for number in range(20):
        desks[number % 2].round(hooks.parts)
        for work in hooks.held:
            work()
        hooks.held.clear()
    ids = [(parcel.url, parcel.body) for parcel in hooks.sent]
    assert len(ids) == len(set(ids)) == 4


def test_what_a_server_that_died_had_begun_is_sent_by_another(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])
    run(hooks)
    hooks.held = []
    hooks.carry()
    assert len(hooks.held) == 1
    hooks.held = None
    hooks.desk = hooks.open_desk()
    due = hooks.carry()
    assert due == hooks.parts.clock.now() + LEASE
    assert hooks.sent == []
    hooks.site.lab.clock.advance(LEASE / 1000)
    assert hooks.carry() is None
    [delivery] = hooks.log()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 2)


def test_a_desk_that_closes_notes_what_has_ended(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])
    run(hooks)
    hooks.held = []
    hooks.desk.round(hooks.parts)
    for work in hooks.held:
        work()
    hooks.desk.close(hooks.parts)
    [delivery] = hooks.log()
    assert delivery.state is DeliveryState.DELIVERED
    assert FAREWELL > 0


def test_a_secret_that_does_not_open_fails_its_own_webhook_only(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])
    hooks.create(events=["workflow-completed"], url="https://open.example/", signing_secret="")
    run(hooks)

    def refuse(_sealed: bytes, _place: str) -> bytes:
        raise RefusedError("a stored secret was sealed with a key that is not among the present ones")

    kept = hooks.site.sealer.open
    hooks.site.sealer.open = refuse  # type: ignore[assignment, method-assign]  # this one sealer, for a moment
    hooks.carry()
    hooks.site.sealer.open = kept  # type: ignore[method-assign]  # as it was
    assert [parcel.url for parcel in hooks.sent] == ["https://open.example/"]
    hooks.site.lab.clock.advance(FIRST_REST / 1000)
    assert hooks.carry() is None
    assert len(hooks.sent) == 2


def test_a_sender_that_breaks_breaks_nothing_else(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])

    def fail(_parcel: Parcel) -> Receipt:
        raise ZeroDivisionError

    run(hooks)
    hooks.answer = fail
    assert hooks.carry() is not None
    [delivery] = hooks.log()
    assert (delivery.state, delivery.error) == (DeliveryState.WAITING, "internal error (ZeroDivisionError)")


def test_a_server_without_room_for_another_thread_tries_again(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])
    run(hooks)

    class Full(list[Callable[[], None]]):
        def append(self, work: Callable[[], None]) -> None:
            raise RuntimeError("can't start new thread", work)

    hooks.held = Full()
    assert hooks.carry() is not None
    assert hooks.sent == []
    hooks.held = None
    hooks.site.lab.clock.advance(FIRST_REST / 1000)
    assert hooks.carry() is None
    assert len(hooks.sent) == 1


def test_a_pipeline_that_was_removed_is_not_told_of(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])
    run(hooks)
    with hooks.parts.db.write() as tx:
        removal.delete_pipelines(tx, [hooks.site.lab.every_pipeline()[0].id])
    assert hooks.carry() is None
    [delivery] = hooks.log()
    assert (delivery.state, hooks.sent) == (DeliveryState.DROPPED, [])


def test_a_very_long_message_of_a_commit_is_cut(hooks: WebhookSite) -> None:
    hooks.create(events=["workflow-completed"])
    plan = {"workflows": {"main": {"jobs": {"a": None}}}}
    pipeline = hooks.site.lab.trigger(plan, subject="s" * 50_000, body="b" * 500_000)
    finish(hooks.site.worker)
    hooks.carry()
    [body] = hooks.bodies()
    assert body["pipeline"]["id"] == pipeline.uuid
    commit = body["pipeline"]["vcs"]["commit"]
    assert (len(commit["subject"]), len(commit["body"])) == (16_384, 16_384)
    assert commit["committed_at"] is None
