"""Commit statuses: promised with each change of a job, to be told to the host as long as they are true.

A letter says which state it was written for. Whoever delivers it looks again: when the state is another one
by now, a later letter tells that. Letters about one name at one commit are delivered in order.
"""

import hashlib
from collections.abc import Container

import msgspec

from penstock.engine.facts import Facts
from penstock.engine.unit import Unit
from penstock.forge.status.notice import STATE_OF_JOB
from penstock.model.run import Pipeline, Revision
from penstock.model.status import JobKind, JobStatus

STATUS = "status"
"""The kind of letter that promises a status."""

LABEL = "host.statuses"
"""Label of a pipeline whose host is told of its jobs."""

_TOLD = {JobKind.BUILD, JobKind.APPROVAL, JobKind.RELEASE}


class StatusLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a letter is about: a job that had this status, or the errors of a pipeline."""

    job: str = ""
    status: JobStatus | None = None
    pipeline: str = ""


def promise_job(unit: Unit, facts: Facts, uuid: str, key: str, change: tuple[JobStatus, JobStatus]) -> None:
    """The host will be told that the job went from one status to the other, if that looks different there."""
    if LABEL not in facts.labels:
        return
    plan = facts.graph.plan.jobs[key]
    before, after = (describe_status(status) for status in change)
    if plan.kind not in _TOLD or after in {None, before}:
        return
    letter = StatusLetter(job=uuid, status=change[1])
    subject = name_subject(facts.project.id, facts.pipeline.revision, plan.name)
    unit.promise(STATUS, subject, msgspec.to_builtins(letter))


def promise_error(unit: Unit, pipeline: Pipeline, labels: Container[str]) -> None:
    """The host will be told that the pipeline's config cannot be used."""
    if LABEL in labels and pipeline.errors and pipeline.revision.sha:
        letter = StatusLetter(pipeline=pipeline.uuid)
        unit.promise(
            STATUS, name_subject(pipeline.project_id, pipeline.revision, ""), msgspec.to_builtins(letter)
        )


def describe_status(status: JobStatus) -> tuple[object, ...] | None:
    """What a host shows of the status; None for nothing."""
    return (STATE_OF_JOB[status], status is JobStatus.ON_HOLD) if status in STATE_OF_JOB else None


def name_subject(project: int, revision: Revision, name: str) -> str:
    """What all letters about one name at one commit of the project have in common."""
    return hashlib.sha256(f"{project} {revision.sha} {name}".encode("utf-8", "surrogatepass")).hexdigest()
