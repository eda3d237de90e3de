"""The jobs of a workflow as they are listed: with what they need, and as whose work they stand there."""

from collections.abc import Mapping

import msgspec

from penstock.engine.repeat import find_origins
from penstock.engine.unit import Parts
from penstock.model.run import Job, Workflow
from penstock.model.status import Outcome
from penstock.plan.workflow import WorkflowPlan
from penstock.store import jobs
from penstock.store.database import Transaction


class ListedJob(msgspec.Struct, frozen=True):
    """A job. `origin` is the job that did the work when a rerun kept it, else the job itself.

    `needs` has the UUIDs of the jobs it waits for, as they are listed, with the outcomes it accepts.
    """

    job: Job
    origin: Job
    needs: Mapping[str, tuple[Outcome, ...]]


def list_jobs(parts: Parts, tx: Transaction, workflow: Workflow) -> list[ListedJob]:
    """The workflow's jobs in the order of the plan."""
    plan = parts.memory.facts(tx, workflow.id).graph.plan
    origins = find_origins(tx, workflow)
    every = jobs.jobs_of(tx, workflow.id)
    ids = {job.key: origins.get(job.key, job).uuid for job in every}
    members = _list_members(plan)
    return [
        ListedJob(job, origins.get(job.key, job), _find_needs(plan, job.key, ids, members)) for job in every
    ]


def _list_members(plan: WorkflowPlan) -> dict[str, list[str]]:
    """The keys of each group's jobs."""
    members: dict[str, list[str]] = {key: [] for key in plan.groups}
    for key, job in plan.jobs.items():
        if job.group is not None:
            members.setdefault(job.group, []).append(key)
    return members


def _find_needs(
    plan: WorkflowPlan, key: str, ids: Mapping[str, str], members: Mapping[str, list[str]]
) -> dict[str, tuple[Outcome, ...]]:
    """What the job waits for; of a group it waits for each job."""
    job = plan.jobs[key]
    wanted = dict(job.needs)
    if job.group is not None and job.group in plan.groups:
        wanted |= plan.groups[job.group].needs
    needs: dict[str, tuple[Outcome, ...]] = {}
    for name, outcomes in wanted.items():
        for each in members.get(name, [name]):
            if each in ids:
                needs[ids[each]] = outcomes
    return needs
