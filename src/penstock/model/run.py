"""What runs: pipelines, workflows, jobs, tasks and steps, as the store keeps them.

Every row has an integer id, which grows with time, and a UUIDv7. Times are milliseconds since the epoch.
"""

from enum import StrEnum

import msgspec

from penstock.model.diagnostic import Diagnostic
from penstock.model.status import (
    JobKind,
    JobStatus,
    PipelineStatus,
    Reason,
    StepStatus,
    TaskStatus,
    WorkflowStatus,
)


class TriggerType(StrEnum):
    """What made a pipeline."""

    API = "api"
    WEBHOOK = "webhook"
    SCHEDULE = "schedule"
    EXPLICIT = "explicit"  # a person pressed a button
    LOCAL = "local"  # `penstock run`


class Fork(msgspec.Struct, frozen=True, kw_only=True):
    """The repository a pull request comes from when it is another one, and the request's number."""

    number: int
    owner: str
    name: str


class Authorship(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote a commit and who made it, as git has it; the author's name is that of the revision."""

    email: str
    authored_at: int
    committer: str
    committer_email: str
    committed_at: int


class Revision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The commit a pipeline is about; exactly one of branch and tag is set, or neither when detached.

    `overlay` names a git tree with uncommitted changes that is laid over the commit, "" for none.
    """

    sha: str
    branch: str = ""
    tag: str = ""
    base: str = ""  # the revision before the push, when known
    subject: str = ""
    body: str = ""
    author: str = ""
    authorship: Authorship | None = None  # None when the commit was not read
    pull_request: str = ""  # URL
    fork: Fork | None = None
    overlay: str = ""


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """One trigger of one commit."""

    id: int
    uuid: str
    project_id: int
    number: int  # counts from 1 in its project
    status: PipelineStatus
    created_at: int
    updated_at: int
    trigger: TriggerType
    actor: str
    revision: Revision
    language: str
    parameters: dict[str, str | int | bool]
    errors: tuple[Diagnostic, ...] = ()


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """A graph of jobs with one verdict, inside a pipeline.

    `key` is its key in the plan. A rerun is a new workflow that names the one it repeats. Each has a
    `workspace` of its own; that of a rerun begins with what the jobs it keeps had left.
    """

    id: int
    uuid: str
    pipeline_id: int
    key: str
    name: str
    status: WorkflowStatus
    reason: Reason
    created_at: int
    started_at: int | None
    stopped_at: int | None
    workspace: str
    rerun_of: str | None = None
    auto_rerun_number: int = 0
    tag: str = ""
    started_by: str = ""  # login; empty for whoever wanted the pipeline
    canceled_by: str = ""  # login; empty also when no person did


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job of a workflow; `number` counts from 1 in its project, approvals and no-ops have none."""

    id: int
    uuid: str
    workflow_id: int
    project_id: int
    number: int | None
    key: str
    name: str
    kind: JobKind
    status: JobStatus
    reason: Reason
    attempt: int
    parallelism: int
    created_at: int
    queued_at: int | None
    started_at: int | None
    stopped_at: int | None
    message: str = ""
    approved_by: str = ""
    canceled_by: str = ""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One parallel copy of one attempt of a job: what an agent takes, runs and reports."""

    id: int
    uuid: str
    job_id: int
    index: int
    attempt: int
    status: TaskStatus
    reason: Reason
    agent_id: int | None
    lease_until: int | None
    queued_at: int
    started_at: int | None
    stopped_at: int | None
    message: str = ""


class StepRun(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a task as it happened; `index` counts from 0 in the order steps were started."""

    task_id: int
    index: int
    name: str
    kind: str
    status: StepStatus
    started_at: int
    stopped_at: int | None
    exit_code: int | None = None
    message: str = ""
