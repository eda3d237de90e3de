"""Answers are as the vendor's OpenAPI document has them, in every state things can be in."""

from collections.abc import Callable

import msgspec
import pytest

from penstock.model.status import Reason, TaskStatus
from tests.support.circle import APP, CircleSite
from tests.support.vendor_schema import check_answer

P = "/project/{project-slug}"


class Scene(msgspec.Struct):
    """What there is to be asked about."""

    site: CircleSite
    pipeline: str
    workflow: str
    job: str
    number: int

    def fill(self, template: str) -> str:
        """The address of an operation about these."""
        values = {
            "{project-slug}": APP,
            "{provider}/{organization}/{project}": APP,
            "{pipeline-id}": self.pipeline,
            "{pipeline-number}": "1",
            "{job-number}": str(self.number),
            "{job-id}": self.job,
            "{project_id}": self.site.project.uuid,
            "{org-slug-or-id}": self.site.acme.uuid,
        }
        own = self.workflow if template.startswith("/workflow") else str(self.site.get("me")["id"])
        for name, value in (values | {"{id}": own}).items():
            template = template.replace(name, value)
        return f"/api/v2{template}"


LOOKS = [
    "/me",
    "/me/collaborations",
    "/user/{id}",
    "/pipeline",
    "/pipeline/{pipeline-id}",
    "/pipeline/{pipeline-id}/config",
    "/pipeline/{pipeline-id}/values",
    "/pipeline/{pipeline-id}/workflow",
    P,
    f"{P}/pipeline",
    f"{P}/pipeline/mine",
    f"{P}/pipeline/{{pipeline-number}}",
    f"{P}/job/{{job-number}}",
    f"{P}/{{job-number}}/artifacts",
    f"{P}/{{job-number}}/tests",
    "/workflow/{id}",
    "/workflow/{id}/job",
    "/projects/{project_id}/pipeline-definitions",
]


def look_around(scene: Scene) -> None:
    """Ask about everything and compare the answers with the document."""
    for template in LOOKS:
        reply = scene.site.call("GET", scene.fill(template))
        assert reply.status == 200, (template, reply.body)
        check_answer("GET", template, 200, reply.json())


def set_scene(site: CircleSite, **body: object) -> Scene:
    """A pipeline was just triggered; what the trigger answered is checked as well."""
    made = site.trigger(**body)
    check_answer("POST", f"{P}/pipeline", 201, made)
    [workflow] = site.get(f"pipeline/{made['id']}/workflow")["items"]
    [first, *_] = site.get(f"workflow/{workflow['id']}/job")["items"]
    number = first.get("job_number", 0)
    return Scene(site=site, pipeline=made["id"], workflow=workflow["id"], job=first["id"], number=number)


def run_to_the_approval(scene: Scene) -> None:
    scene.site.build()


def run_to_the_end(scene: Scene) -> None:
    scene.site.build()
    _approve(scene)
    scene.site.worker.work()


def fail(scene: Scene) -> None:
    scene.site.build()
    _approve(scene)
    scene.site.worker.work(TaskStatus.FAILED, Reason.TEST)


def fail_while_running(scene: Scene) -> None:
    first, second = scene.site.worker.claim(2)
    scene.site.worker.begin(first.task)
    scene.site.worker.begin(second.task)
    scene.site.worker.end(first.task, TaskStatus.FAILED, Reason.TEST)


def lose_time(scene: Scene) -> None:
    scene.site.worker.work(TaskStatus.TIMEDOUT, Reason.TIMEOUT)


def cancel(scene: Scene) -> None:
    answer = scene.site.post(f"workflow/{scene.workflow}/cancel", None, 202)
    check_answer("POST", "/workflow/{id}/cancel", 202, answer)


def cancel_while_running(scene: Scene) -> None:
    scene.site.worker.begin(scene.site.worker.take())
    cancel(scene)


def _approve(scene: Scene) -> None:
    jobs = scene.site.get(f"workflow/{scene.workflow}/job")["items"]
    [request] = [job["approval_request_id"] for job in jobs if job["type"] == "approval"]
    answer = scene.site.post(f"workflow/{scene.workflow}/approve/{request}", None, 202)
    check_answer("POST", "/workflow/{id}/approve/{approval_request_id}", 202, answer)


