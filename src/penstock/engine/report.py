"""Takes in what agents report: each event once, the events of a task in one transaction."""

from collections.abc import Sequence

from penstock.engine.clearance import refuse_unauthorized
from penstock.engine.effects import judge_copies, settle
from penstock.engine.facts import present
from penstock.engine.flow import load_flow
from penstock.engine.outputs import Place, Prepared, Story, keep_output
from penstock.engine.unit import Unit
from penstock.engine.usage import note_ended
from penstock.lifecycle.events import JobFinished, JobLost, JobStarted
from penstock.lifecycle.task import MOVE_OF_VERDICT, TaskMove, advance_task
from penstock.model.run import Job, Task
from penstock.model.status import Reason, StepStatus, TaskStatus
from penstock.store import jobs, queue, steps, tasks
from penstock.store.tasks import TaskChange
from penstock.wire.messages import TaskFinished, TaskStarted

MOST_CLAIMS = 5
"""How many agents may take a task and be lost before its first step."""

_LOST = "lost"  # flag of a job: how often each copy of an attempt was queued again
_WEARY = f"{MOST_CLAIMS} agents took it one after the other and were lost before its first step"


def take_in(unit: Unit, agent_id: int, task_uuid: str, events: Sequence[Prepared]) -> None:
    """Take in the events of one task. Those heard before are passed over; so are those of a lost task."""
    placement = tasks.place_task(unit.tx, task_uuid)
    if placement is None:
        return
    flow = load_flow(unit, placement.workflow_id)
    held = tasks.lock_task(unit.tx, task_uuid)
    if held is None or held.task.agent_id != agent_id or held.task.status.is_terminal:
        return
    news = {each.event.sequence: each for each in events if each.event.sequence > held.last_sequence}
    job = jobs.get_job(unit.tx, held.task.job_id) if news else None
    if job is None:
        return
    place = Place(
        flow=flow,
        task=held.task,
        job=job,
        change=TaskChange(id=held.task.id, last_sequence=max(news)),
        story=Story.of((each.event for each in news.values()), whole=not held.last_sequence),
    )
    for _, each in sorted(news.items()):
        _apply(unit, place, each)
        if isinstance(each.event, TaskFinished):
            break
    else:
        tasks.update_tasks(unit.tx, [place.change])
    settle(unit)


def start_task(unit: Unit, task_uuid: str) -> Place | None:
    """A claimed task's job runs afterwards; None, and the task has ended, when it must not.

    That is when it was canceled meanwhile, or may not use its contexts any more.
    """
    return _start(unit, _lock(unit, task_uuid))


def start_claimed(unit: Unit, task: Task, job: Job) -> Place | None:
    """The same for a task that was claimed in this very transaction, in which nothing was canceled since."""
    flow = load_flow(unit, job.workflow_id)
    return _start(unit, Place(flow=flow, task=task, job=job, change=TaskChange(id=task.id)))


def _start(unit: Unit, place: Place) -> Place | None:
    if refuse_unauthorized(unit, place.flow, place.job.key):
        settle(unit)
        place = _lock(unit, place.task.uuid)
    running = place.task.status is TaskStatus.RUNNING
    if running:
        place.flow.apply(JobStarted(key=place.job.key, attempt=place.task.attempt))
    elif not place.task.status.is_terminal:
        end_task(unit, place, TaskStatus.CANCELED, place.task.reason, message="", at=unit.now)
    settle(unit)
    return place if running else None


def _lock(unit: Unit, task_uuid: str) -> Place:
    """The task with its workflow and job, locked in the order everybody locks in."""
    placement = present(tasks.place_task(unit.tx, task_uuid))
    flow = load_flow(unit, placement.workflow_id)
    held = present(tasks.lock_task(unit.tx, task_uuid))
    job = present(jobs.get_job(unit.tx, placement.job_id))
    return Place(flow=flow, task=held.task, job=job, change=TaskChange(id=held.task.id))


def _apply(unit: Unit, place: Place, prepared: Prepared) -> None:
    event = prepared.event
    match event:
        case TaskStarted():
            place.change.started_at = clamp(event.at, place.task.queued_at, unit.now)
        case TaskFinished():
            _finish_task(unit, place, event)
        case _:
            keep_output(unit, place, event, prepared)


def clamp(at: int, earliest: int, now: int) -> int:
    """The instant an agent named, which is not before what it follows, nor, if that may be, after now.

    Agents' clocks differ from ours.
    """
    return max(earliest, min(at, now))


