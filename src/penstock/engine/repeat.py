"""Makes the workflow that repeats another, and finds the jobs whose results it keeps."""

from collections.abc import Mapping

from penstock.engine.flow import Flow
from penstock.engine.start import KEPT_FROM, NewWorkflow, make_workflow
from penstock.engine.unit import Unit
from penstock.lifecycle.rerun import Rerun
from penstock.model.run import Job, Workflow
from penstock.model.status import JobStatus
from penstock.store import jobs
from penstock.store.database import Transaction


def repeat_workflow(
    unit: Unit, flow: Flow, rerun: Rerun, *, auto_rerun_number: int = 0, failed_tests: bool = False
) -> Workflow:
    """Store the workflow; it has not begun. One that keeps jobs also keeps the old workspace.

    With `failed_tests` jobs that did not pass run only the tests that failed in them.
    """
    before = jobs.jobs_of(unit.tx, flow.row.id)
    kept = {job.key: job for job in before if job.key in rerun.kept}
    failed = [job for job in before if failed_tests and job.status is JobStatus.FAILED]
    new = NewWorkflow(
        key=flow.facts.key,
        plan=flow.facts.graph.plan,
        workspace=flow.facts.workspace if kept else "",
        rerun_of=flow.row.uuid,
        auto_rerun_number=auto_rerun_number,
        state=rerun.state,
        kept=kept,
        retests={job.key: job.uuid for job in failed if job.key not in kept},
        origins={key: flow.flags.get(key, {}).get(KEPT_FROM, job.uuid) for key, job in kept.items()},
    )
    return make_workflow(unit, flow.facts.pipeline, new)


def find_origins(tx: Transaction, workflow: Workflow) -> Mapping[str, Job]:
    """By key, the jobs whose work a rerun kept: they have the number, the output and the tests."""
    if workflow.rerun_of is None:
        return {}
    found = {row.key: row.flags.get(KEPT_FROM) for row in jobs.states_of(tx, workflow.id)}
    origins = {key: jobs.job_by_uuid(tx, uuid) for key, uuid in found.items() if uuid is not None}
    return {key: job for key, job in origins.items() if job is not None}
