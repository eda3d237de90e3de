"""Projects and organizations, made and deleted."""

from penstock.api.circleci import payloads
from penstock.api.circleci.errors import ClassicOnlyError
from penstock.api.circleci.platform import projects_payloads
from penstock.api.circleci.platform.settings import show_settings
from penstock.api.circleci.show import show_organization, show_project
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import organizations, projects
from penstock.engine.access import Action
from penstock.engine.adopt import add_project, adopt_by_slug
from penstock.engine.lookup import open_organization, open_project
from penstock.engine.project_settings import load_project_settings
from penstock.engine.projects import NewProject


def create_by_slug(server: Server, call: Call) -> projects_payloads.Settings:
    """Make a project of the repository with this slug at its host, and show its settings."""
    workshop = server.workshop
    made = adopt_by_slug(
        server.parts, principal_of(call), call.params["slug"], workshop.hosts, workshop.policy
    )
    if made is None:
        raise ClassicOnlyError
    with server.parts.db.read() as tx:
        return show_settings(load_project_settings(tx, made.id))


def create_project(server: Server, call: Call) -> payloads.Project:
    """Make a project in an organization, of the repository of that name or of a given one."""
    body: projects_payloads.ProjectBody = call.payload
    by = principal_of(call)
    with server.parts.db.read() as tx:
        owner = open_organization(tx, by, Action.CREATE_PROJECT, call.params["slug"])
    new = NewProject(name=body.name, url=body.url)
    return show_project(add_project(server.parts, by, owner, new, server.workshop), owner)


def delete_project(server: Server, call: Call) -> payloads.Message:
    """Delete a project with all its pipelines."""
    by = principal_of(call)
    with server.parts.db.read() as tx:
        found = open_project(tx, by, Action.DELETE_PROJECT, call.params["slug"])
    projects.delete_project(server.parts, by, found)
    return payloads.Message(message="Project deleted.")


def create_organization(server: Server, call: Call) -> payloads.Organization:
    """Make an organization of a git host, or of none."""
    body: projects_payloads.OrganizationBody = call.payload
    made = organizations.create_organization(
        server.parts, principal_of(call), host=body.vcs_type, name=body.name
    )
    return show_organization(made)


def delete_organization(server: Server, call: Call) -> payloads.Message:
    """Delete an organization with all its projects."""
    by = principal_of(call)
    with server.parts.db.read() as tx:
        found = open_organization(tx, by, Action.DELETE_ORGANIZATION, call.params["slug"])
    organizations.delete_organization(server.parts, by, found)
    return payloads.Message(message="Organization deleted.")
