"""What an exchange with an agent does to the rows: its news in, its leases prolonged, tasks given to it.

All of that is one transaction, since to commit is what costs most. Only what cannot be done together is done
apart: news of a task that breaks, tasks whose workflow somebody else works on, leases.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from penstock.engine.assign import Draft, make_assignment
from penstock.engine.facts import present
from penstock.engine.fault import guard_task, work_together
from penstock.engine.outputs import Place, Prepared, prepare, touches_blobs
from penstock.engine.report import start_claimed, start_task, take_in
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import is_id
from penstock.model.agent import Agent, AgentState
from penstock.model.errors import NotFoundError
from penstock.model.run import Job, Task
from penstock.model.status import TaskStatus
from penstock.store import agents, jobs, queue, tasks, workflows
from penstock.store.database import Transaction
from penstock.wire.messages import AnyEvent, CancelTask, Commands, Sync

YOUNG = 3000
"""Milliseconds during which a lease that was prolonged need not be prolonged again."""

SEEN = 10_000
"""Milliseconds for which it need not be noted again that an agent was heard of."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What was found and done: tasks that wait to be `started` are the agent's already."""

    agent: Agent
    held: Sequence[Task]
    drafts: tuple[Draft, ...] = ()
    claimed: Sequence[Task] = ()


def take_turn(parts: Parts, message: Sync, *, clean_up: bool) -> Commands:
    """Take in the events of the message, and find what the agent is to be told.

    Events of a task that cannot be taken in end that task; all others are taken in. Raises NotFoundError for
    an agent nobody knows, RolledBackError or UnavailableError when the message has to be sent once more.
    """
    turn = work_together(lambda: _take_together(parts, message)) if message.events else None
    if turn is None:
        _take_in_apart(parts, message)
        return find_commands(parts, message, clean_up=clean_up)
    _prolong(parts, message, turn)
    return _answer(parts, message, turn, clean_up=clean_up)


def find_commands(parts: Parts, message: Sync, *, clean_up: bool, renew: bool = True) -> Commands:
    """What the agent is to be told now; what it was given is its own from here on.

    Without `renew` the leases were prolonged before.
    """
    with parts.db.read() as tx:
        agent = _read_agent(tx, message.agent)
        limit = _count_wanted(agent, message)
        claims = limit > 0 and any(queue.carries(agent.labels, key) for key in queue.waiting_keys(tx))
        turn = Turn(agent=agent, held=queue.held_tasks(tx, agent.id) if message.holding else ())
    if renew:
        _prolong(parts, message, turn)
    if claims:
        given = work_together(lambda: transact(parts, lambda unit: _give_tasks(unit, agent, limit)))
        drafts, claimed = given or ((), transact(parts, lambda unit: _claim(unit, agent, limit)))
        turn = msgspec.structs.replace(turn, drafts=drafts, claimed=claimed)
    return _answer(parts, message, turn, clean_up=clean_up)


def _take_together(parts: Parts, message: Sync) -> Turn:
    """Everything in one transaction."""
    news = {
        task: _prepare_all(parts, message.agent, task, events)
        for task, events in _sort(message.events).items()
    }
    return transact(parts, lambda unit: _work(unit, message, news))


def _work(unit: Unit, message: Sync, news: Mapping[str, Sequence[Prepared]]) -> Turn:
    agent = _read_agent(unit.tx, message.agent)
    for task in _order(unit.tx, news):
        take_in(unit, agent.id, task, news[task])
    drafts, claimed = _give_tasks(unit, agent, _count_wanted(agent, message))
    held = queue.held_tasks(unit.tx, agent.id) if message.holding else ()
    return Turn(agent=agent, held=held, drafts=drafts, claimed=claimed)


def _order(tx: Transaction, uuids: Iterable[str]) -> list[str]:
    """The tasks in the order in which everybody locks their workflows."""
    every = list(uuids)
    if len(every) == 1 or tx.dialect.name == "sqlite":
        return every
    places = {uuid: tasks.place_task(tx, uuid) for uuid in every}
    return sorted(every, key=lambda uuid: 0 if (place := places[uuid]) is None else place.workflow_id)


def _give_tasks(unit: Unit, agent: Agent, limit: int) -> tuple[tuple[Draft, ...], list[Task]]:
    """The assignments of tasks that were claimed and may run, and claimed ones that are to be started yet.

    Whoever has locked a task must not wait for its workflow: others have locked that, and wait for the task.
    """
    claimed = _claim(unit, agent, limit)
    every = [(task, present(jobs.get_job(unit.tx, task.job_id))) for task in claimed]
    free = [(task, job) for task, job in every if _is_free(unit, job.workflow_id)]
    given = [make_assignment(unit, place, unit.parts.lease) for place in _start_each(unit, free)]
    begun = {task.id for task, _ in free}
    return tuple(given), [task for task in claimed if task.id not in begun]


