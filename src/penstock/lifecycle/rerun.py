"""Another run of a workflow that has ended: which jobs keep their result and which run again.

A rerun is a new workflow. The functions return its first state, in which kept jobs are already at their
end; `advance` with `Begin` sets the others going. Sources: CircleCI API v2 `rerunWorkflow`, Semaphore
partial rebuild.
"""

from collections.abc import Collection

import msgspec

from penstock.lifecycle.graph import Graph
from penstock.lifecycle.state import BLOCKED, JobState, WorkflowState
from penstock.model.errors import NotFoundError, RefusedError
from penstock.model.status import OUTCOME_OF_JOB, JobKind, JobStatus, Outcome, Reason, WorkflowStatus
from penstock.plan.workflow import WorkflowPlan


class Rerun(msgspec.Struct, frozen=True, kw_only=True):
    """The state a new workflow begins with, and the jobs that keep the results of the old one."""

    state: WorkflowState
    kept: tuple[str, ...]


def rerun_whole(graph: Graph, old: WorkflowState) -> Rerun:
    """All jobs run again. Raises RefusedError while the workflow has not ended."""
    check_ended(graph, old)
    return make_rerun(graph, old, frozenset(graph.plan.jobs))


def rerun_failed(graph: Graph, old: WorkflowState) -> Rerun:
    """What did not pass runs again, and all that waited for it; approvals given before stay given.

    In a group with `rerun_whole` all jobs run again if one does. Raises RefusedError while the workflow
    has not ended or when everything passed.
    """
    check_ended(graph, old)
    seeds = {key for key, job in old.jobs.items() if must_repeat(job)}
    if not seeds:
        raise RefusedError(f"Workflow {graph.plan.name} has no failed jobs to run again")
    for key, group in graph.plan.groups.items():
        if group.rerun_whole and not seeds.isdisjoint(graph.members[key]):
            seeds.update(graph.members[key])
    return make_rerun(graph, old, seeds.union(graph.downstream(seeds)))


def rerun_jobs(graph: Graph, old: WorkflowState, keys: Collection[str], *, sparse: bool = False) -> Rerun:
    """The chosen jobs run again, and all that wait for them; all others keep how they ended.

    With `sparse` the new workflow is about the chosen jobs only: what neither leads to them nor follows
    from them is left out (not run), so an old failure elsewhere does not spoil the verdict. Raises
    RefusedError while the workflow has not ended or when no job is chosen, NotFoundError for unknown ones.
    """
    check_ended(graph, old)
    if not keys:
        raise RefusedError("Choose at least one job to run again")
    if unknown := sorted(set(keys) - graph.plan.jobs.keys()):
        raise NotFoundError(f"Workflow {graph.plan.name} has no job {unknown[0]!r}")
    again = frozenset(keys).union(graph.downstream(keys))
    rerun = make_rerun(graph, old, again)
    return leave_out(graph, rerun, again) if sparse else rerun


def may_rerun_itself(plan: WorkflowPlan, status: WorkflowStatus, number: int, *, by_person: bool) -> bool:
    """True when the engine is to run a workflow again from failed without being asked.

    `number` is how many automatic reruns led to this workflow. One that a person ran again, or that did
    not fail, is left alone (CircleCI config reference: max_auto_reruns).
    """
    return status is WorkflowStatus.FAILED and not by_person and number < plan.max_auto_reruns


def check_ended(graph: Graph, old: WorkflowState) -> None:
    """Returns when the workflow has ended; raises RefusedError otherwise."""
    if not old.status.is_terminal:
        raise RefusedError(f"Workflow {graph.plan.name} is {old.status}: only one that has ended can rerun")


def must_repeat(job: JobState) -> bool:
    """True for a job that did not pass, unless it was not run because others passed or failed.

    Those either follow from a job that runs again, or waited for a failure that did not happen.
    """
    outcome = OUTCOME_OF_JOB.get(job.status)
    if outcome is Outcome.NOT_RUN:
        return job.reason is not Reason.DEPENDENCY
    return outcome is not Outcome.SUCCESS


def make_rerun(graph: Graph, old: WorkflowState, again: Collection[str]) -> Rerun:
    """The first state of a workflow in which these jobs, and the locks they need, run again."""
    repeated = {*again, *find_locks(graph, again)}
    jobs = {key: BLOCKED if key in repeated else old.jobs[key] for key in graph.plan.jobs}
    return Rerun(state=WorkflowState(jobs=jobs), kept=tuple(key for key in jobs if key not in repeated))


def find_locks(graph: Graph, again: Collection[str]) -> set[str]:
    """Lock jobs whose protection a repeated job needs, and the unlock jobs that belong to them.

    The old workflow gave its locks back, so a lock job that passed there protects nothing here.
    """
    found: set[str] = set()
    for key, job in graph.plan.jobs.items():
        if job.kind is not JobKind.LOCK:
            continue
        protected = set(graph.downstream([key]))
        unlocks = [other for other in protected if is_unlock(graph, other, job.lock)]
        if unlocks:
            protected &= {before for unlock in unlocks for before in graph.upstream(unlock)}
        if not protected.isdisjoint(again):
            found.update([key, *unlocks])
    return found


def is_unlock(graph: Graph, key: str, lock: str | None) -> bool:
    """True for a job that gives the lock back."""
    job = graph.plan.jobs[key]
    return job.kind is JobKind.UNLOCK and job.lock == lock


def leave_out(graph: Graph, rerun: Rerun, again: Collection[str]) -> Rerun:
    """The rerun without the jobs that have nothing to do with those that run again."""
    related = {before for key in again for before in graph.upstream(key)}.union(again)
    jobs = {
        key: job
        if key in related or job is BLOCKED
        else JobState(status=JobStatus.NOT_RUN, reason=Reason.USER)
        for key, job in rerun.state.jobs.items()
    }
    kept = tuple(key for key in rerun.kept if key in related)
    return Rerun(state=WorkflowState(jobs=jobs), kept=kept)
