"""Tells git hosts what letters about commit statuses promise, in their own words."""

import logging
from collections.abc import Callable

import msgspec

from penstock.engine.deliver import LaterError
from penstock.engine.facts import present
from penstock.engine.host_account import find_place, open_host_account
from penstock.engine.links import link_job, link_pipeline
from penstock.engine.project_settings import load_project_settings
from penstock.engine.statuses import StatusLetter, describe_status
from penstock.engine.unit import Parts
from penstock.forge.status.notice import Notice, notice_of_error, notice_of_job
from penstock.forge.status.request import Place, Request
from penstock.forge.status.send import Outcome, Sent
from penstock.forge.status.word import word_notice
from penstock.kit.shapes import learn
from penstock.model.errors import InvalidError
from penstock.model.project import Project
from penstock.model.run import Job, Pipeline
from penstock.store import jobs, pipelines, projects, removal, workflows
from penstock.store.database import Transaction
from penstock.store.outbox import Letter
from penstock.store.sealing import Sealer

_log = logging.getLogger(__name__)

Send = Callable[[Request], Sent]


class StatusDesk:
    """Tells hosts what letters promise."""

    def __init__(self, sealer: Sealer, send: Send) -> None:
        self._sealer = sealer
        self._send = send

    def deliver(self, parts: Parts, letter: Letter) -> None:
        """An `engine.deliver.Deliver`; raises LaterError when the host is to be asked again."""
        told = msgspec.convert(letter.payload, learn(StatusLetter))
        with parts.db.read() as tx:
            subject = _find_subject(tx, told)
            place = None if subject is None else _find_place(tx, self._sealer, subject.project)
        if subject is None or place is None:
            return
        notice = _word(parts.base_url, subject)
        if notice is None:
            return
        try:
            sent = self._send(word_notice(place, notice))
        except InvalidError as error:
            _log.warning("project %s: a status cannot be told: %s", subject.project.slug, error)
            return
        if sent.outcome is Outcome.RETRY:
            raise LaterError(f"{place.api}: {sent.status or 'no'} answer: {sent.message}", sent.wait)
        if sent.outcome is Outcome.FINAL:
            _log.warning(
                "project %s: %s takes no status: %d %s",
                subject.project.slug,
                place.api,
                sent.status,
                sent.message,
            )


class _Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of, as it is now."""

    project: Project
    pipeline: Pipeline
    workflow: str = ""
    job: Job | None = None


def _find_subject(tx: Transaction, letter: StatusLetter) -> _Subject | None:
    """What the letter is about; None when that is gone, or has moved on: a later letter tells of it."""
    job = None
    workflow = ""
    if letter.job:
        job = jobs.job_by_uuid(tx, letter.job)
        if job is None or describe_status(job.status) != describe_status(letter.status or job.status):
            return None
        row = present(workflows.get_workflow(tx, job.workflow_id))
        workflow = row.uuid
        pipeline = pipelines.get_pipeline(tx, row.pipeline_id)
    else:
        pipeline = pipelines.pipeline_by_uuid(tx, letter.pipeline)
    project = None if pipeline is None else projects.get_project(tx, pipeline.project_id)
    if pipeline is None or project is None or removal.is_marked(project):
        return None
    return _Subject(project=project, pipeline=pipeline, workflow=workflow, job=job)


def _find_place(tx: Transaction, sealer: Sealer, project: Project) -> Place | None:
    """Where the project's host takes statuses; None when they are not wanted any more."""
    account = open_host_account(tx, sealer, project.id)
    if account is None or not load_project_settings(tx, project.id).set_github_status:
        return None
    try:
        return find_place(project, account)
    except InvalidError as error:  # the project's address is another one by now
        _log.warning("project %s: its host cannot be told of statuses: %s", project.slug, error)
        return None


def _word(base_url: str, subject: _Subject) -> Notice | None:
    pipeline, job = subject.pipeline, subject.job
    revision = pipeline.revision
    url = link_pipeline(base_url, subject.project.slug, pipeline.number)
    branch = "" if revision.fork is not None else revision.branch
    if job is None:
        errors = "; ".join(each.message for each in pipeline.errors)
        return notice_of_error(errors, commit=revision.sha, url=url, branch=branch)
    url = link_job(url, subject.workflow, job.number or job.uuid)
    return notice_of_job(job.name, job.status, commit=revision.sha, url=url, branch=branch)
