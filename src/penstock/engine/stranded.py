"""Jobs that wait for an agent of a kind there is none of: after a while they end, and say what is missing."""

from functools import partial

from penstock.engine.effects import settle
from penstock.engine.fault import guard_task
from penstock.engine.flow import load_flow
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.lifecycle.events import JobRefused
from penstock.model.run import Task
from penstock.model.status import JobStatus, Reason, TaskStatus
from penstock.store import agents, queue, tasks
from penstock.store.tasks import ORGANIZATION

MOST_AT_ONCE = 100
"""Tasks of one kind that are looked after in one round."""


def refuse_stranded(parts: Parts, *, grace: int) -> int:
    """End jobs that have waited for `grace` milliseconds without an agent that could ever take them.

    An agent counts if it was heard of within that time, even if it is busy or drains. Returns how many tasks
    there were.
    """
    before = parts.clock.now() - grace
    with parts.db.read() as tx:
        keys = queue.waiting_keys(tx)
        known = (
            [agent for agent in agents.list_agents(tx, seen_since=before) if not agent.disabled]
            if keys
            else []
        )
        stranded = [key for key in keys if not any(queue.carries(agent.labels, key) for agent in known)]
        late = [
            (key, task)
            for key in stranded
            for task in queue.queued_before(tx, key, before, limit=MOST_AT_ONCE)
        ]
    for key, task in late:
        guard_task(parts, None, task.uuid, partial(_refuse, parts, task, explain_missing(key)))
    return len(late)


def explain_missing(key: str) -> str:
    """What kind of agent is missing for tasks of these labels, and the ways out."""
    labels = [label for label in key.split("\n")[:-1] if not label.startswith(ORGANIZATION)]
    if not labels:
        return "No agent takes jobs of this organization: start one, or let one that serves all come back."
    return (
        f"No agent carries {' and '.join(labels)}: start one that does, or ask for another resource class "
        "in the job."
    )


def _refuse(parts: Parts, task: Task, message: str) -> None:
    transact(parts, lambda unit: _refuse_job(unit, task.uuid, message))


def _refuse_job(unit: Unit, uuid: str, message: str) -> None:
    """The task's job is refused, unless an agent has the task by now."""
    placement = tasks.place_task(unit.tx, uuid)
    if placement is None:
        return
    flow = load_flow(unit, placement.workflow_id)
    held = tasks.lock_task(unit.tx, uuid)
    key = next((key for key, (job_id, _) in flow.ids.items() if job_id == placement.job_id), None)
    if key is None or held is None or held.task.status is not TaskStatus.QUEUED:
        return
    flow.explain(key, message)
    flow.apply(JobRefused(key=key, status=JobStatus.INFRASTRUCTURE_FAIL, reason=Reason.NO_AGENT))
    settle(unit)
