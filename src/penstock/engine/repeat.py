"""Says whether a workflow may be repeated, makes the one that does, and finds the jobs it keeps."""

from collections.abc import Mapping

from penstock.engine.flow import Flow
from penstock.engine.start import KEPT_FROM, NewWorkflow, make_workflow
from penstock.engine.unit import Unit
from penstock.lifecycle.rerun import Rerun
from penstock.model.errors import RefusedError
from penstock.model.run import Job, Workflow
from penstock.model.status import JobStatus
from penstock.plan.workflow import SETUP_TAG
from penstock.store import continuations, jobs, workflows, workspaces
from penstock.store.database import Transaction

MOST_RERUNS = 100
"""How often a workflow may run again (CircleCI docs: rerun a workflow)."""

OLDEST = 90 * 24 * 3600 * 1000
"""Milliseconds after which the workflows of a pipeline do not run again (the same page)."""


def repeat_workflow(
    unit: Unit,
    flow: Flow,
    rerun: Rerun,
    *,
    by: str,
    auto_rerun_number: int = 0,
    failed_tests: bool = False,
) -> Workflow:
    """Store the workflow, started by that login; it has not begun.

    Its workspace is its own, with a copy of what the jobs it keeps had put into the old one: of two that
    repeat the same workflow neither sees what the other adds. With `failed_tests` jobs that did not pass
    run only the tests that failed in them.
    """
    before = jobs.jobs_of(unit.tx, flow.row.id)
    kept = {job.key: job for job in before if job.key in rerun.kept}
    failed = [job for job in before if failed_tests and job.status is JobStatus.FAILED]
    new = NewWorkflow(
        key=flow.facts.key,
        plan=flow.facts.graph.plan,
        rerun_of=flow.row.uuid,
        auto_rerun_number=auto_rerun_number,
        started_by=by,
        state=rerun.state,
        kept=kept,
        retests={job.key: job.uuid for job in failed if job.key not in kept},
        origins={key: flow.flags.get(key, {}).get(KEPT_FROM, job.uuid) for key, job in kept.items()},
    )
    made = make_workflow(unit, flow.facts.pipeline, new)
    workspaces.copy_layers(unit.tx, flow.facts.workspace, made.workspace, kept.keys())
    return made


def check_repeatable(unit: Unit, flow: Flow) -> None:
    """Raises RefusedError for a workflow that may not run again (CircleCI docs: rerun, dynamic config)."""
    facts = flow.facts
    if SETUP_TAG in facts.graph.plan.tags and continuations.find_use(unit.tx, facts.pipeline.id):
        raise RefusedError(
            f"Workflow {facts.name} has continued its pipeline and cannot run again: run the pipeline anew"
        )
    if unit.now - facts.pipeline.created_at > OLDEST:
        raise RefusedError(
            f"Workflow {facts.name} is of a pipeline older than 90 days: run the pipeline anew"
        )
    every = {each.uuid: each for each in workflows.workflows_of(unit.tx, facts.pipeline.id)}
    first = find_first(every, flow.row)
    reruns = sum(each.rerun_of is not None and find_first(every, each) is first for each in every.values())
    if reruns >= MOST_RERUNS:
        raise RefusedError(
            f"Workflow {facts.name} was run again {reruns} times, which is the most there may be"
        )


def find_first(known: Mapping[str, Workflow], workflow: Workflow) -> Workflow:
    """The workflow at the beginning of the chain of reruns; `known` are those of the pipeline by UUID."""
    workflow = known.get(workflow.uuid, workflow)
    while workflow.rerun_of is not None and workflow.rerun_of in known:
        workflow = known[workflow.rerun_of]
    return workflow


def find_origins(tx: Transaction, workflow: Workflow) -> Mapping[str, Job]:
    """By key, the jobs whose work a rerun kept: they have the number, the output and the tests."""
    if workflow.rerun_of is None:
        return {}
    found = {row.key: row.flags.get(KEPT_FROM) for row in jobs.states_of(tx, workflow.id)}
    origins = {key: jobs.job_by_uuid(tx, uuid) for key, uuid in found.items() if uuid is not None}
    return {key: job for key, job in origins.items() if job is not None}
