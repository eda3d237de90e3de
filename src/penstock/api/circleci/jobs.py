"""Jobs: looked at and stopped, and what they left behind."""

import mimetypes
from urllib.parse import quote

from penstock.api.circleci import payloads
from penstock.api.circleci.paging import LONG_PAGE, Page, cut_page, read_token
from penstock.api.circleci.pipelines import read_number
from penstock.api.circleci.show import show_artifact, show_job, show_test
from penstock.api.common.answer import Answer, answer_json
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.ranges import choose_span, cut_pieces
from penstock.api.common.server import Server
from penstock.engine import control
from penstock.engine.access import Action
from penstock.engine.lookup import open_project, owner_of
from penstock.engine.runs import OpenJob, open_job, open_numbered_job
from penstock.model.errors import NotFoundError
from penstock.model.output import Artifact
from penstock.store import artifacts, jobs, tasks, test_results
from penstock.store.database import Transaction

CANCELED = payloads.Message(message="Job successfully canceled.")
ACCEPTED = payloads.Message(message="Accepted.")
DOWNLOAD = "/output/job/{id}/artifacts/{index}/{path:rest}"
_BINARY = "application/octet-stream"
_ALONE = (
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "sandbox allow-scripts allow-popups"),
    ("cache-control", "private, max-age=60"),
)
"""A page that a job made is shown, but is nobody here: it has no origin and no cookies."""


def get_job(server: Server, call: Call) -> payloads.Job:
    """A job by its number in the project."""
    with server.parts.db.read() as tx:
        return _describe(server, tx, open_by_number(tx, call, Action.SEE_PROJECT))


def get_job_by_id(server: Server, call: Call) -> payloads.Job:
    """A job by id."""
    with server.parts.db.read() as tx:
        found = open_job(tx, principal_of(call), Action.SEE_PROJECT, call.params["id"])
        return _describe(server, tx, found)


def cancel_by_number(server: Server, call: Call) -> payloads.Message:
    """Ask a job to stop; its workflow goes on."""
    with server.parts.db.read() as tx:
        found = open_by_number(tx, call, Action.RUN_PIPELINE)
    control.cancel_job(server.parts, found.job.uuid, by=principal_of(call).user.login)
    return ACCEPTED


def cancel_by_id(server: Server, call: Call) -> payloads.Message:
    """Ask a job to stop; its workflow goes on."""
    with server.parts.db.read() as tx:
        found = open_job(tx, principal_of(call), Action.RUN_PIPELINE, call.params["id"])
    control.cancel_job(server.parts, found.job.uuid, by=principal_of(call).user.login)
    return CANCELED


def list_artifacts(server: Server, call: Call) -> Page[payloads.Artifact]:
    """The files the job kept, by parallel copy and path."""
    with server.parts.db.read() as tx:
        found = open_by_number(tx, call, Action.SEE_PROJECT)
        place = f"artifacts/{found.job.id}"
        after = read_token(call.query.page_token, place, tuple[int, str]) or (-1, "")
        every = artifacts.artifacts_of(tx, found.job.id, after=after, limit=LONG_PAGE + 1)
    kept, token = cut_page(every, LONG_PAGE, place, lambda artifact: (artifact.task_index, artifact.path))
    shown = [show_artifact(each, locate_artifact(server, found, each)) for each in kept]
    return Page(shown, token)


def list_tests(server: Server, call: Call) -> Page[payloads.Test]:
    """The tests the job ran, in the order they were reported."""
    with server.parts.db.read() as tx:
        found = open_by_number(tx, call, Action.SEE_PROJECT)
        job = found.job
        place = f"tests/{job.id}"
        after = read_token(call.query.page_token, place, int) or 0
        every = test_results.cases_of(tx, job.id, attempt=job.attempt, after=after, limit=LONG_PAGE + 1)
    kept, token = cut_page(every, LONG_PAGE, place, lambda pair: pair[0])
    return Page([show_test(case) for _, case in kept], token)


def download(server: Server, call: Call) -> Answer:
    """The bytes of an artifact, or one `Range` of them."""
    with server.parts.db.read() as tx:
        found = open_job(tx, principal_of(call), Action.SEE_PROJECT, call.params["id"])
        index = read_number(call.params["index"])
        artifact = artifacts.find_artifact(tx, found.job.id, index, call.params["path"])
    if artifact is None:
        raise NotFoundError("Artifact not found")
    return _send(server, call, artifact)


def _send(server: Server, call: Call, artifact: Artifact) -> Answer:
    """The bytes of the artifact, or the part of them that is asked for."""
    tag, size = f'"{artifact.uuid}"', artifact.size
    headers = (("etag", tag), ("accept-ranges", "bytes"), *_ALONE)
    media = _guess_media(artifact.path)
    span = choose_span(call, size, tag)
    if span is None:
        body = server.parts.blobs.open(artifact.blob)
        return Answer(body=body, media=media, headers=(("content-length", str(size)), *headers))
    if not span.length:
        there = ("content-range", f"bytes */{size}")
        return answer_json(payloads.Message(message="There are no such bytes"), 416, (there, *headers))
    part = (
        ("content-length", str(span.length)),
        ("content-range", f"bytes {span.first}-{span.last}/{size}"),
    )
    body = cut_pieces(server.parts.blobs.open(artifact.blob, span.first), span.length)
    return Answer(status=206, body=body, media=media, headers=(*part, *headers))


def _guess_media(path: str) -> str:
    media, encoding = mimetypes.guess_type(path)
    return media if media and encoding is None else _BINARY


def locate_artifact(server: Server, found: OpenJob, artifact: Artifact) -> str:
    """The address the artifact is downloaded from."""
    path = quote(artifact.path, safe="/")
    return f"{server.base_url}/output/job/{found.job.uuid}/artifacts/{artifact.task_index}/{path}"


def open_by_number(tx: Transaction, call: Call, action: Action) -> OpenJob:
    """The job of the path's slug and number, if the caller may do this in its project."""
    number = read_number(call.params["number"])
    project = open_project(tx, principal_of(call), action, call.params["slug"])
    return open_numbered_job(tx, project, number)


def _describe(server: Server, tx: Transaction, found: OpenJob) -> payloads.Job:
    plan = jobs.load_plan(tx, found.job.id)
    copies = tasks.tasks_of(tx, found.job.id, attempt=found.job.attempt)
    return show_job(found, owner_of(tx, found.project), plan, copies, server.base_url)
