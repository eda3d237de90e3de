"""Takes back what an agent holds that will not go on with it, without waiting for its leases to end."""

from functools import partial

from penstock.engine.fault import guard_task
from penstock.engine.report import lose_task
from penstock.engine.transact import transact
from penstock.engine.unit import Parts
from penstock.store import agents, queue

STOPPED = "the server that ran it was stopped"


def hand_back(parts: Parts, agent_uuid: str, *, message: str = STOPPED) -> int:
    """The agent holds no task afterwards; returns how many it held.

    Those of which no step had begun are queued again, the others end as lost work does, which is retried
    when the plan allows. The agent hears of it at its next message.
    """
    with parts.db.read() as tx:
        agent = agents.agent_by_uuid(tx, agent_uuid)
        held = queue.held_tasks(tx, agent.id) if agent is not None else []
    for task in held:
        guard_task(parts, task.agent_id, task.uuid, partial(take_back, parts, task.uuid, message=message))
    return len(held)


def take_back(parts: Parts, task: str, *, message: str) -> None:
    """The same of one task, whoever has it."""
    transact(parts, lambda unit: lose_task(unit, task, message=message))
