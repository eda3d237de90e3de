"""Rows of the store with everything filled in that a test does not care about."""

from collections.abc import Sequence

from penstock.kit.ids import new_id
from penstock.model.project import Organization, Project
from penstock.model.run import Job, Pipeline, Revision, Task, TriggerType, Workflow
from penstock.model.status import JobKind, JobStatus, PipelineStatus, Reason, TaskStatus, WorkflowStatus
from penstock.plan.workflow import JobPlan, WorkflowPlan
from penstock.store import jobs, pipelines, projects, tasks, workflows
from penstock.store.counters import CounterKind, allocate_numbers, next_number
from penstock.store.database import Transaction

NOW = 1_750_000_000_000


def add_organization(tx: Transaction, slug: str = "gh/acme") -> Organization:
    """The organization of that slug."""
    return projects.ensure_organization(tx, slug, name=slug.rsplit("/", maxsplit=1)[-1], now=NOW)


def add_project(tx: Transaction, slug: str = "gh/acme/app") -> Project:
    """The project of that slug, and its organization."""
    owner = add_organization(tx, slug.rsplit("/", 1)[0])
    project = Project(
        id=0,
        uuid=new_id(),
        organization_id=owner.id,
        slug=slug,
        name=slug.rsplit("/", 1)[1],
        url="https://example.com/app.git",
        default_branch="main",
        created_at=NOW,
    )
    return projects.ensure_project(tx, project)


def a_pipeline(project_id: int, number: int = 1, *, branch: str = "main") -> Pipeline:
    """A pipeline that was just triggered and is not stored."""
    return Pipeline(
        id=0,
        uuid=new_id(),
        project_id=project_id,
        number=number,
        status=PipelineStatus.PENDING,
        created_at=NOW,
        updated_at=NOW,
        trigger=TriggerType.API,
        actor="ada",
        revision=Revision(sha="a" * 40, branch=branch, subject="first"),
        language="circleci",
        parameters={"deep": True, "count": 3},
    )


def add_pipeline(tx: Transaction, project: Project | None = None, *, branch: str = "main") -> Pipeline:
    """A stored pipeline with the next number."""
    owner = project or add_project(tx)
    number = next_number(tx, owner.id, CounterKind.PIPELINE)
    return pipelines.insert_pipeline(tx, a_pipeline(owner.id, number, branch=branch))


def add_workflow(tx: Transaction, pipeline: Pipeline | None = None, *, name: str = "build") -> Workflow:
    """A stored workflow that runs."""
    parent = pipeline or add_pipeline(tx)
    uuid = new_id()
    workflow = Workflow(
        id=0,
        uuid=uuid,
        pipeline_id=parent.id,
        key=name,
        name=name,
        status=WorkflowStatus.RUNNING,
        reason=Reason.NONE,
        created_at=NOW,
        started_at=NOW,
        stopped_at=None,
        workspace=uuid,
    )
    plan = WorkflowPlan(name=name, jobs={})
    return workflows.insert_workflows(tx, parent.project_id, [(workflow, plan)])[0]


def add_jobs(tx: Transaction, names: Sequence[str] = ("job",), workflow: Workflow | None = None) -> list[Job]:
    """Stored jobs that are blocked."""
    parent = workflow or add_workflow(tx)
    pipeline = pipelines.get_pipeline(tx, parent.pipeline_id)
    assert pipeline is not None
    numbers = allocate_numbers(tx, pipeline.project_id, CounterKind.JOB, len(names))
    made = [
        (a_job(parent.id, pipeline.project_id, name, number), JobPlan(name=name))
        for name, number in zip(names, numbers, strict=True)
    ]
    return jobs.insert_jobs(tx, made)


def a_job(workflow_id: int, project_id: int, name: str, number: int | None) -> Job:
    """A blocked job that is not stored."""
    return Job(
        id=0,
        uuid=new_id(),
        workflow_id=workflow_id,
        project_id=project_id,
        number=number,
        key=name,
        name=name,
        kind=JobKind.BUILD,
        status=JobStatus.BLOCKED,
        reason=Reason.NONE,
        attempt=1,
        parallelism=1,
        created_at=NOW,
        queued_at=None,
        started_at=None,
        stopped_at=None,
    )


def a_task(job_id: int, index: int = 0, attempt: int = 1) -> Task:
    """A queued task that is not stored."""
    return Task(
        id=0,
        uuid=new_id(),
        job_id=job_id,
        index=index,
        attempt=attempt,
        status=TaskStatus.QUEUED,
        reason=Reason.NONE,
        agent_id=None,
        lease_until=None,
        queued_at=NOW,
        started_at=None,
        stopped_at=None,
    )


def add_tasks(
    tx: Transaction, count: int = 1, *, labels: Sequence[str] = (), priority: int = 50, job: Job | None = None
) -> list[Task]:
    """Queued tasks of one job (a new one unless given)."""
    parent = job or add_jobs(tx)[0]
    made = [a_task(parent.id, index) for index in range(count)]
    return tasks.insert_tasks(tx, made, labels=labels, priority=priority)
