"""The advanced settings of projects."""

import msgspec

from penstock.api.circleci.platform.projects_payloads import (
    Advanced,
    AdvancedBody,
    OldSettings,
    OldSettingsBody,
    Settings,
    SettingsBody,
)
from penstock.api.circleci.show import show_url
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine.access import Action
from penstock.engine.lookup import open_project
from penstock.engine.project_settings import change_project_settings, load_project_settings
from penstock.kit.shapes import learn
from penstock.model.errors import InvalidError
from penstock.model.project import Project
from penstock.model.settings import ProjectSettings


def get_settings(server: Server, call: Call) -> Settings:
    """The advanced settings of a project."""
    return show_settings(_find(server, call)[1])


def change_settings(server: Server, call: Call) -> Settings:
    """Change some of the advanced settings of a project; the answer holds them all."""
    body: SettingsBody = call.payload or SettingsBody()
    return show_settings(_change(server, call, body.advanced)[1])


def get_old(server: Server, call: Call) -> OldSettings:
    """The settings of a project, as API v1.1 has them."""
    return _show_old(*_find(server, call))


def change_old(server: Server, call: Call) -> OldSettings:
    """Change some of the settings of a project, as API v1.1 does."""
    body: OldSettingsBody = call.payload or OldSettingsBody()
    flags = {name.replace("-", "_"): value for name, value in body.feature_flags.items()}
    try:
        wanted = msgspec.convert(flags, learn(AdvancedBody))
    except msgspec.ValidationError as error:
        raise InvalidError(str(error)) from error
    return _show_old(*_change(server, call, wanted))


def show_settings(settings: ProjectSettings) -> Settings:
    """The settings with the vendor's names."""
    return Settings(advanced=msgspec.convert(settings, Advanced, from_attributes=True))


def _find(server: Server, call: Call) -> tuple[Project, ProjectSettings]:
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_PROJECT, call.params["slug"])
        return project, load_project_settings(tx, project.id)


def _change(server: Server, call: Call, wanted: AdvancedBody) -> tuple[Project, ProjectSettings]:
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.CHANGE_PROJECT, call.params["slug"])
    fields = msgspec.structs.asdict(wanted).items()
    changes = {name: value for name, value in fields if value is not msgspec.UNSET}
    settings = change_project_settings(server.parts, by, project, changes, server.workshop.is_open)
    return project, settings


def _show_old(project: Project, settings: ProjectSettings) -> OldSettings:
    advanced = msgspec.structs.asdict(show_settings(settings).advanced)
    return OldSettings(
        vcs_url=show_url(project),
        reponame=project.name,
        default_branch=project.default_branch,
        oss=settings.oss,
        feature_flags={name.replace("_", "-"): value for name, value in advanced.items()},
    )
