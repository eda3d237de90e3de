"""Finds what is named on the command line: projects, pipelines, jobs."""

from pathlib import Path
from urllib.parse import quote

import msgspec

from penstock.api.penstock.paging import Page
from penstock.api.penstock.payloads import OrganizationView, ProjectView
from penstock.cli.remote.answers import Items, Listed, NumberedJob, Webhook
from penstock.cli.remote.client import Client
from penstock.forge.checkout import Checkout, read_checkout
from penstock.kit.ids import is_id
from penstock.model.errors import InvalidError, NotFoundError
from penstock.model.picture import JobPicture, PipelinePicture, WorkflowPicture

LATEST = "latest"
_MOST_NAMED = 20


class FoundJob(msgspec.Struct, frozen=True):
    """A job that was named; `number` is None for one that never gets one. `project` is an id."""

    id: str
    name: str
    number: int | None
    parallelism: int
    project: str


def find_project(client: Client, named: str) -> ProjectView:
    """The project of that slug or id, "" for the one this checkout is cloned from.

    Raises NotFoundError, InvalidError when there is no checkout to go by.
    """
    if named:
        return client.own("GET", f"projects/{quote(named, safe='')}", ProjectView)
    return guess_project(client, read_checkout(Path()))


def find_organization(client: Client, named: str) -> OrganizationView:
    """The organization of that slug or id, "" for that of the project this checkout is cloned from.

    Raises as `find_project` does.
    """
    wanted = named or find_project(client, "").organization_id
    return client.own("GET", f"organizations/{quote(wanted, safe='')}", OrganizationView)


def guess_project(client: Client, checkout: Checkout) -> ProjectView:
    """The project the checkout is cloned from. Raises as `find_project` does."""
    if not checkout.remote:
        raise InvalidError("which project? This folder is no checkout with a remote: give --project")
    found = client.own("GET", "projects", Page[ProjectView], url=checkout.remote)
    if not found.items:
        way_out = "`penstock project add` makes one, --project names another"
        raise NotFoundError(f"{client.url} has no project that is cloned from {checkout.remote}; {way_out}")
    return found.items[0]


def find_pipeline(client: Client, named: str, project: str) -> str:
    """The id of a pipeline given as id, as number in the project, or as `latest`.

    Raises NotFoundError, InvalidError for what is none of these.
    """
    if is_id(named):
        return named
    if named != LATEST and not (named.isascii() and named.isdecimal()):
        raise InvalidError(f"{named!r} is no pipeline: give a number, an id or {LATEST}")
    found = find_project(client, project)
    if named != LATEST:
        return client.circle("GET", f"project/{found.address}/pipeline/{named}", Listed).id
    newest = client.circle("GET", f"project/{found.address}/pipeline", Items[Listed]).items
    if not newest:
        raise NotFoundError(f"{found.slug} has no pipeline yet: `penstock trigger` makes one")
    return newest[0].id


def list_webhooks(client: Client, project: str) -> list[Webhook]:
    """The project's webhooks. Raises as `find_project` does."""
    scope = {"scope-type": "project", "scope-id": find_project(client, project).id}
    return client.circle("GET", "webhook", Items[Webhook], **scope).items


def find_webhook(client: Client, named: str, project: str) -> Webhook:
    """A webhook given by its id, or by its name in the project.

    Raises NotFoundError, InvalidError when several have the name.
    """
    if is_id(named):
        return client.circle("GET", f"webhook/{named}", Webhook)
    every = list_webhooks(client, project)
    fitting = [each for each in every if each.name == named]
    if not fitting:
        known = ", ".join(each.name for each in every) or "none"
        raise NotFoundError(f"there is no webhook {named!r}; there are {known}")
    if len(fitting) > 1:
        ids = ", ".join(each.id for each in fitting)
        raise InvalidError(f"several webhooks are called {named!r}, give the id: {ids}")
    return fitting[0]


def load_picture(client: Client, named: str, project: str) -> PipelinePicture:
    """The pipeline with its workflows and jobs. Raises as `find_pipeline` does."""
    return client.own("GET", f"pipelines/{find_pipeline(client, named, project)}", PipelinePicture)


def find_job(client: Client, named: str, pipeline: str, project: str) -> FoundJob:
    """A job given by its number in the project or its id, or by its name in the pipeline.

    Raises NotFoundError, InvalidError when several jobs have the name.
    """
    if is_id(named):
        return _show_found(client.circle("GET", f"jobs/{named}", NumberedJob))
    if named.isascii() and named.isdecimal():
        found = find_project(client, project)
        return _show_found(client.circle("GET", f"project/{found.address}/job/{named}", NumberedJob))
    picture = load_picture(client, pipeline, project)
    return choose_job(picture, named)


def choose_job(picture: PipelinePicture, named: str) -> FoundJob:
    """The pipeline's job of that name; of workflows that were rerun the latest counts.

    "" is for the only job there is. Raises as `find_job` does.
    """
    every = [(flow, job) for flow in current(picture) for job in flow.jobs]
    fitting = [(flow, job) for flow, job in every if not named or named in {job.name, job.key}]
    if not fitting:
        known = sorted({job.name for _, job in every})
        shown = ", ".join(known[:_MOST_NAMED]) or "none"
        raise NotFoundError(f"pipeline {picture.number} has no job {named!r}; there are {shown}")
    if len(fitting) > 1:
        shown = ", ".join(_name_job(flow, job) for flow, job in fitting[:_MOST_NAMED])
        which = f"are called {named!r}" if named else "are there"
        raise InvalidError(f"several jobs {which}, give the number or name of one: {shown}")
    [(_, job)] = fitting
    return FoundJob(job.id, job.name, job.number, job.parallelism, picture.project_id)


def current(picture: PipelinePicture) -> list[WorkflowPicture]:
    """The pipeline's workflows, of those that were rerun only the latest."""
    return [flow for flow in picture.workflows if not flow.repeated]


def _name_job(flow: WorkflowPicture, job: JobPicture) -> str:
    return f"{flow.name}/{job.name}{f' (job {job.number})' if job.number else ''}"


def _show_found(job: NumberedJob) -> FoundJob:
    return FoundJob(job.id, job.name, job.number, job.parallelism, job.project.id)
