"""What a project needs of its git host: what it is cloned with, and where statuses of its commits go."""

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.api.penstock.payloads import CredentialsView, NewCredentials, NewStatuses, StatusesView
from penstock.engine.access import Action
from penstock.engine.host_account import set_host_account, show_host_account
from penstock.engine.lookup import open_project
from penstock.engine.project_settings import set_credentials
from penstock.engine.variables import open_credentials
from penstock.model.credentials import CloneCredentials, HostAccount
from penstock.model.project import Project
from penstock.store.database import Transaction


def get_credentials(server: Server, call: Call) -> CredentialsView:
    """What a project is cloned with; secrets are not told."""
    with server.parts.db.read() as tx:
        return _show_credentials(open_credentials(tx, server.sealer, _open(tx, call).id))


def put_credentials(server: Server, call: Call) -> CredentialsView:
    """Clone a project with this token or key from now on, and with nothing it was cloned with before."""
    body: NewCredentials = call.payload
    with server.parts.db.read() as tx:
        project = _open(tx, call)
    given = CloneCredentials(
        user=body.user, token=body.token, private_key=body.private_key, known_hosts=body.known_hosts
    )
    return _show_credentials(set_credentials(server.parts, server.sealer, principal_of(call), project, given))


def delete_credentials(server: Server, call: Call) -> None:
    """Clone a project without credentials from now on."""
    with server.parts.db.read() as tx:
        project = _open(tx, call)
    set_credentials(server.parts, server.sealer, principal_of(call), project, None)


def get_statuses(server: Server, call: Call) -> StatusesView:
    """Where a git host is told how jobs of a project went; the token is not told."""
    with server.parts.db.read() as tx:
        return _show_account(show_host_account(tx, server.sealer, _open(tx, call)))


def put_statuses(server: Server, call: Call) -> StatusesView:
    """Tell a git host from now on how jobs of a project go."""
    body: NewStatuses = call.payload
    with server.parts.db.read() as tx:
        project = _open(tx, call)
    account = HostAccount(token=body.token, host=body.host, api=body.api, repository=body.repository)
    return _show_account(set_host_account(server.parts, server.sealer, principal_of(call), project, account))


def delete_statuses(server: Server, call: Call) -> None:
    """Tell a git host nothing of a project any more."""
    with server.parts.db.read() as tx:
        project = _open(tx, call)
    set_host_account(server.parts, server.sealer, principal_of(call), project, None)


def _open(tx: Transaction, call: Call) -> Project:
    return open_project(tx, principal_of(call), Action.ADMINISTER_PROJECT, call.params["project"])


def _show_credentials(found: CloneCredentials | None) -> CredentialsView:
    if found is None:
        return CredentialsView()
    return CredentialsView(
        user=found.user,
        token=bool(found.token),
        private_key=bool(found.private_key),
        known_hosts=found.known_hosts,
    )


def _show_account(found: HostAccount | None) -> StatusesView:
    if found is None:
        return StatusesView()
    return StatusesView(host=found.host, api=found.api, repository=found.repository)
