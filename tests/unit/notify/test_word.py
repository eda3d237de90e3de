"""What is sent, for commits, hosts and triggers of all kinds."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from penstock.model.project import Organization, Project
from penstock.model.run import Authorship, Pipeline, Revision, TriggerType, Workflow
from penstock.model.status import JobStatus, PipelineStatus, Reason, WorkflowStatus
from penstock.model.webhook import Delivery, DeliveryState, Webhook, WebhookEvent
from penstock.notify.word import JOB_STATUSES, WORKFLOW_STATUSES, Story, word_body
from tests.support.records import NOW

SHA = "a" * 40
OWNER = Organization(id=1, uuid="o", slug="gh/acme", name="acme")
WEBHOOK = Webhook(
    id=1,
    uuid="w",
    project_id=1,
    name="chat",
    events=(WebhookEvent.WORKFLOW_COMPLETED,),
    url="https://example.com/",
    verify_tls=True,
    signed=False,
    created_at=NOW,
    updated_at=NOW,
)
DELIVERY = Delivery(
    id=1,
    uuid="d",
    webhook_id=1,
    event=WebhookEvent.WORKFLOW_COMPLETED,
    subject="f",
    state=DeliveryState.SENDING,
    created_at=NOW,
    asked_at=NOW,
    due_at=NOW,
    attempts=1,
    attempted_at=NOW,
    status=None,
    duration=None,
    error="",
    answer="",
)


def word(
    slug: str,
    revision: Revision,
    *,
    trigger: TriggerType = TriggerType.API,
    status: WorkflowStatus = WorkflowStatus.SUCCESS,
    values: Mapping[str, object] | None = None,
) -> Any:  # noqa: ANN401 - JSON
    """The body about a workflow of the project's, decoded."""
    project = Project(
        id=1,
        uuid="p",
        organization_id=1,
        slug=slug,
        name="app",
        url="https://ann@git.example.com/acme/app.git",
        default_branch="main",
        created_at=NOW,
    )
    pipeline = Pipeline(
        id=1,
        uuid="l",
        project_id=1,
        number=3,
        status=PipelineStatus.CREATED,
        created_at=NOW,
        updated_at=NOW,
        trigger=trigger,
        actor="ann",
        revision=revision,
        language="circleci",
        parameters={},
    )
    workflow = Workflow(
        id=1,
        uuid="f",
        pipeline_id=1,
        key="main",
        name="main",
        status=status,
        reason=Reason.NONE,
        created_at=NOW,
        started_at=NOW,
        stopped_at=NOW + 1,
        workspace="s",
    )
    story = Story(pipeline=pipeline, workflow=workflow, job=None, url="u", actor_id="a", values=values or {})
    return msgspec.json.decode(word_body(DELIVERY, WEBHOOK, project, OWNER, story))


@pytest.mark.parametrize(
    ("slug", "provider"),
    [("gh/acme/app", "github"), ("bb/acme/app", "bitbucket"), ("codeberg.org/acme/app", "codeberg.org")],
)
def test_a_commit_is_told_with_the_long_name_of_its_host(slug: str, provider: str) -> None:
    body = word(slug, Revision(sha=SHA, branch="main"))
    assert body["pipeline"]["vcs"]["provider_name"] == provider
    assert body["project"]["slug"] == f"{provider}/acme/app"
    assert body["pipeline"]["vcs"]["target_repository_url"] == "https://git.example.com/acme/app"
    assert "trigger_parameters" not in body["pipeline"]


def test_a_commit_on_a_tag_has_no_branch() -> None:
    vcs = word("gh/acme/app", Revision(sha=SHA, tag="v1"))["pipeline"]["vcs"]
    assert (vcs["tag"], "branch" in vcs) == ("v1", False)


def test_what_is_not_known_of_a_commit_is_empty() -> None:
    commit = word("gh/acme/app", Revision(sha=SHA))["pipeline"]["vcs"]["commit"]
    nobody = {"name": "", "email": ""}
    assert commit == {
        "subject": "",
        "body": "",
        "author": nobody,
        "authored_at": None,
        "committer": nobody,
        "committed_at": None,
    }


def test_times_of_commits_may_be_anything() -> None:
    last = 253_402_300_799_000
    made = Authorship(email="", authored_at=0, committer="", committer_email="", committed_at=last)
    commit = word("gh/acme/app", Revision(sha=SHA, authorship=made))["pipeline"]["vcs"]["commit"]
    assert (commit["authored_at"], commit["committed_at"]) == ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z")


@pytest.mark.parametrize("slug", ["gl/acme/app", "circleci/one/two"])
@pytest.mark.parametrize(
    ("revision", "ref"),
    [
        (Revision(sha=SHA, branch="main"), "refs/heads/main"),
        (Revision(sha=SHA, tag="v1"), "refs/tags/v1"),
        (Revision(sha=SHA), ""),
    ],
)
def test_projects_without_vcs_have_parameters(slug: str, revision: Revision, ref: str) -> None:
    body = word(slug, revision, trigger=TriggerType.SCHEDULE)
    assert "vcs" not in body["pipeline"]
    git = body["pipeline"]["trigger_parameters"]["git"]
    assert (git["ref"], git["checkout_sha"]) == (ref, SHA)
    assert git["checkout_url"] == "https://git.example.com/acme/app.git"
    circleci = body["pipeline"]["trigger_parameters"]["circleci"]
    assert (circleci["trigger_type"], circleci["actor_id"]) == ("scheduled_pipeline", "a")


def test_an_event_adds_what_it_said() -> None:
    values = {
        "pipeline.trigger_parameters.gitlab.user_name": "Ann",
        "pipeline.trigger_parameters.gitlab.user_avatar": None,
        "pipeline.trigger_parameters.git.repo_owner": "acme",
        "pipeline.trigger_parameters.odd": "x",
        "pipeline.event.name": "push",
    }
    body = word("gl/acme/app", Revision(sha=SHA, branch="main"), trigger=TriggerType.WEBHOOK, values=values)
    parameters = body["pipeline"]["trigger_parameters"]
    assert body["pipeline"]["trigger"] == {"type": "gitlab"}
    assert parameters["gitlab"] == {"user_name": "Ann", "user_avatar": ""}
    assert parameters["git"]["repo_owner"] == "acme"
    assert set(parameters) == {"circleci", "git", "gitlab"}


def test_every_end_has_its_word() -> None:
    ends = {status for status in WorkflowStatus if status.is_terminal}
    assert set(WORKFLOW_STATUSES) == ends
    untold = {JobStatus.NOT_RUN, JobStatus.SKIPPED}
    assert set(JOB_STATUSES) == {status for status in JobStatus if status.is_terminal} - untold
    for status in ends:
        told = word("gh/acme/app", Revision(sha=SHA), status=status)["workflow"]["status"]
        assert told == status.value