def _finish_task(unit: Unit, place: Place, event: TaskFinished) -> None:
    """The task has its verdict; with the last of its copies the job has one too."""
    status = advance_task(place.task.status, MOVE_OF_VERDICT[event.status])
    reason = event.reason
    if status is TaskStatus.CANCELED and place.task.reason is not Reason.NONE:
        reason = place.task.reason  # why it was told to stop is known better here
    if event.used is not None:
        place.change.used = event.used
    end_task(unit, place, status, reason, message=event.message, at=event.at)


def end_task(unit: Unit, place: Place, status: TaskStatus, reason: Reason, *, message: str, at: int) -> None:
    """Write the end of a task and, when it was the last of the attempt, let the job finish."""
    task, job, flow, change = place.task, place.job, place.flow, place.change
    begun = change.started_at if isinstance(change.started_at, int) else task.started_at
    moment = clamp(at, max(job.started_at or 0, begun or 0, task.queued_at), unit.now)
    change.status, change.reason, change.message = status, reason, message
    change.lease_until, change.stopped_at = None, moment
    tasks.update_tasks(unit.tx, [change])
    if not place.story.is_whole:
        steps.end_open_steps(unit.tx, task.id, status=StepStatus.CANCELED, stopped_at=moment)
    if task.attempt == flow.state.jobs[job.key].attempt:
        flow.explain(job.key, message)
    copies = [(status, reason)]
    if job.parallelism > 1:
        copies = [
            (each.status, each.reason) for each in tasks.tasks_of(unit.tx, job.id, attempt=task.attempt)
        ]
    if all(each.is_terminal for each, _ in copies):
        verdict, why = judge_copies(copies)
        if flow.apply(JobFinished(key=job.key, attempt=task.attempt, status=verdict, reason=why), at=moment):
            note_ended(unit, place, verdict, moment)


def lose_task(unit: Unit, task_uuid: str, *, message: str, expired: bool = False) -> None:
    """The task's agent is gone: queue the task again when no step had started, else end it.

    With `expired` only if its lease is over still: the agent may have been heard of meanwhile, or another
    one may have the task by now.
    """
    placement = tasks.place_task(unit.tx, task_uuid)
    if placement is None:
        return
    place = _lock(unit, task_uuid)
    task = place.task
    if expired and (task.lease_until is None or task.lease_until >= unit.now):
        return
    if task.status.is_terminal:
        tasks.update_tasks(unit.tx, [TaskChange(id=task.id, lease_until=None)])
        return
    claims = _count_claims(place)
    weary = claims >= MOST_CLAIMS
    worked = bool(steps.steps_of(unit.tx, task.id))
    status = advance_task(task.status, TaskMove.LOSE_WORK if worked or weary else TaskMove.LOSE_UNTOUCHED)
    if status is TaskStatus.QUEUED:
        _queue_again(unit, place, claims)
    elif status is TaskStatus.CANCELED:
        end_task(unit, place, status, task.reason, message=message, at=unit.now)
    elif worked:
        end_task(unit, place, status, Reason.AGENT_LOST, message=message, at=unit.now)
    else:
        end_task(unit, place, status, Reason.NO_AGENT, message=_WEARY, at=unit.now)
    settle(unit)


def _count_claims(place: Place) -> int:
    """How many agents have had this copy of this attempt, the present one included."""
    lost = place.flow.flags.get(place.job.key, {}).get(_LOST, {})
    return 1 + int(lost.get(_copy(place.task), 0))


def _copy(task: Task) -> str:
    return f"{task.attempt}/{task.index}"


def _queue_again(unit: Unit, place: Place, claims: int) -> None:
    """The task is in the queue as it was; with the last of its copies the job is too."""
    key, task = place.job.key, place.task
    queue.release_task(unit.tx, task.id, now=unit.now)
    unit.wake = True
    lost = place.flow.flags.get(key, {}).get(_LOST, {})
    present_ones = {copy: count for copy, count in lost.items() if copy.startswith(f"{task.attempt}/")}
    place.flow.remember(key, **{_LOST: {**present_ones, _copy(task): claims}})
    copies = tasks.tasks_of(unit.tx, place.job.id, attempt=task.attempt)
    if all(each.status is TaskStatus.QUEUED for each in copies):
        place.flow.apply(JobLost(key=key, attempt=task.attempt, work_started=False))


def break_task(unit: Unit, agent_id: int | None, task_uuid: str, *, message: str) -> None:
    """The task, if the agent has it, ends as a failure of our own making."""
    place = _lock(unit, task_uuid)
    if place.task.agent_id != agent_id or place.task.status.is_terminal:
        return
    status = advance_task(place.task.status, TaskMove.BREAK)
    end_task(unit, place, status, Reason.INTERNAL, message=message, at=unit.now)
    settle(unit)