def _is_free(unit: Unit, workflow_id: int) -> bool:
    """True when the workflow is this transaction's, or nobody's until now."""
    return workflow_id in unit.flows or workflows.try_lock(unit.tx, workflow_id)


def _start_each(unit: Unit, claimed: Iterable[tuple[Task, Job]]) -> Iterator[Place]:
    """Those of the tasks just claimed that run; one that must not may have others canceled with it."""
    refused = False
    for task, job in claimed:
        place = start_task(unit, task.uuid) if refused else start_claimed(unit, task, job)
        if place is None:
            refused = True
        else:
            yield place


def _claim(unit: Unit, agent: Agent, limit: int) -> list[Task]:
    if limit <= 0:
        return []
    return queue.claim_tasks(
        unit.tx, agent.id, agent.labels, limit=limit, lease_until=_end_lease(unit.parts, unit.now)
    )


def _end_lease(parts: Parts, now: int) -> int:
    return now + round(parts.lease * 1000)


def _answer(parts: Parts, message: Sync, turn: Turn, *, clean_up: bool) -> Commands:
    started = (
        guard_task(parts, turn.agent.id, task.uuid, partial(_start, parts, task)) for task in turn.claimed
    )
    drafts = (*turn.drafts, *(each for each in started if each is not None))
    given = (guard_task(parts, turn.agent.id, each.assignment.task, each.finish) for each in drafts)
    known = {task.uuid for task in turn.held}
    return Commands(
        assignments=tuple(each for each in given if each is not None),
        cancel=tuple(
            CancelTask(task=task.uuid, reason=task.reason, clean_up=clean_up)
            for task in turn.held
            if task.status is TaskStatus.CANCELING and task.uuid in message.holding
        ),
        lost=tuple(uuid for uuid in message.holding if uuid not in known),
    )


def _prolong(parts: Parts, message: Sync, turn: Turn) -> None:
    """The agent was heard of, and its leases last for their full time, give or take `YOUNG`."""
    now = parts.clock.now()
    fresh = _end_lease(parts, now) - YOUNG
    old = [
        task.uuid
        for task in turn.held
        if task.uuid in message.holding and (task.lease_until is None or task.lease_until <= fresh)
    ]
    if old or now - turn.agent.seen_at >= SEEN:
        transact(parts, lambda unit: _renew(unit, turn.agent, old))


def _renew(unit: Unit, agent: Agent, uuids: Collection[str]) -> None:
    if unit.now - agent.seen_at >= SEEN:
        agents.touch_agent(unit.tx, agent.id, unit.now)
    queue.renew_leases(unit.tx, agent.id, uuids, lease_until=_end_lease(unit.parts, unit.now))


def _take_in_apart(parts: Parts, message: Sync) -> None:
    """One transaction for each task that has news."""
    if not message.events:
        return
    with parts.db.read() as tx:
        agent = _read_agent(tx, message.agent)
    for task, events in _sort(message.events).items():
        guard_task(parts, agent.id, task, partial(_take_in_task, parts, agent, task, events))


def _take_in_task(parts: Parts, agent: Agent, task: str, events: Sequence[AnyEvent]) -> None:
    prepared = _prepare_all(parts, agent.uuid, task, events)
    transact(parts, lambda unit: take_in(unit, agent.id, task, prepared))


def _prepare_all(parts: Parts, agent: str, task: str, events: Sequence[AnyEvent]) -> list[Prepared]:
    """The events with their work done; none of another's task, or of one that has ended.

    What such events are about must not be touched: that they do not count is found out later.
    """
    if any(touches_blobs(event) for event in events):
        with parts.db.read() as tx:
            held = tasks.task_by_uuid(tx, task)
            holder = agents.get_agent(tx, held.agent_id) if held is not None and held.agent_id else None
        if held is None or held.status.is_terminal or holder is None or holder.uuid != agent:
            return []
    return [prepare(parts, event) for event in events]


def _start(parts: Parts, task: Task) -> Draft | None:
    return transact(parts, lambda unit: _assign(unit, task))


def _assign(unit: Unit, task: Task) -> Draft | None:
    """Let the claimed task's job run. None when the job was canceled since the claim; it has then ended."""
    place = start_task(unit, task.uuid)
    return None if place is None else make_assignment(unit, place, unit.parts.lease)


def _sort(events: Iterable[AnyEvent]) -> dict[str, list[AnyEvent]]:
    """The events by task; what is no name of a task is nobody's, and no database need be asked of it."""
    by_task: dict[str, list[AnyEvent]] = {}
    for event in events:
        if not is_id(event.task):
            continue
        by_task.setdefault(event.task, []).append(event)
    return by_task


def _count_wanted(agent: Agent, message: Sync) -> int:
    idle = agent.disabled or agent.state is AgentState.DRAINING
    return 0 if idle else min(message.free, agent.slots)


def _read_agent(tx: Transaction, uuid: str) -> Agent:
    agent = agents.agent_by_uuid(tx, uuid)
    if agent is None:
        raise NotFoundError("this agent is not registered")
    return agent
