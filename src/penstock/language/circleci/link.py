"""Dependencies: names under `requires` resolved to jobs, and the graph they make checked."""

from penstock.language.circleci.expand.group import list_leaves
from penstock.language.circleci.expand.planned import Job, Workflow
from penstock.language.common.diagnostic import Reporter, suggest_name
from penstock.language.common.tree import Items, Map, Place, Unresolved
from penstock.model.status import JobKind, Outcome
from penstock.plan.workflow import EVERY_OUTCOME, PASSED


def link_requires(workflow: Workflow, report: Reporter) -> None:
    """Sets every job's `needs`. A name must be that of exactly one other job, or of a matrix."""
    _check_groups(workflow, report)
    indices = {group: _Index(workflow, group) for group in {job.group for job in workflow.jobs}}
    for job in workflow.jobs:
        index = indices[job.group]
        requires = job.entry.get("requires")
        if isinstance(requires, Items):
            job.needs = {}
            for position, item in enumerate(requires):
                _link_item(item, Place(requires, position), job, index, report)
        if job.gate and not job.needs:
            job.needs = {job.gate: PASSED}
    for job in workflow.jobs:
        if job.closes and job.kind is not JobKind.UNLOCK:
            job.needs = list_leaves(workflow.jobs, job.closes)


def _check_groups(workflow: Workflow, report: Reporter) -> None:
    """Reports groups whose name is that of a job."""
    names = {job.base for job in workflow.jobs if not job.group and not job.closes}
    for job in workflow.jobs:
        if job.closes and job.base in names:
            message = f"Job group '{job.base}' has the name of a job in the workflow."
            report.error("group-name", message, job.place, hint="give this use of the group a 'name:'")


class _Index:
    """The jobs of a workflow, or of one of its job groups, by each name they can be required by."""

    def __init__(self, workflow: Workflow, group: str) -> None:
        self.workflow = workflow
        self.by_key: dict[str, Job] = {}
        self.by_base: dict[str, list[Job]] = {}
        self.by_alias: dict[str, list[Job]] = {}
        prefix = f"{group}/" if group else ""
        for job in workflow.jobs:
            if job.group != group:
                continue
            self.by_key[job.key.removeprefix(prefix)] = job
            self.by_base.setdefault(job.base.removeprefix(prefix), []).append(job)
            if job.alias:
                self.by_alias.setdefault(job.alias.removeprefix(prefix), []).append(job)

    def find(self, name: str, asking: Job) -> tuple[list[Job], int]:
        """The jobs a name stands for, and how many others bear it."""
        members = [job for job in self.by_alias.get(name, ()) if job is not asking]
        if members and asking not in self.by_alias[name]:
            return members, 1
        others = [job for job in self.by_base.get(name, ()) if job is not asking]
        if len(others) != 1 and (exact := self.by_key.get(name)) is not None and exact is not asking:
            return [exact], 1
        return others, len(others)

    def list_names(self, asking: Job) -> list[str]:
        """What the job could require."""
        mine = {asking.key, asking.base}
        return [
            *(name for name, job in self.by_key.items() if job is not asking and name not in mine),
            *(name for name in self.by_alias if name not in mine),
        ]

    def explain(self, name: str, asking: Job) -> str:
        """A way out for a name that no job bears that could be required here."""
        inner = next((job.group for job in self.workflow.jobs if job.group and _bears(job, name)), "")
        if not inner or inner == asking.group:
            return suggest_name(name, self.list_names(asking)) or "the workflow has no other job"
        if asking.group:
            return f"a job of a group can require only jobs of its group; let the group require '{inner}'"
        return f"it is a job of group '{inner}'; require the group"


def _bears(job: Job, name: str) -> bool:
    """True for the name of a group's job, with or without the group's before it."""
    return name in {job.base, job.key, job.base.removeprefix(f"{job.group}/")}


def _link_item(item: object, place: Place, job: Job, index: _Index, report: Reporter) -> None:
    """A name, or a map from a name to the outcomes it accepts."""
    wanted = item.items() if isinstance(item, Map) else [(item, None)]
    for name, outcomes in wanted:
        if not isinstance(name, str) or isinstance(name, Unresolved):
            continue
        found, count = index.find(name, job)
        if count != 1:
            message = (
                f"Job '{job.key}' requires '{name}', which is the name of {count} other jobs "
                f"in workflow '{index.workflow.name}'"
            )
            hint = index.explain(name, job) if count == 0 else "give the jobs distinct names"
            where = Place(item, name, on_key=True) if isinstance(item, Map) else place
            report.error("unknown-requires", message, where, hint=hint)
            continue
        for other in found:
            job.needs[other.key] = read_outcomes(outcomes)


def read_outcomes(value: object) -> tuple[Outcome, ...]:
    """The outcomes a status or a list of statuses accepts; nothing written means success."""
    statuses = [value] if isinstance(value, str) else list(value) if isinstance(value, Items) else []
    if "terminal" in statuses:
        return EVERY_OUTCOME
    known = tuple(outcome for outcome in Outcome if outcome in statuses)
    return known or PASSED


def check_graph(workflow: Workflow, report: Reporter) -> None:
    """Reports jobs that can never start because they wait for each other."""
    waiting = {job.key: set(job.needs) for job in workflow.jobs}
    ready = [key for key, needs in waiting.items() if not needs]
    if workflow.jobs and not ready:
        message = "At least one job in the workflow must have no dependencies."
        report.error(
            "no-first-job", message, workflow.place, hint="remove one of the 'requires' that form a circle"
        )
    dependents: dict[str, list[str]] = {}
    for key, needs in waiting.items():
        for need in needs:
            dependents.setdefault(need, []).append(key)
    while ready:
        done = ready.pop()
        del waiting[done]
        for key in dependents.get(done, ()):
            waiting[key].discard(done)
            if not waiting[key]:
                ready.append(key)
    if waiting:
        message = f"The following jobs are unreachable: {', '.join(waiting)}"
        report.error("unreachable-jobs", message, workflow.place, hint="their 'requires' form a circle")
