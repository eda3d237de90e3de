"""Workflows: looked at, approved, stopped and run again."""

from penstock.api.circleci import payloads
from penstock.api.circleci.paging import LONG_PAGE, Page, cut_page, read_token
from penstock.api.circleci.people import find_people, list_actors
from penstock.api.circleci.pipelines import ACCEPTED
from penstock.api.circleci.show import show_workflow, show_workflow_job
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import control
from penstock.engine.access import Action
from penstock.engine.joblist import list_jobs
from penstock.engine.launch import check_open
from penstock.engine.project_settings import refuse_ssh
from penstock.engine.runs import OpenWorkflow, open_workflow, read_id
from penstock.model.errors import InvalidError, NotFoundError, RefusedError
from penstock.store import jobs

NOT_OVER = "Workflow must be in a terminal state to be rerun"
"""The vendor's words."""


def get_workflow(server: Server, call: Call) -> payloads.Workflow:
    """A workflow by id."""
    with server.parts.db.read() as tx:
        found = open_workflow(tx, principal_of(call), Action.SEE_PROJECT, call.params["id"])
        people = find_people(tx, list_actors(found.pipeline, [found.workflow]))
    return show_workflow(found.workflow, found.pipeline, found.project, people)


def list_workflow_jobs(server: Server, call: Call) -> Page[payloads.WorkflowJob]:
    """The workflow's jobs in the order of the config."""
    with server.parts.db.read() as tx:
        found = open_workflow(tx, principal_of(call), Action.SEE_PROJECT, call.params["id"])
        place = f"jobs/{found.workflow.id}"
        after = read_token(call.query.page_token, place, int) or 0
        every = list_jobs(server.parts, tx, found.workflow)
        later = [listed for listed in every if listed.job.id > after]
        kept, token = cut_page(later, LONG_PAGE, place, lambda listed: listed.job.id)
        people = find_people(
            tx, (who for each in kept for who in (each.job.approved_by, each.job.canceled_by))
        )
    return Page([show_workflow_job(listed, found.project, people) for listed in kept], token)


def approve(server: Server, call: Call) -> payloads.Message:
    """Let an approval of the workflow pass."""
    by = principal_of(call)
    request = read_id(call.params["request"])
    found = _open_to_run(server, call)
    with server.parts.db.read() as tx:
        job = jobs.job_by_uuid(tx, request)
    if job is None or job.workflow_id != found.workflow.id:
        raise NotFoundError("Approval request not found")
    control.approve_job(server.parts, request, by=by.user.login)
    return ACCEPTED


def cancel(server: Server, call: Call) -> payloads.Message:
    """Ask the workflow to stop."""
    found = _open_to_run(server, call)
    control.cancel_workflow(server.parts, found.workflow.uuid, by=principal_of(call).user.login)
    return ACCEPTED


def rerun(server: Server, call: Call) -> payloads.Rerun:
    """Run the workflow again: whole, from what failed, or the chosen jobs."""
    body: payloads.RerunBody = call.payload or payloads.RerunBody()
    _check_rerun(body)
    found = _open_to_run(server, call)
    if body.enable_ssh:
        with server.parts.db.read() as tx:
            refuse_ssh(tx, found.project)
    if not found.workflow.status.is_terminal:
        raise RefusedError(NOT_OVER)
    with server.parts.db.read() as tx:
        check_open(tx, found.project)
    again = control.rerun_workflow(
        server.parts,
        found.workflow.uuid,
        by=principal_of(call).user.login,
        from_failed=bool(body.from_failed),
        chosen=[read_id(uuid) for uuid in body.jobs or ()],
        sparse=bool(body.sparse_tree),
    )
    return payloads.Rerun(workflow_id=again.uuid)


def _check_rerun(body: payloads.RerunBody) -> None:
    """Raises InvalidError for what does not go together (CircleCI OpenAPI document: rerunWorkflow)."""
    if body.from_failed and (body.jobs or body.sparse_tree or body.enable_ssh):
        raise InvalidError("from_failed goes with none of jobs, sparse_tree and enable_ssh.")
    for name, wanted in (("enable_ssh", body.enable_ssh), ("sparse_tree", body.sparse_tree)):
        if wanted and not body.jobs:
            raise InvalidError(f"{name} needs jobs.")


def _open_to_run(server: Server, call: Call) -> OpenWorkflow:
    with server.parts.db.read() as tx:
        return open_workflow(tx, principal_of(call), Action.RUN_PIPELINE, call.params["id"])
