"""Projects: made of a repository, listed, changed, deleted."""

from typing import Annotated

import msgspec

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.api.penstock.paging import Page, PageQuery, cut_page
from penstock.api.penstock.payloads import NewProject, ProjectChange, ProjectView
from penstock.engine.access import Action
from penstock.engine.adopt import Adoption, adopt_project, find_by_source
from penstock.engine.lookup import open_organization, open_project, owner_of
from penstock.engine.project_settings import change_project_settings, load_project_settings
from penstock.engine.projects import (
    delete_project,
    list_projects,
    list_seen_projects,
    move_source,
    rename_project,
)
from penstock.model.project import Project
from penstock.model.slug import STANDALONE
from penstock.store.database import Transaction

DEFAULT_BRANCH = "main"


class ProjectsQuery(PageQuery, frozen=True):
    """The query of the list: of one organization, or the one project of a repository."""

    organization: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    url: Annotated[str, msgspec.Meta(max_length=2000)] = ""


def list_every(server: Server, call: Call) -> Page[ProjectView]:
    """The projects the caller sees, by slug; with `url` the one that is cloned from there."""
    by, query = principal_of(call), call.query
    with server.parts.db.read() as tx:
        if query.url:
            only = find_by_source(tx, by, query.url)
            return Page([show_project(tx, only)] if only is not None else [])
        if query.organization:
            owner = open_organization(tx, by, Action.SEE_ORGANIZATION, query.organization)
            found = list_projects(tx, by, owner, after=query.after, limit=query.limit + 1)
        else:
            found = list_seen_projects(tx, by, after=query.after, limit=query.limit + 1)
        kept, after = cut_page(found, query.limit, lambda project: project.slug)
        return Page([show_project(tx, each) for each in kept], after)


def create(server: Server, call: Call) -> ProjectView:
    """Make a project of a repository; its organization is made too when the caller may do that."""
    body: NewProject = call.payload
    wish = Adoption(
        url=body.url,
        name=body.name,
        organization=body.organization,
        default_branch=body.default_branch or DEFAULT_BRANCH,
    )
    made = adopt_project(server.parts, principal_of(call), wish, server.workshop.policy)
    with server.parts.db.read() as tx:
        return show_project(tx, made)


def get(server: Server, call: Call) -> ProjectView:
    """A project by slug or id."""
    with server.parts.db.read() as tx:
        return show_project(tx, _open(tx, call, Action.SEE_PROJECT))


def change(server: Server, call: Call) -> ProjectView:
    """Change a project's name, source or settings."""
    by = principal_of(call)
    body: ProjectChange = call.payload
    with server.parts.db.read() as tx:
        found = _open(tx, call, Action.CHANGE_PROJECT)
    if body.settings:
        change_project_settings(server.parts, by, found, body.settings, server.workshop.is_open)
    if body.url or body.default_branch:
        found = move_source(
            server.parts,
            by,
            found,
            url=body.url,
            default_branch=body.default_branch,
            policy=server.workshop.policy,
        )
    if body.name:
        found = rename_project(server.parts, by, found, body.name)
    with server.parts.db.read() as tx:
        return show_project(tx, found)


def delete(server: Server, call: Call) -> None:
    """Delete a project with all its pipelines."""
    with server.parts.db.read() as tx:
        found = _open(tx, call, Action.DELETE_PROJECT)
    delete_project(server.parts, principal_of(call), found)


def show_project(tx: Transaction, project: Project) -> ProjectView:
    """The project, with its settings."""
    owner = owner_of(tx, project)
    return ProjectView(
        id=project.uuid,
        slug=project.slug,
        name=project.name,
        address=f"{STANDALONE}/{owner.uuid}/{project.uuid}",
        organization=owner.slug,
        organization_id=owner.uuid,
        url=project.url,
        default_branch=project.default_branch,
        created_at=project.created_at,
        settings=load_project_settings(tx, project.id),
    )


def _open(tx: Transaction, call: Call, action: Action) -> Project:
    return open_project(tx, principal_of(call), action, call.params["project"])
