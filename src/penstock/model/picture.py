"""A pipeline, and the output of a job, as those who watch them see them. Times are as in `model.run`."""

import msgspec

from penstock.model.run import TriggerType
from penstock.model.status import JobKind, JobStatus, PipelineStatus, Reason, StepStatus, WorkflowStatus


class JobPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A job. One that a rerun kept has the id and number of the job that did the work.

    `step` is what it does now, of several parallel copies the first; "" when it does not run.
    """

    id: str
    number: int | None
    key: str
    name: str
    kind: JobKind
    status: JobStatus
    reason: Reason
    attempt: int
    parallelism: int
    message: str
    step: str = ""
    started_at: int | None
    stopped_at: int | None


class WorkflowPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow with its jobs in the order of the plan; `repeated` when a rerun took its place."""

    id: str
    name: str
    status: WorkflowStatus
    reason: Reason
    repeated: bool
    created_at: int
    stopped_at: int | None
    jobs: tuple[JobPicture, ...]


class PipelineSketch(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline in a list. Times are milliseconds since the epoch.

    `ended` when nothing will happen any more unless somebody asks for it; `outcome` is the verdict so far,
    None when it has no workflow. `warnings` are what policies have against it, though it may run.
    """

    id: str
    number: int
    project: str
    project_id: str
    status: PipelineStatus
    ended: bool
    outcome: WorkflowStatus | None
    branch: str
    tag: str
    sha: str
    subject: str
    actor: str
    trigger: TriggerType = TriggerType.API
    created_at: int
    stopped_at: int | None
    warnings: tuple[str, ...] = ()


class PipelinePicture(PipelineSketch, frozen=True, kw_only=True):
    """A pipeline with all its workflows."""

    version: str
    errors: tuple[str, ...]
    workflows: tuple[WorkflowPicture, ...]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What a step printed from a byte on; what is no UTF-8 is replaced, no character is torn apart."""

    attempt: int
    index: int  # of the parallel copy
    step: int
    name: str
    status: StepStatus
    offset: int
    text: str


class JobNews(msgspec.Struct, frozen=True, kw_only=True):
    """What a job printed since. `ended` when it has ended and all was read; `cursor` is where to go on."""

    job: str
    number: int | None
    name: str
    status: JobStatus
    ended: bool
    cursor: str
    pieces: tuple[Piece, ...]
