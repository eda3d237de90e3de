"""The advanced settings of projects."""

from typing import Any

import msgspec

from penstock.api.circleci.platform.projects_payloads import Advanced, Settings, SettingsBody
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine.access import Action
from penstock.engine.lookup import open_project
from penstock.engine.project_settings import change_project_settings, load_project_settings
from penstock.model.settings import ProjectSettings


def get_settings(server: Server, call: Call) -> Settings:
    """The advanced settings of a project."""
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_PROJECT, call.params["slug"])
        return show_settings(load_project_settings(tx, project.id))


def change_settings(server: Server, call: Call) -> Settings:
    """Change some of the advanced settings of a project; the answer holds them all."""
    body: SettingsBody = call.payload or SettingsBody()
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.CHANGE_PROJECT, call.params["slug"])
    changes: dict[str, Any] = msgspec.to_builtins(body.advanced)
    return show_settings(change_project_settings(server.parts, by, project, changes, server.workshop.is_open))


def show_settings(settings: ProjectSettings) -> Settings:
    """The settings with the vendor's names."""
    return Settings(advanced=msgspec.convert(settings, Advanced, from_attributes=True))
