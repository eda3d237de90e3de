"""Projects, and what pipelines are made of in them."""

from penstock.api.circleci import payloads
from penstock.api.circleci.show import show_project
from penstock.api.circleci.times import show_millis
from penstock.api.circleci.words import name_vcs_type
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine.access import Action
from penstock.engine.lookup import open_project, owner_of
from penstock.engine.project_settings import load_project_settings
from penstock.engine.runs import read_id
from penstock.model.errors import NotFoundError
from penstock.model.project import Project, definition_id
from penstock.model.settings import ProjectSettings
from penstock.model.slug import host_of

DEFINITION = "build"


def get_project(server: Server, call: Call) -> payloads.Project:
    """A project by slug."""
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_PROJECT, call.params["slug"])
        return show_project(project, owner_of(tx, project))


def list_definitions(server: Server, call: Call) -> payloads.PipelineDefinitions:
    """What the project's pipelines are made of: every project has one definition."""
    with server.parts.db.read() as tx:
        uuid = read_id(call.params["project_id"])
        project = open_project(tx, principal_of(call), Action.SEE_PROJECT, uuid)
        settings = load_project_settings(tx, project.id)
    return payloads.PipelineDefinitions(items=(show_definition(project, settings),))


def get_definition(server: Server, call: Call) -> payloads.PipelineDefinition:
    """A pipeline definition by id."""
    wanted = read_id(call.params["id"])
    [definition] = list_definitions(server, call).items
    if definition.id != wanted:
        raise NotFoundError("Pipeline definition not found.")
    return definition


def show_definition(project: Project, settings: ProjectSettings) -> payloads.PipelineDefinition:
    """The project's definition."""
    vcs_type = name_vcs_type(host_of(project.slug))
    provider = {"github": "github_oauth", "bitbucket": "bitbucket_oauth"}.get(vcs_type, vcs_type)
    repository = payloads.Repository(full_name=project.slug.partition("/")[2], external_id=project.uuid)
    return payloads.PipelineDefinition(
        id=definition_id(project),
        name=DEFINITION,
        description="",
        created_at=show_millis(project.created_at),
        config_source=payloads.ConfigSource(
            provider=provider, repo=repository, file_path=settings.config_path
        ),
        checkout_source=payloads.CheckoutSource(provider=provider, repo=repository),
    )
