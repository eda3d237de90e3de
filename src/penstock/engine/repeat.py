"""Makes the workflow that repeats another: a new row, with the results of the jobs it keeps."""

from penstock.engine.flow import Flow
from penstock.engine.start import NewWorkflow, make_workflow
from penstock.engine.unit import Unit
from penstock.lifecycle.rerun import Rerun
from penstock.model.run import Workflow
from penstock.store import jobs


def repeat_workflow(unit: Unit, flow: Flow, rerun: Rerun, *, auto_rerun_number: int = 0) -> Workflow:
    """Store the workflow; it has not begun. One that keeps jobs also keeps the old workspace."""
    kept = {job.key: job for job in jobs.jobs_of(unit.tx, flow.row.id) if job.key in rerun.kept}
    new = NewWorkflow(
        key=flow.facts.key,
        plan=flow.facts.graph.plan,
        workspace=flow.facts.workspace if kept else "",
        rerun_of=flow.row.uuid,
        auto_rerun_number=auto_rerun_number,
        state=rerun.state,
        kept=kept,
    )
    return make_workflow(unit, flow.facts.pipeline, new)
