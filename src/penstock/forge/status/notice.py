"""What is told about a commit, before it is put into a host's words."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from penstock.model.status import JobStatus, WorkflowStatus


class State(StrEnum):
    """How something stands, in words that all hosts have or can come near to."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"  # the code's fault
    ERROR = "error"  # ours, or the config's
    CANCELED = "canceled"
    SKIPPED = "skipped"


STATE_OF_JOB: Mapping[JobStatus, State] = MappingProxyType(
    {
        JobStatus.ON_HOLD: State.PENDING,
        JobStatus.WAITING: State.PENDING,
        JobStatus.QUEUED: State.PENDING,
        JobStatus.RUNNING: State.RUNNING,
        JobStatus.CANCELING: State.RUNNING,
        JobStatus.SUCCESS: State.SUCCESS,
        JobStatus.FAILED: State.FAILED,
        JobStatus.TIMEDOUT: State.FAILED,
        JobStatus.INFRASTRUCTURE_FAIL: State.ERROR,
        JobStatus.CANCELED: State.CANCELED,
        JobStatus.UNAUTHORIZED: State.ERROR,
        JobStatus.SKIPPED: State.SKIPPED,
    }
)
"""Nothing is told of a job that is blocked or was never run (CircleCI sends no status for them)."""

STATE_OF_WORKFLOW: Mapping[WorkflowStatus, State] = MappingProxyType(
    {
        WorkflowStatus.QUEUED: State.PENDING,
        WorkflowStatus.RUNNING: State.RUNNING,
        WorkflowStatus.FAILING: State.RUNNING,
        WorkflowStatus.ON_HOLD: State.PENDING,
        WorkflowStatus.CANCELING: State.RUNNING,
        WorkflowStatus.SUCCESS: State.SUCCESS,
        WorkflowStatus.FAILED: State.FAILED,
        WorkflowStatus.ERROR: State.ERROR,
        WorkflowStatus.CANCELED: State.CANCELED,
        WorkflowStatus.UNAUTHORIZED: State.ERROR,
        WorkflowStatus.NOT_RUN: State.SKIPPED,
    }
)

_WORDS = {
    State.PENDING: "Waiting for an agent",
    State.RUNNING: "Running",
    State.SUCCESS: "Passed",
    State.FAILED: "Failed",
    State.ERROR: "Could not be run",
    State.CANCELED: "Canceled",
    State.SKIPPED: "Skipped",
}


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One status of one commit. The same `context` later replaces it; `url` leads to the job's page."""

    commit: str
    context: str  # `ci/circleci: build`
    state: State
    url: str
    description: str = ""
    branch: str = ""


def notice_of_job(name: str, status: JobStatus, *, commit: str, url: str, branch: str = "") -> Notice | None:
    """What is told about a job, under CircleCI's name for it; None when nothing is."""
    state = STATE_OF_JOB.get(status)
    if state is None:
        return None
    words = "Waiting for an approval" if status is JobStatus.ON_HOLD else _WORDS[state]
    return Notice(
        commit=commit, context=name_context(name), state=state, url=url, description=words, branch=branch
    )


def notice_of_workflow(
    name: str, status: WorkflowStatus, *, commit: str, url: str, branch: str = ""
) -> Notice:
    """What is told about a workflow as a whole."""
    state = STATE_OF_WORKFLOW[status]
    words = "Waiting for an approval" if status is WorkflowStatus.ON_HOLD else _WORDS[state]
    return Notice(
        commit=commit, context=name_context(name), state=state, url=url, description=words, branch=branch
    )


def notice_of_error(error: str, *, commit: str, url: str, branch: str = "") -> Notice:
    """What is told about a pipeline whose config could not be used: the first line of what is wrong."""
    words = error.strip().partition("\n")[0]
    return Notice(
        commit=commit,
        context=name_context("Build Error"),
        state=State.ERROR,
        url=url,
        description=words,
        branch=branch,
    )


def name_context(name: str) -> str:
    """The name a status has at the host; branch protection rules are written with it."""
    return f"ci/circleci: {name}"


def shorten(text: str, longest: int) -> str:
    """The text, or its beginning with `…`."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
