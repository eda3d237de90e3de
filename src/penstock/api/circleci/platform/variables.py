"""The environment variables of projects."""

from penstock.api.circleci.paging import Page, PageQuery, read_token
from penstock.api.circleci.payloads import Message
from penstock.api.circleci.platform.projects_payloads import EnvVar, EnvVarBody, OldEnvVar
from penstock.api.circleci.times import show_millis
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine.access import Action
from penstock.engine.contexts import delete_project_variable, mask_value, set_project_variable
from penstock.engine.lookup import open_project
from penstock.engine.project_variables import ShownVariable, find_project_variable, list_project_variables

DONE = Message(message="ok")


def list_variables(server: Server, call: Call) -> Page[EnvVar]:
    """The variables of a project, their values masked."""
    query: PageQuery = call.query
    read_token(query.page_token, "envvar", str)  # there is one page
    return Page([_show(each) for each in _list(server, call)])


def get_variable(server: Server, call: Call) -> EnvVar:
    """A variable of a project, its value masked."""
    return _show(_find(server, call))


def set_variable(server: Server, call: Call) -> EnvVar:
    """Give a project a variable, or one it has another value."""
    body: EnvVarBody = call.payload
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.CHANGE_VARIABLES, call.params["slug"])
    made = set_project_variable(server.parts, server.sealer, by, project, body.name, body.value)
    return _show(ShownVariable(name=made.name, value=mask_value(body.value), created_at=made.created_at))


def delete_variable(server: Server, call: Call) -> Message:
    """Take a variable away from a project."""
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.CHANGE_VARIABLES, call.params["slug"])
    delete_project_variable(server.parts, by, project, call.params["name"])
    return DONE


def list_old(server: Server, call: Call) -> list[OldEnvVar]:
    """The variables of a project, their values masked, as API v1.1 has them."""
    return [_show_old(each) for each in _list(server, call)]


def get_old(server: Server, call: Call) -> OldEnvVar:
    """A variable of a project, its value masked, as API v1.1 has it."""
    return _show_old(_find(server, call))


def set_old(server: Server, call: Call) -> OldEnvVar:
    """Give a project a variable, or one it has another value, as API v1.1 does."""
    made = set_variable(server, call)
    return OldEnvVar(name=made.name, value=made.value)


def _list(server: Server, call: Call) -> list[ShownVariable]:
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_VARIABLES, call.params["slug"])
        return list_project_variables(tx, server.sealer, project)


def _find(server: Server, call: Call) -> ShownVariable:
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_VARIABLES, call.params["slug"])
        return find_project_variable(tx, server.sealer, project, call.params["name"])


def _show(variable: ShownVariable) -> EnvVar:
    return EnvVar(name=variable.name, value=variable.value, created_at=show_millis(variable.created_at))


def _show_old(variable: ShownVariable) -> OldEnvVar:
    return OldEnvVar(name=variable.name, value=variable.value)
