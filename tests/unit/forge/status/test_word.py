"""Statuses in the words of each host."""

import json

import pytest

from penstock.forge.host import Host
from penstock.forge.status.bitbucket import make_key
from penstock.forge.status.notice import (
    STATE_OF_JOB,
    STATE_OF_WORKFLOW,
    Notice,
    State,
    notice_of_error,
    notice_of_job,
    notice_of_workflow,
)
from penstock.forge.status.request import Place, find_api
from penstock.forge.status.word import WRITERS, word_notice
from penstock.model.errors import InvalidError
from penstock.model.status import JobStatus, WorkflowStatus

SHA = "b2" * 20
URL = "https://ci.example/jobs/1"
TOKEN = "t0ken-of-the-host"


def place(host: Host, repository: str = "acme/app") -> Place:
    return Place(host=host, api="https://api.example", repository=repository, token=TOKEN)


def job(status: JobStatus, name: str = "build") -> Notice:
    notice = notice_of_job(name, status, commit=SHA, url=URL, branch="main")
    assert notice is not None
    return notice


@pytest.mark.parametrize(
    ("host", "path", "header", "value", "name"),
    [
        (Host.GITHUB, f"/repos/acme/app/statuses/{SHA}", "Authorization", f"Bearer {TOKEN}", "context"),
        (Host.GITEA, f"/repos/acme/app/statuses/{SHA}", "Authorization", f"token {TOKEN}", "context"),
        (Host.GITLAB, f"/projects/acme%2Fapp/statuses/{SHA}", "PRIVATE-TOKEN", TOKEN, "name"),
        (
            Host.BITBUCKET, f"/repositories/acme/app/commit/{SHA}/statuses/build",
            "Authorization", f"Bearer {TOKEN}", "name",
        ),
        (
            Host.BITBUCKET_SERVER, f"/projects/acme/repos/app/commits/{SHA}/builds",
            "Authorization", f"Bearer {TOKEN}", "name",
        ),
    ],
)  # fmt: skip
def test_each_host_is_asked_where_and_how_it_documents(
    host: Host, path: str, header: str, value: str, name: str
) -> None:
    request = word_notice(place(host), job(JobStatus.SUCCESS))
    body = json.loads(request.body)
    assert (request.method, request.url) == ("POST", f"https://api.example{path}")
    assert request.headers[header] == value
    assert body[name] == "ci/circleci: build"
    assert URL in body.values()


@pytest.mark.parametrize(
    ("status", "github", "gitlab", "bitbucket"),
    [
        (JobStatus.QUEUED, "pending", "pending", "INPROGRESS"),
        (JobStatus.ON_HOLD, "pending", "pending", "INPROGRESS"),
        (JobStatus.RUNNING, "pending", "running", "INPROGRESS"),
        (JobStatus.SUCCESS, "success", "success", "SUCCESSFUL"),
        (JobStatus.FAILED, "failure", "failed", "FAILED"),
        (JobStatus.TIMEDOUT, "failure", "failed", "FAILED"),
        (JobStatus.INFRASTRUCTURE_FAIL, "error", "failed", "FAILED"),
        (JobStatus.CANCELED, "error", "canceled", "STOPPED"),
        (JobStatus.SKIPPED, "success", "skipped", "SUCCESSFUL"),
    ],
)
def test_each_state_has_a_word_at_each_host(
    status: JobStatus, github: str, gitlab: str, bitbucket: str
) -> None:
    said = [json.loads(word_notice(place(host), job(status)).body)["state"] for host in Host]
    server = "CANCELLED" if bitbucket == "STOPPED" else bitbucket
    assert said == [github, gitlab, github, bitbucket, server]