def be_unauthorized(scene: Scene) -> None:
    scene.site.restrict_context("deploy")
    run_to_the_approval(scene)
    _approve(scene)
    assert scene.site.get(f"workflow/{scene.workflow}")["status"] == "unauthorized"


def wait(_scene: Scene) -> None:
    """Nothing has happened yet."""


MOVES = [
    wait,
    run_to_the_approval,
    run_to_the_end,
    fail,
    fail_while_running,
    lose_time,
    cancel,
    cancel_while_running,
    be_unauthorized,
]


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.__name__)
def test_everything_is_told_as_the_document_says(site: CircleSite, move: Callable[[Scene], None]) -> None:
    scene = set_scene(site, parameters={"deep": True, "word": "é"})
    move(scene)
    look_around(scene)


def test_a_tag_and_a_rerun_are_told_as_the_document_says(site: CircleSite) -> None:
    scene = set_scene(site, tag="v1")
    fail(scene)
    answer = site.post(f"workflow/{scene.workflow}/rerun", {"from_failed": True}, 202)
    check_answer("POST", "/workflow/{id}/rerun", 202, answer)
    scene.workflow = answer["workflow_id"]
    look_around(scene)


def test_an_errored_pipeline_is_told_as_the_document_says(site: CircleSite) -> None:
    for text in ("", "jobs: [", "version: 2.1\njobs: {build: {machine: true, steps: [nope]}}"):
        site.code.configs["odd"] = text
        made = site.trigger(branch="odd")
        for path in ("", "/config", "/values", "/workflow"):
            answer = site.get(f"pipeline/{made['id']}{path}")
            check_answer("GET", f"/pipeline/{{pipeline-id}}{path}", 200, answer)


def test_the_newer_trigger_and_both_ways_to_cancel_a_job_answer_as_the_document_says(
    site: CircleSite,
) -> None:
    made = site.post(f"project/{APP}/pipeline/run", {"checkout": {"branch": "dev"}}, 201)
    check_answer("POST", "/project/{provider}/{organization}/{project}/pipeline/run", 201, made)
    [workflow] = site.get(f"pipeline/{made['id']}/workflow")["items"]
    [job, *_] = site.get(f"workflow/{workflow['id']}/job")["items"]
    by_number = site.post(f"project/{APP}/job/{job['job_number']}/cancel")
    check_answer("POST", f"{P}/job/{{job-number}}/cancel", 200, by_number)
    check_answer("POST", "/jobs/{job-id}/cancel", 200, site.post(f"jobs/{job['id']}/cancel"))


def test_a_setup_workflow_continues_its_pipeline(site: CircleSite) -> None:
    site.code.configs["main"] = """\
version: 2.1
setup: true
jobs: {plan: {machine: true, steps: [checkout]}}
workflows: {plan: {jobs: [plan]}}
"""
    made = site.trigger()
    assert made["state"] == "setup-pending"
    [workflow] = site.get(f"pipeline/{made['id']}/workflow")["items"]
    assert workflow["tag"] == "setup"
    [assignment] = site.worker.claim()
    key = assignment.environment["CIRCLE_CONTINUATION_KEY"]
    rest = """\
version: 2.1
jobs: {rest: {machine: true, steps: [checkout]}}
workflows: {rest: {jobs: [rest]}}
"""
    body = {"continuation-key": key, "configuration": rest}
    wrong = site.post("pipeline/continue", body | {"continuation-key": "k"}, 404, token="")
    assert wrong["message"] == "Invalid continuation key."
    answer = site.post("pipeline/continue", body, 200, token="")
    check_answer("POST", "/pipeline/continue", 200, answer)
    assert "Accepted" in answer["message"]
    assert "already" in site.post("pipeline/continue", body, 400, token="")["message"]
    config = site.get(f"pipeline/{made['id']}/config")
    check_answer("GET", "/pipeline/{pipeline-id}/config", 200, config)
    assert config["source"] == rest
    assert "setup: true" in config["setup-config"]
    names = {each["name"] for each in site.get(f"pipeline/{made['id']}/workflow")["items"]}
    assert names == {"plan", "rest"}
