"""Dependencies: names under `requires` resolved to jobs, and the graph they make checked."""

from penstock.language.circleci.expand.workflow import Job, Workflow
from penstock.language.common.diagnostic import Reporter, suggest_name
from penstock.language.common.tree import Items, Map, Place, Unresolved
from penstock.model.status import Outcome
from penstock.plan.workflow import EVERY_OUTCOME, PASSED


def link_requires(workflow: Workflow, report: Reporter) -> None:
    """Sets every job's `needs`. A name must be that of exactly one other job, or of a matrix."""
    index = _Index(workflow)
    for job in workflow.jobs:
        requires = job.entry.get("requires")
        if isinstance(requires, Items):
            job.needs = {}
            for position, item in enumerate(requires):
                _link_item(item, Place(requires, position), job, index, report)


class _Index:
    """The jobs of a workflow by each name they can be required by."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.by_key = {job.key: job for job in workflow.jobs}
        self.by_base: dict[str, list[Job]] = {}
        self.by_alias: dict[str, list[Job]] = {}
        for job in workflow.jobs:
            self.by_base.setdefault(job.base, []).append(job)
            if job.alias:
                self.by_alias.setdefault(job.alias, []).append(job)

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
        return [name for name in (*self.by_key, *self.by_alias) if name not in {asking.key, asking.base}]


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
            hint = suggest_name(name, index.list_names(job)) if count == 0 else "give the jobs distinct names"
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
