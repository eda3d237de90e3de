"""The webhook of a project: its address, and the secrets that a git host may sign with."""

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.api.penstock.payloads import HookSecretView, HookView, MadeHookSecret, NewHookSecret
from penstock.engine.access import Action
from penstock.engine.lookup import open_project
from penstock.engine.project_settings import (
    MOST_HOOK_SECRETS,
    add_hook_secret,
    list_hook_secrets,
    remove_hook_secret,
)
from penstock.engine.runs import read_id
from penstock.model.project import Project
from penstock.store.database import Transaction


def get(server: Server, call: Call) -> HookView:
    """Where a git host sends webhooks of a project, and which secrets they may be signed with."""
    with server.parts.db.read() as tx:
        project = _open(tx, call)
        found = list_hook_secrets(tx, project.id)
    shown = tuple(HookSecretView(id=each.uuid, created_at=each.created_at) for each in found)
    return HookView(url=_locate(server, project), secrets=shown)


def create_secret(server: Server, call: Call) -> MadeHookSecret:
    """Make a secret that webhooks may be signed with, told this once; or one instead of all others."""
    by = principal_of(call)
    body: NewHookSecret = call.payload or NewHookSecret()
    with server.parts.db.read() as tx:
        project = _open(tx, call)
        older = list_hook_secrets(tx, project.id) if body.replace else []
    if len(older) >= MOST_HOOK_SECRETS:  # there must be room for the new one
        remove_hook_secret(server.parts, by, project, older.pop(0).uuid)
    made = add_hook_secret(server.parts, server.sealer, by, project, body.secret)
    for each in older:
        remove_hook_secret(server.parts, by, project, each.uuid)
    return MadeHookSecret(id=made.uuid, url=_locate(server, project), secret=made.secret)


def delete_secret(server: Server, call: Call) -> None:
    """Hear nothing any more that is signed with a secret."""
    with server.parts.db.read() as tx:
        project = _open(tx, call)
    remove_hook_secret(server.parts, principal_of(call), project, read_id(call.params["id"]))


def _open(tx: Transaction, call: Call) -> Project:
    return open_project(tx, principal_of(call), Action.ADMINISTER_PROJECT, call.params["project"])


def _locate(server: Server, project: Project) -> str:
    """The address, which stays good when the project is renamed."""
    return f"{server.base_url}/hooks/{project.uuid}"
