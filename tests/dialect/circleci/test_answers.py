"""Answers are as the vendor's OpenAPI document has them, in every state things can be in."""

from collections.abc import Callable

import msgspec
import pytest

from penstock.api.circleci.platform.routes import PLATFORM
from penstock.model.project import definition_id
from penstock.model.status import Reason, TaskStatus
from tests.support.circle import APP, CircleSite
from tests.support.operations import find_route, list_operations
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
            "{pipeline_definition_id}": definition_id(self.site.project),
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
    "/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}",
]


UNDOCUMENTED = {
    ("GET", "/organization/{org-slug-or-id}"),
    ("GET", "/jobs/{job-id}"),
    ("POST", "/compile-config-with-defaults"),
}
"""Operations that clients call though the document does not have them."""

SETUP = """\
version: 2.1
setup: true
jobs: {plan: {machine: true, steps: [checkout]}}
workflows: {plan: {jobs: [plan]}}
"""

REST = """\
version: 2.1
jobs: {rest: {machine: true, steps: [checkout]}}
workflows: {rest: {jobs: [rest]}}
"""


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


def cancel(scene: Scene) -> object:
    return scene.site.post(f"workflow/{scene.workflow}/cancel", None, 202)


def cancel_while_running(scene: Scene) -> None:
    scene.site.worker.begin(scene.site.worker.take())
    cancel(scene)


def _approve(scene: Scene) -> object:
    jobs = scene.site.get(f"workflow/{scene.workflow}/job")["items"]
    [request] = [job["approval_request_id"] for job in jobs if job["type"] == "approval"]
    return scene.site.post(f"workflow/{scene.workflow}/approve/{request}", None, 202)


def be_unauthorized(scene: Scene) -> None:
    scene.site.restrict_context()
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
def test_everything_is_told_as_the_document_says(site: CircleSite, move: Callable[[Scene], object]) -> None:
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


def trigger(scene: Scene) -> object:
    return scene.site.post(f"project/{APP}/pipeline", {"branch": "dev", "parameters": {"deep": True}}, 201)


def run_definition(scene: Scene) -> object:
    return scene.site.post(f"project/{APP}/pipeline/run", {"checkout": {"branch": "dev"}}, 201)


def approve_hold(scene: Scene) -> object:
    scene.site.build()
    return _approve(scene)


def rerun(scene: Scene) -> object:
    cancel(scene)
    return scene.site.post(f"workflow/{scene.workflow}/rerun", None, 202)


def continue_setup(scene: Scene) -> object:
    scene.site.code.configs["main"] = SETUP
    scene.site.trigger()
    keys = [each.environment.get("CIRCLE_CONTINUATION_KEY") for each in scene.site.worker.claim(3)]
    [key] = filter(None, keys)
    return scene.site.post("pipeline/continue", {"continuation-key": key, "configuration": REST}, token="")


CHANGES: dict[str, tuple[int, Callable[[Scene], object]]] = {
    f"{P}/pipeline": (201, trigger),
    "/project/{provider}/{organization}/{project}/pipeline/run": (201, run_definition),
    "/pipeline/continue": (200, continue_setup),
    f"{P}/job/{{job-number}}/cancel": (200, lambda scene: scene.site.post(f"project/{APP}/job/1/cancel")),
    "/jobs/{job-id}/cancel": (200, lambda scene: scene.site.post(f"jobs/{scene.job}/cancel")),
    "/workflow/{id}/approve/{approval_request_id}": (202, approve_hold),
    "/workflow/{id}/cancel": (202, cancel),
    "/workflow/{id}/rerun": (202, rerun),
}
"""What changes something: with what status it is answered, and how it is asked for."""


@pytest.mark.parametrize("template", CHANGES)
def test_a_change_is_answered_as_the_document_says(site: CircleSite, template: str) -> None:
    status, ask = CHANGES[template]
    check_answer("POST", template, status, ask(set_scene(site)))


def test_every_operation_that_is_answered_and_documented_is_checked_here() -> None:
    found = {(each["method"], each["path"]): find_route(each) for each in list_operations()}
    routed = {key for key, route in found.items() if route is not None and route not in PLATFORM}
    assert routed - UNDOCUMENTED == {("GET", path) for path in LOOKS} | {("POST", path) for path in CHANGES}


def test_a_setup_workflow_continues_its_pipeline(site: CircleSite) -> None:
    site.code.configs["main"] = SETUP
    made = site.trigger()
    assert made["state"] == "setup-pending"
    [workflow] = site.get(f"pipeline/{made['id']}/workflow")["items"]
    assert workflow["tag"] == "setup"
    [assignment] = site.worker.claim()
    key = assignment.environment["CIRCLE_CONTINUATION_KEY"]
    body = {"continuation-key": key, "configuration": REST}
    wrong = site.post("pipeline/continue", body | {"continuation-key": "k"}, 404, token="")
    assert wrong["message"] == "Invalid continuation key."
    answer = site.post("pipeline/continue", body, 200, token="")
    check_answer("POST", "/pipeline/continue", 200, answer)
    assert "Accepted" in answer["message"]
    assert "already" in site.post("pipeline/continue", body, 400, token="")["message"]
    config = site.get(f"pipeline/{made['id']}/config")
    check_answer("GET", "/pipeline/{pipeline-id}/config", 200, config)
    assert config["source"] == REST
    assert "setup: true" in config["setup-config"]
    names = {each["name"] for each in site.get(f"pipeline/{made['id']}/workflow")["items"]}
    assert names == {"plan", "rest"}
