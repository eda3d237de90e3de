"""The moving part of a workflow, small enough to be read from rows and written back with each event."""

from collections.abc import Mapping

import msgspec

from penstock.lifecycle.effects import AnyEffect
from penstock.lifecycle.graph import Graph
from penstock.model.status import JobStatus, Reason, WorkflowStatus


class JobState(msgspec.Struct, frozen=True, kw_only=True):
    """A job as far as the rules are concerned; each field is a column.

    `attempt` counts how often it was queued (0: never) and `losses` how many of these attempts ended with
    the loss of their agent. While a job is canceling, `reason` says why it was asked to stop.
    """

    status: JobStatus = JobStatus.BLOCKED
    reason: Reason = Reason.NONE
    attempt: int = 0
    losses: int = 0
    approved_by: str = ""


BLOCKED = JobState()
"""Every job before its turn."""


class WorkflowState(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow between two events; every value is shared between states and must not be changed.

    `jobs` has the jobs in the order of the plan. `locks` has the locks that are held now, by name, with
    the key of the job that got them. `begun` is false while the workflow waits in its queue (`queued`) or
    for a person (`on_hold`). While it is canceling, `reason` says why.
    """

    jobs: Mapping[str, JobState]
    status: WorkflowStatus = WorkflowStatus.QUEUED
    reason: Reason = Reason.NONE
    begun: bool = False
    locks: Mapping[str, str] = {}


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """What one event did: the state after it, the jobs whose rows changed, and what is to be done.

    The effects are in the order in which they are to be done. An event that came late or twice changes
    nothing: `state` is then the very object that was given.
    """

    state: WorkflowState
    changed: frozenset[str] = frozenset()
    effects: tuple[AnyEffect, ...] = ()


def make_state(graph: Graph, *, held: bool = False) -> WorkflowState:
    """A workflow of which nothing has begun; `held` when a person is to start it."""
    status = WorkflowStatus.ON_HOLD if held else WorkflowStatus.QUEUED
    return WorkflowState(jobs=dict.fromkeys(graph.plan.jobs, BLOCKED), status=status)
