"""Pictures of pipelines, made of a few words."""

from penstock.model.picture import JobPicture, PipelinePicture, WorkflowPicture
from penstock.model.status import JobKind, JobStatus, PipelineStatus, Reason, WorkflowStatus


def job(name: str, status: str = "success", *, number: int | None = 1, message: str = "") -> JobPicture:
    """A job; without a number it is an approval."""
    return JobPicture(
        id=f"id-of-{name}-{number}",
        number=number,
        key=name,
        name=name,
        kind=JobKind.APPROVAL if number is None else JobKind.BUILD,
        status=JobStatus(status),
        reason=Reason.NONE,
        attempt=1,
        parallelism=1,
        message=message,
        started_at=None,
        stopped_at=None,
    )


def flow(name: str, status: str, *jobs: JobPicture, repeated: bool = False) -> WorkflowPicture:
    """A workflow with these jobs."""
    return WorkflowPicture(
        id=f"id-of-{name}-{status}",
        name=name,
        status=WorkflowStatus(status),
        reason=Reason.NONE,
        repeated=repeated,
        created_at=1,
        stopped_at=None,
        jobs=jobs,
    )


def picture(
    *flows: WorkflowPicture, ended: bool = False, outcome: str = "running", status: str = "created"
) -> PipelinePicture:
    """A pipeline with these workflows."""
    return PipelinePicture(
        version="1",
        id="id-of-pipeline",
        number=7,
        project="gh/acme/app",
        project_id="id-of-app",
        status=PipelineStatus(status),
        ended=ended,
        outcome=WorkflowStatus(outcome) if outcome else None,
        branch="main",
        tag="",
        sha="1" * 40,
        subject="",
        actor="ada",
        created_at=1,
        stopped_at=None,
        errors=(),
        workflows=flows,
    )
