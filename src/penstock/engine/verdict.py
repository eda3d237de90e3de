"""What a pipeline has come to, from the workflows that speak for it."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from penstock.engine.facts import Facts
from penstock.engine.repeat import find_first
from penstock.lifecycle.rollup import roll_up_workflows
from penstock.model.run import Pipeline, Workflow
from penstock.model.status import PipelineStatus, WorkflowStatus
from penstock.store import followups
from penstock.store.database import Transaction
from penstock.store.followups import FollowUpRun, FollowUpStatus

FactsOf = Callable[[int], Facts]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a pipeline has come. `outcome` is None when it has no workflow at all."""

    ended: bool
    outcome: WorkflowStatus | None


def judge_pipeline(
    tx: Transaction, facts_of: FactsOf, pipeline_id: int, every: Sequence[Workflow]
) -> Standing:
    """The standing of a pipeline whose workflows are `every`.

    A workflow that was rerun has handed its verdict on. One that a follow-up made counts as its plan says,
    its reruns too, and while it is held for a person it is as if it was not there.
    """
    made = {run.target: run for run in followups.targets_in(tx, pipeline_id)}
    rerun = {workflow.rerun_of for workflow in every}
    known = {workflow.uuid: workflow for workflow in every}
    final = [
        (workflow.status, _counts(facts_of, made.get(find_first(known, workflow).uuid)))
        for workflow in every
        if workflow.uuid not in rerun and not _is_held(made, workflow)
    ]
    ended = all(status.is_terminal for status, _ in final)
    return Standing(ended=ended, outcome=roll_up_workflows(final) if final else None)


def conclude(pipeline: Pipeline, standing: Standing) -> WorkflowStatus | None:
    """The verdict of the pipeline; one whose config was refused cannot come to a good end.

    None while it has no workflow and nothing is wrong.
    """
    if pipeline.status is PipelineStatus.ERRORED and standing.ended:
        return WorkflowStatus.ERROR
    return standing.outcome


def _is_held(made: Mapping[str | None, FollowUpRun], workflow: Workflow) -> bool:
    return workflow.uuid in made and made[workflow.uuid].status is FollowUpStatus.HELD


def _counts(facts_of: FactsOf, made_by: FollowUpRun | None) -> bool:
    if made_by is None:
        return True
    parent = facts_of(made_by.workflow_id)
    return all(each.counts for each in parent.graph.plan.follow_ups if each.name == made_by.name)
