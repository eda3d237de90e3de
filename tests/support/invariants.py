"""What must be true of the rows of runs between any two transactions."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from penstock.engine.feed import Change, JobChanged, WorkflowChanged
from penstock.engine.flow import load_flow
from penstock.engine.memory import Memory
from penstock.engine.unit import Parts, Unit
from penstock.model.run import Job, Task, Workflow
from penstock.model.status import JobStatus, TaskStatus
from penstock.store import jobs, locks, pipelines, tasks, workflows
from penstock.store.database import Transaction
from penstock.store.schema import usage_runs


def check_rows(parts: Parts, *, over: bool = False) -> None:
    """Every row of every run agrees with all others; with `over` every workflow has ended as well."""
    with parts.db.read() as tx:
        for pipeline in pipelines.list_pipelines(tx, limit=1000):
            for workflow in workflows.workflows_of(tx, pipeline.id):
                check_workflow(tx, workflow)
                assert workflow.status.is_terminal or not over, f"{workflow.name} is {workflow.status}"
        check_lines(tx)


def check_workflow(tx: Transaction, workflow: Workflow) -> None:
    """A workflow and its jobs have ended or live together, and nothing dead holds anything."""
    every = jobs.jobs_of(tx, workflow.id)
    assert (workflow.stopped_at is not None) == workflow.status.is_terminal, workflow
    check_times(workflow.created_at, workflow.started_at, workflow.stopped_at)
    entries = locks.entries_of(tx, workflow.id)
    if workflow.status.is_terminal:
        assert entries == [], workflow.name
        assert all(job.status.is_terminal for job in every), workflow.name
    for job in every:
        check_job(tx, job)
    alive = {job.key for job in every if not job.status.is_terminal}
    alive |= {job.key for job in every if job.kind == "lock"} | {""}
    assert {entry.job_key for entry in entries} <= alive, workflow.name


def check_job(tx: Transaction, job: Job) -> None:
    """A job's status is what its tasks say."""
    attempts = tasks.tasks_of(tx, job.id)
    present = [task for task in attempts if task.attempt == job.attempt]
    for task in attempts:
        check_task(task, current=task.attempt == job.attempt)
    assert (job.stopped_at is not None) == job.status.is_terminal, job
    if attempts:
        check_times(job.queued_at, job.started_at, job.stopped_at)
    if job.status is JobStatus.QUEUED:
        assert present, job
        assert all(not task.status.is_terminal for task in present), job
    if job.status.is_active:
        assert any(not task.status.is_terminal for task in present), job
    if job.status.is_terminal:
        assert all(task.status.is_terminal or task.status is TaskStatus.CANCELING for task in present), job
    check_usage(tx, job, present)


def check_usage(tx: Transaction, job: Job, present: Sequence[Task]) -> None:
    """What each attempt used that an agent has begun and that is over is kept, once."""
    columns = (usage_runs.c.status, usage_runs.c.started_at, usage_runs.c.stopped_at)
    kept = tx.execute(select(*columns).where(usage_runs.c.job == job.uuid).order_by(usage_runs.c.id)).all()
    assert len(kept) <= job.attempt, job
    begun = any(task.started_at is not None for task in present)  # one that was handed back before is not
    if not (job.status.is_terminal and job.started_at is not None and begun):
        return
    assert kept, job
    status, started_at, stopped_at = kept[-1]
    if status != job.status:
        assert job.status is JobStatus.CANCELED, (job, kept)  # while it waited for another attempt
    else:
        assert (started_at, stopped_at) == (job.started_at, job.stopped_at), (job, kept)


def check_task(task: Task, *, current: bool) -> None:
    """A task is leased to one agent exactly while it is in its hands."""
    held = task.status in {TaskStatus.RUNNING, TaskStatus.CANCELING}
    assert (task.lease_until is not None) == held, task
    assert (task.agent_id is not None) or not held, task
    assert (task.stopped_at is not None) == task.status.is_terminal, task
    assert current or task.status.is_terminal, task
    check_times(task.queued_at, task.started_at, task.stopped_at)


def check_times(*instants: int | None) -> None:
    """Time only grows."""
    known = [instant for instant in instants if instant is not None]
    assert known == sorted(known), instants


def check_lines(tx: Transaction) -> None:
    """Every lock that somebody wants is held by exactly one."""
    holders: dict[tuple[int, str], list[bool]] = {}
    for pipeline in pipelines.list_pipelines(tx, limit=1000):
        for workflow in workflows.workflows_of(tx, pipeline.id):
            for entry in locks.entries_of(tx, workflow.id):
                holders.setdefault((entry.organization_id, entry.name), []).append(entry.held)
    assert all(held.count(True) == 1 for held in holders.values()), holders


def check_memory(parts: Parts) -> None:
    """What the engine remembers is what the rows say."""
    with parts.db.write() as tx:
        for pipeline in pipelines.list_pipelines(tx, limit=1000):
            for workflow in workflows.workflows_of(tx, pipeline.id):
                known = load_flow(Unit(parts, tx), workflow.id)
                afresh = Parts(
                    db=parts.db,
                    blobs=parts.blobs,
                    clock=parts.clock,
                    variables=parts.variables,
                    feed=parts.feed,
                    signal=parts.signal,
                    memory=Memory(),
                )
                read = load_flow(Unit(afresh, tx), workflow.id)
                known_jobs = {key: (job.status, job.attempt) for key, job in known.state.jobs.items()}
                read_jobs = {key: (job.status, job.attempt) for key, job in read.state.jobs.items()}
                assert known_jobs == read_jobs
                assert (known.state.status, known.state.begun) == (read.state.status, read.state.begun)
                assert (dict(known.state.locks), known.flags) == (dict(read.state.locks), read.flags)
                assert known.facts.workflow_uuid == read.facts.workflow_uuid == workflow.uuid


def check_feed(changes: Iterable[Change]) -> None:
    """Whoever has ended is never said to be anything else."""
    ended: dict[str, str] = {}
    for change in changes:
        match change:
            case JobChanged(job=uuid, status=status) | WorkflowChanged(workflow=uuid, status=status):
                assert ended.get(uuid, status) == status, (uuid, change)
                if status.is_terminal:
                    ended[uuid] = status
            case _:
                pass


def check_all(parts: Parts, changes: Iterable[Change] = (), *, over: bool = False) -> None:
    """Rows, memory and feed."""
    check_rows(parts, over=over)
    check_memory(parts)
    check_feed(changes)
