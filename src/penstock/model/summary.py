"""What a run has come to, as it is shown when it is over."""

import msgspec

from penstock.model.status import JobKind, JobStatus, Reason, WorkflowStatus


class FailedStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The step that decided a job's failure."""

    task_id: int
    index: int  # of the task
    step: int
    name: str
    exit_code: int | None = None
    message: str = ""


class TestTotals(msgspec.Struct, frozen=True, kw_only=True):
    """How many tests of a job passed, failed and were skipped, and which failed."""

    __test__ = False

    passed: int
    failed: int
    skipped: int
    failures: tuple[str, ...]


class JobSummary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job's verdict and what it left. `seconds` is None when it never ran.

    `credits` are what CircleCI's cloud takes for it; None when no table tells, or it is not over.
    """

    uuid: str
    number: int | None
    name: str
    kind: JobKind
    status: JobStatus
    reason: Reason
    attempt: int
    parallelism: int
    seconds: float | None = None
    credits: float | None = None
    message: str = ""
    failed_step: FailedStep | None = None
    tests: TestTotals | None = None
    artifacts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class WorkflowSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow's verdict and its jobs in the order of the plan; `repeated` when a rerun took its place."""

    uuid: str
    name: str
    repeated: bool
    status: WorkflowStatus
    reason: Reason
    jobs: tuple[JobSummary, ...]


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline's workflows, reruns included."""

    pipeline: str
    number: int
    project: str
    branch: str
    tag: str
    sha: str
    created_at: int
    workflows: tuple[WorkflowSummary, ...]
