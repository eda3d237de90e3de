"""Narrows a plan to the workflows and jobs somebody asked for."""

from collections.abc import Iterable, Mapping

import msgspec

from penstock.model.errors import InvalidError
from penstock.model.status import JobKind
from penstock.plan.plan import Plan
from penstock.plan.workflow import JobPlan, Start, WorkflowPlan

EVERY = "all"
"""What stands for every approval where names of approvals are given."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The workflows, jobs and approvals somebody asked for by name; nothing named means everything.

    In a pipeline with dynamic configuration a name may be known only to the config that follows.
    """

    workflows: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()

    def narrow(self, plan: Plan) -> Plan:
        """What the plan has of it; of a setup plan everything when it knows none of the names.

        Raises InvalidError for a name that the plan does not know, unless what follows a setup may.
        """
        if plan.setup:
            return self._keep_known(plan).apply(plan)
        check_approvals(plan, self.approvals)
        return self.apply(plan)

    def narrow_rest(self, setup: Plan, plan: Plan) -> Plan:
        """What the plan that follows the setup has of it; nothing when only parts of the setup were named.

        Raises InvalidError for a name that neither plan knows.
        """
        before, here = self._keep_known(setup), self._keep_known(plan)
        missing = Selection(
            workflows=_without(self.workflows, before.workflows),
            jobs=_without(self.jobs, before.jobs),
            approvals=_without(self.approvals, before.approvals),
        )
        check_approvals(plan, missing.approvals)
        missing.apply(plan)
        if (self.workflows and not here.workflows) or (self.jobs and not here.jobs):
            return msgspec.structs.replace(plan, workflows={})
        return here.apply(plan)

    def apply(self, plan: Plan) -> Plan:
        """The plan with only the named workflows and jobs."""
        return select_jobs(select_workflows(plan, self.workflows), self.jobs)

    def _keep_known(self, plan: Plan) -> "Selection":
        """The names that mean something in the plan."""
        flows = {name for key, flow in plan.workflows.items() for name in (key, flow.name)}
        jobs = {key: job for flow in plan.workflows.values() for key, job in flow.jobs.items()}
        known = {name for key, job in jobs.items() for name in (key, job.name)}
        return Selection(
            workflows=tuple(name for name in self.workflows if name in flows),
            jobs=tuple(name for name in self.jobs if name in known),
            approvals=tuple(name for name in self.approvals if name in known | {EVERY}),
        )


def select_workflows(plan: Plan, names: Iterable[str]) -> Plan:
    """The plan with only the named workflows, which then start at once; all of them when none is named.

    A name may be a workflow's key or its display name. Raises InvalidError that lists what there is when
    a name is unknown.
    """
    wanted = list(names)
    if not wanted:
        return plan
    chosen: dict[str, WorkflowPlan] = {}
    for name in wanted:
        found = [key for key, workflow in plan.workflows.items() if name in {key, workflow.name}]
        if not found:
            raise InvalidError(f"there is no workflow named {name!r}; there {_are(plan.workflows)}")
        chosen |= {key: msgspec.structs.replace(plan.workflows[key], start=Start.AT_ONCE) for key in found}
    return msgspec.structs.replace(plan, workflows=chosen)


def select_jobs(plan: Plan, names: Iterable[str]) -> Plan:
    """The plan with only the named jobs and what they need, in every workflow that has one of them.

    A name may be a job's key or its display name. Raises InvalidError that lists what there is when a
    name is unknown in all workflows.
    """
    wanted = set(names)
    if not wanted:
        return plan
    known = {
        name for flow in plan.workflows.values() for key, job in flow.jobs.items() for name in (key, job.name)
    }
    unknown = sorted(wanted - known)
    if unknown:
        jobs = {key: job for flow in plan.workflows.values() for key, job in flow.jobs.items()}
        raise InvalidError(f"there is no job named {unknown[0]!r}; there {_are(jobs)}")
    narrowed = {key: _narrow(workflow, wanted) for key, workflow in plan.workflows.items()}
    return msgspec.structs.replace(
        plan, workflows={key: workflow for key, workflow in narrowed.items() if workflow.jobs}
    )


def check_approvals(plan: Plan, names: Iterable[str]) -> None:
    """Every name is that of an approval, or `EVERY`. Raises InvalidError that lists what there is."""
    jobs = {key: job for workflow in plan.workflows.values() for key, job in workflow.jobs.items()}
    approvals = {key: job for key, job in jobs.items() if job.kind is JobKind.APPROVAL}
    known = {EVERY, *approvals, *(job.name for job in approvals.values())}
    for name in names:
        if name not in known:
            raise InvalidError(f"there is no approval named {name!r}; there {_are(approvals)}")


def _narrow(workflow: WorkflowPlan, wanted: set[str]) -> WorkflowPlan:
    keep: set[str] = set()
    todo = [key for key, job in workflow.jobs.items() if wanted & {key, job.name}]
    while todo:
        key = todo.pop()
        if key not in keep:
            keep.add(key)
            todo += _required_jobs(workflow, workflow.jobs[key])
    jobs = {key: job for key, job in workflow.jobs.items() if key in keep}
    groups = {job.group for job in jobs.values()}
    return msgspec.structs.replace(
        workflow,
        jobs=jobs,
        groups={key: group for key, group in workflow.groups.items() if key in groups},
        follow_ups=(),
    )


def _required_jobs(workflow: WorkflowPlan, job: JobPlan) -> list[str]:
    """The jobs that the job and its group need; needing a group means needing all its jobs."""
    needs = [*job.needs, *(workflow.groups[job.group].needs if job.group else ())]
    members = [key for key, member in workflow.jobs.items() if member.group in needs]
    return members + [key for key in needs if key in workflow.jobs]


def _without(names: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in set(known))


def _are(known: Mapping[str, JobPlan] | Mapping[str, WorkflowPlan]) -> str:
    names = ", ".join(sorted(known))
    return f"{'is' if len(known) == 1 else 'are'} {names or 'none'}"
