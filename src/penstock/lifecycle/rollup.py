"""How the many become one: jobs a group, jobs a workflow, workflows a pipeline; each a list in order.

In every list the first rule that holds decides, so the list is the specification.
"""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from penstock.lifecycle.state import JobState
from penstock.model.status import OUTCOME_OF_JOB, JobStatus, Outcome, Reason, WorkflowStatus

MOVING: Final = frozenset({JobStatus.WAITING, JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELING})
"""Jobs that go on without anybody's help."""

BROKEN: Final = frozenset({JobStatus.FAILED, JobStatus.TIMEDOUT, JobStatus.INFRASTRUCTURE_FAIL})
"""Jobs that ended as a failure, whoever is to blame."""

WORKFLOW_RULES: Final[tuple[tuple[WorkflowStatus, tuple[frozenset[JobStatus], ...]], ...]] = (
    (WorkflowStatus.FAILING, (MOVING, BROKEN)),
    (WorkflowStatus.RUNNING, (MOVING,)),
    (WorkflowStatus.ON_HOLD, (frozenset({JobStatus.ON_HOLD}),)),
    (WorkflowStatus.RUNNING, (frozenset({JobStatus.BLOCKED}),)),
    (WorkflowStatus.FAILED, (BROKEN,)),
    (WorkflowStatus.UNAUTHORIZED, (frozenset({JobStatus.UNAUTHORIZED}),)),
    (WorkflowStatus.CANCELED, (frozenset({JobStatus.CANCELED}),)),
    (WorkflowStatus.SUCCESS, (frozenset({JobStatus.SUCCESS, JobStatus.SKIPPED}),)),
    (WorkflowStatus.NOT_RUN, ()),
)
"""A rule holds when the workflow has at least one job of each of its sets.

The first three and the last four are CircleCI's (API v2: workflow status): anything that moves makes it
running, or failing once a job has failed; then approvals; jobs that were not run do not count beside jobs
that were.
"""


def roll_up_jobs(statuses: Iterable[JobStatus]) -> WorkflowStatus:
    """The status of a workflow that nobody asked to stop. One without jobs has not run."""
    present = frozenset(statuses)
    return next(
        status for status, sets in WORKFLOW_RULES if all(not present.isdisjoint(members) for members in sets)
    )


_JOBS_BEHIND: Final[Mapping[WorkflowStatus, frozenset[JobStatus]]] = MappingProxyType(
    {status: sets[0] for status, sets in WORKFLOW_RULES if sets and status.is_terminal}
)


def find_reason(status: WorkflowStatus, jobs: Iterable[JobState]) -> Reason:
    """Why a workflow ended so: the reason of the first job, in the order of the plan, that made it so."""
    if status is WorkflowStatus.SUCCESS:
        return Reason.NONE
    behind = _JOBS_BEHIND.get(status, frozenset({JobStatus.NOT_RUN}))
    return next((job.reason for job in jobs if job.status in behind), Reason.NONE)


GROUP_RULES: Final[tuple[Outcome, ...]] = (
    Outcome.CANCELED,
    Outcome.FAILED,
    Outcome.UNAUTHORIZED,
    Outcome.NOT_RUN,
)
"""A group passes only when all its jobs did; otherwise the first of these that one of its jobs has.

A stop is said before a failure (Semaphore: result of a task), but jobs that were stopped or not run only
because a sibling failed leave the word to that sibling.
"""


def roll_up_group(jobs: Collection[JobState]) -> Outcome | None:
    """The outcome of a group for those that need it, None while one of its jobs lives."""
    present: set[Outcome] = set()
    fallen: set[Outcome] = set()
    for job in jobs:
        outcome = OUTCOME_OF_JOB.get(job.status)
        if outcome is None:
            return None
        (fallen if job.reason is Reason.FAST_FAILING else present).add(outcome)
    for outcome in GROUP_RULES:
        if outcome in present:
            return outcome
    if fallen:  # the failure was in another group
        return Outcome.NOT_RUN if fallen == {Outcome.NOT_RUN} and not present else Outcome.CANCELED
    return Outcome.SUCCESS


OUTCOME_OF_WORKFLOW: Final[Mapping[WorkflowStatus, Outcome]] = MappingProxyType(
    {
        WorkflowStatus.SUCCESS: Outcome.SUCCESS,
        WorkflowStatus.FAILED: Outcome.FAILED,
        WorkflowStatus.ERROR: Outcome.FAILED,
        WorkflowStatus.CANCELED: Outcome.CANCELED,
        WorkflowStatus.UNAUTHORIZED: Outcome.UNAUTHORIZED,
        WorkflowStatus.NOT_RUN: Outcome.NOT_RUN,
    }
)
"""The outcome each terminal workflow status stands for, as conditions of follow-ups see it."""

_ALIVE: Final = frozenset(
    {WorkflowStatus.QUEUED, WorkflowStatus.RUNNING, WorkflowStatus.FAILING, WorkflowStatus.CANCELING}
)
_BAD: Final = frozenset({WorkflowStatus.FAILING, WorkflowStatus.FAILED, WorkflowStatus.ERROR})

PIPELINE_RULES: Final[tuple[tuple[WorkflowStatus, tuple[frozenset[WorkflowStatus], ...]], ...]] = (
    (WorkflowStatus.FAILING, (_ALIVE, _BAD)),
    (WorkflowStatus.RUNNING, (_ALIVE,)),
    (WorkflowStatus.ON_HOLD, (frozenset({WorkflowStatus.ON_HOLD}),)),
    (WorkflowStatus.FAILED, (_BAD,)),
    (WorkflowStatus.UNAUTHORIZED, (frozenset({WorkflowStatus.UNAUTHORIZED}),)),
    (WorkflowStatus.CANCELED, (frozenset({WorkflowStatus.CANCELED}),)),
    (WorkflowStatus.SUCCESS, (frozenset({WorkflowStatus.SUCCESS}),)),
    (WorkflowStatus.NOT_RUN, ()),
)
"""The same for the workflows of a pipeline; a queued workflow is work to come."""


def roll_up_workflows(workflows: Iterable[tuple[WorkflowStatus, bool]]) -> WorkflowStatus:
    """The verdict of a pipeline from (status, counts) of its workflows, of each chain of reruns the last.

    One that does not count (an after-pipeline task) is left out; without any left nothing was run.
    """
    present = frozenset(status for status, counts in workflows if counts)
    return next(
        status for status, sets in PIPELINE_RULES if all(not present.isdisjoint(members) for members in sets)
    )
