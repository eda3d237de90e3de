"""Takes in what agents report: each event once, the events of a task in one transaction."""

from collections.abc import Sequence

from penstock.engine.effects import settle
from penstock.engine.facts import present
from penstock.engine.flow import Flow, load_flow
from penstock.engine.outputs import Place, Prepared, keep_output
from penstock.engine.unit import Unit
from penstock.lifecycle.events import JobFinished, JobLost, JobStarted
from penstock.lifecycle.task import MOVE_OF_VERDICT, TaskMove, advance_task, roll_up_tasks
from penstock.model.run import Job
from penstock.model.status import JobStatus, Reason, StepStatus, TaskStatus
from penstock.store import jobs, queue, steps, tasks
from penstock.store.tasks import HeldTask, TaskChange
from penstock.wire.messages import TaskFinished, TaskStarted


def take_in(unit: Unit, agent_id: int, task_uuid: str, events: Sequence[Prepared]) -> None:
    """Take in the events of one task. Those heard before are passed over; so are those of a lost task."""
    placement = tasks.place_task(unit.tx, task_uuid)
    if placement is None:
        return
    flow = load_flow(unit, placement.workflow_id)
    held = tasks.lock_task(unit.tx, task_uuid)
    if held is None or held.task.agent_id != agent_id or held.task.status.is_terminal:
        return
    fresh = [each for each in events if each.event.sequence > held.last_sequence]
    job = jobs.get_job(unit.tx, held.task.job_id) if fresh else None
    if job is None:
        return
    place = Place(flow=flow, task=held.task, job=job)
    for each in fresh:
        _apply(unit, place, each)
    last = fresh[-1].event.sequence
    tasks.advance_sequence(unit.tx, held.task.id, seen=held.last_sequence, heard=last)
    settle(unit, flow)


def start_task(unit: Unit, task_uuid: str) -> bool:
    """A claimed task's job runs afterwards; False, and the task has ended, when it was canceled meanwhile."""
    flow, held, job = _lock(unit, task_uuid)
    place = Place(flow=flow, task=held.task, job=job)
    running = held.task.status is TaskStatus.RUNNING
    if running:
        flow.apply(JobStarted(key=job.key, attempt=held.task.attempt))
    else:
        end_task(unit, place, TaskStatus.CANCELED, held.task.reason, message="", at=unit.now)
    settle(unit, flow)
    return running


def _lock(unit: Unit, task_uuid: str) -> tuple[Flow, HeldTask, Job]:
    """The task with its workflow and job, locked in the order everybody locks in."""
    placement = present(tasks.place_task(unit.tx, task_uuid))
    flow = load_flow(unit, placement.workflow_id)
    held = present(tasks.lock_task(unit.tx, task_uuid))
    return flow, held, present(jobs.get_job(unit.tx, placement.job_id))


def _apply(unit: Unit, place: Place, prepared: Prepared) -> None:
    event = prepared.event
    match event:
        case TaskStarted():
            tasks.update_tasks(unit.tx, [TaskChange(id=place.task.id, started_at=min(event.at, unit.now))])
        case TaskFinished():
            _finish_task(unit, place, event)
        case _:
            keep_output(unit, place, event, prepared)


def _finish_task(unit: Unit, place: Place, event: TaskFinished) -> None:
    """The task has its verdict; with the last of its copies the job has one too."""
    current = tasks.get_task(unit.tx, place.task.id) or place.task
    status = advance_task(current.status, MOVE_OF_VERDICT[event.status])
    reason = event.reason
    if status is TaskStatus.CANCELED and current.reason is not Reason.NONE:
        reason = current.reason  # why it was told to stop is known better here
    end_task(unit, place, status, reason, message=event.message, at=event.at)


def end_task(unit: Unit, place: Place, status: TaskStatus, reason: Reason, *, message: str, at: int) -> None:
    """Write the end of a task and, when it was the last of the attempt, let the job finish."""
    moment = min(at, unit.now)
    change = TaskChange(
        id=place.task.id, status=status, reason=reason, lease_until=None, stopped_at=moment, message=message
    )
    tasks.update_tasks(unit.tx, [change])
    steps.end_open_steps(unit.tx, place.task.id, status=StepStatus.CANCELED, stopped_at=moment)
    if message:
        place.flow.change_of(place.job.key).message = message
    if place.job.parallelism == 1:
        everyone = [status]
    else:
        everyone = [task.status for task in tasks.tasks_of(unit.tx, place.job.id, attempt=place.task.attempt)]
    if all(each.is_terminal for each in everyone):
        rolled = roll_up_tasks(everyone)
        if rolled is not JobStatus.SUCCESS and not reason:
            reason = Reason.TEST
        finished = JobFinished(key=place.job.key, attempt=place.task.attempt, status=rolled, reason=reason)
        place.flow.apply(finished, at=at)


def lose_task(unit: Unit, task_uuid: str, *, message: str) -> None:
    """The task's agent is gone: queue the task again when no step had started, else end it."""
    flow, held, job = _lock(unit, task_uuid)
    if held.task.status not in {TaskStatus.RUNNING, TaskStatus.CANCELING}:
        return
    place = Place(flow=flow, task=held.task, job=job)
    if steps.steps_of(unit.tx, held.task.id):
        status = advance_task(held.task.status, TaskMove.LOSE_WORK)
    else:
        status = advance_task(held.task.status, TaskMove.LOSE_UNTOUCHED)
    if status is TaskStatus.QUEUED:
        _queue_again(unit, place, held)
    else:
        reason = held.task.reason if status is TaskStatus.CANCELED else Reason.AGENT_LOST
        end_task(unit, place, status, reason, message=message, at=unit.now)
    settle(unit, flow)


def _queue_again(unit: Unit, place: Place, held: HeldTask) -> None:
    queue.release_task(unit.tx, held.task.id, now=unit.now)
    unit.wake = True
    others = tasks.tasks_of(unit.tx, place.job.id, attempt=held.task.attempt)
    if all(task.status is TaskStatus.QUEUED for task in others if task.id != held.task.id):
        lost = JobLost(key=place.job.key, attempt=held.task.attempt, work_started=False)
        place.flow.apply(lost)
