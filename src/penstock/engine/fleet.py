"""The agents somebody may know of, and what each of them runs."""

import msgspec

from penstock.engine.access import Action, require, seen_organizations, sees
from penstock.engine.facts import present
from penstock.engine.joblog import surround_jobs
from penstock.engine.principal import Principal
from penstock.engine.runs import OpenJob
from penstock.model.agent import Agent, AgentGroup
from penstock.model.run import Task
from penstock.store import agent_groups, agents, jobs, projects, queue
from penstock.store.database import Transaction

_MOST_GROUPS = 10_000


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An agent; `busy` counts the tasks it has, `held` are those of projects that may be known of.

    `group` is "" for one inside a server.
    """

    agent: Agent
    group: str
    busy: int
    held: tuple[tuple[Task, OpenJob], ...]


def list_seen_groups(
    tx: Transaction, by: Principal, *, after: str = "", limit: int = 100
) -> list[AgentGroup]:
    """The groups of the principal's organizations and those that serve all, by name, after `after`."""
    require(by, Action.SEE_SELF)
    return agent_groups.list_groups_among(tx, seen_organizations(by), after=after, limit=limit)


def list_fleet(tx: Transaction, by: Principal, *, after: int = 0, limit: int = 100) -> list[Seen]:
    """The agents of those groups, oldest first, with ids above `after`.

    Whoever administers the server sees those inside of servers too.
    """
    require(by, Action.SEE_SELF)
    groups = {group.id: group.name for group in list_seen_groups(tx, by, limit=_MOST_GROUPS)}
    everything = by.user.admin and not by.is_limited
    found = agents.list_agents_among(tx, None if everything else set(groups), after=after, limit=limit)
    return [_describe(tx, by, agent, groups.get(agent.group_id or 0, "")) for agent in found]


def _describe(tx: Transaction, by: Principal, agent: Agent, group: str) -> Seen:
    held = queue.held_tasks(tx, agent.id)
    every = [(task, present(jobs.get_job(tx, task.job_id))) for task in held]
    owners = {job.project_id: present(projects.get_project(tx, job.project_id)) for _, job in every}
    mine = [(task, job) for task, job in every if sees(by, owners[job.project_id])]
    around = surround_jobs(tx, [job for _, job in mine], owners)
    return Seen(
        agent=agent,
        group=group,
        busy=len(held),
        held=tuple((task, job) for (task, _), job in zip(mine, around, strict=True)),
    )