def test_every_status_is_told_or_meant_to_be_silent() -> None:
    assert set(JobStatus) - set(STATE_OF_JOB) == {JobStatus.BLOCKED, JobStatus.NOT_RUN}
    assert set(WorkflowStatus) == set(STATE_OF_WORKFLOW)
    assert set(WRITERS) == set(Host)
    assert notice_of_job("x", JobStatus.BLOCKED, commit=SHA, url=URL) is None
    for host in Host:
        for state in State:
            notice = Notice(commit=SHA, context="c", state=state, url=URL)
            assert json.loads(word_notice(place(host), notice).body)["state"]


def test_an_approval_and_a_broken_config_say_so() -> None:
    assert job(JobStatus.ON_HOLD).description == "Waiting for an approval"
    held = notice_of_workflow("all", WorkflowStatus.ON_HOLD, commit=SHA, url=URL)
    assert (held.context, held.description) == ("ci/circleci: all", "Waiting for an approval")
    broken = notice_of_error("Error calling workflow: x\nmore", commit=SHA, url=URL)
    assert (broken.context, broken.description) == ("ci/circleci: Build Error", "Error calling workflow: x")


def test_texts_are_as_long_as_the_host_takes() -> None:
    long = notice_of_error("é" * 5000, commit=SHA, url=URL)
    for host, longest in ((Host.GITHUB, 140), (Host.GITLAB, 255), (Host.BITBUCKET, 255)):
        description = json.loads(word_notice(place(host), long).body)["description"]
        assert len(description) == longest
        assert description.endswith("…")


def test_a_key_of_bitbucket_is_short_and_no_other_jobs() -> None:
    assert make_key("ci/circleci: build") == "ci/circleci: build"
    keys = {make_key(f"ci/circleci: {'long' * 20} {number}") for number in range(20)}
    assert len(keys) == 20
    assert max(map(len, keys)) <= 40


@pytest.mark.parametrize("repository", ["app", "", "/app", "acme/", "acme/../x", "../..", "acme//x"])
def test_a_name_that_leads_elsewhere_is_refused(repository: str) -> None:
    for host in Host:
        with pytest.raises(InvalidError):
            word_notice(place(host, repository), job(JobStatus.SUCCESS))


def test_odd_names_stay_inside_their_part_of_the_path() -> None:
    url = word_notice(place(Host.GITHUB, "acme/a?b#c d"), job(JobStatus.SUCCESS)).url
    assert url == f"https://api.example/repos/acme/a%3Fb%23c%20d/statuses/{SHA}"
    nested = word_notice(place(Host.GITLAB, "group/sub/app"), job(JobStatus.SUCCESS)).url
    assert nested == f"https://api.example/projects/group%2Fsub%2Fapp/statuses/{SHA}"
    with pytest.raises(InvalidError):
        word_notice(place(Host.GITHUB), Notice(commit="../x", context="c", state=State.SUCCESS, url=URL))


@pytest.mark.parametrize(
    ("host", "web", "api"),
    [
        (Host.GITHUB, "https://github.com/acme/app", "https://api.github.com"),
        (Host.GITHUB, "https://git.example/acme/app", "https://git.example/api/v3"),
        (Host.GITLAB, "https://gitlab.com/acme/app", "https://gitlab.com/api/v4"),
        (Host.GITEA, "http://localhost:3000/acme/app", "http://localhost:3000/api/v1"),
        (Host.BITBUCKET, "https://bitbucket.org/acme/app", "https://api.bitbucket.org/2.0"),
        (Host.BITBUCKET_SERVER, "https://bb.example/projects/A", "https://bb.example/rest/api/latest"),
    ],
)
def test_the_api_of_a_host_is_found_from_its_pages(host: Host, web: str, api: str) -> None:
    assert find_api(host, web) == api
    for wrong in ("", "ftp://x", "git@github.com:acme/app", "https://"):
        with pytest.raises(InvalidError):
            find_api(host, wrong)


def test_the_token_is_in_no_representation() -> None:
    for host in Host:
        there = place(host)
        assert TOKEN not in repr(there) + repr(word_notice(there, job(JobStatus.SUCCESS)))
