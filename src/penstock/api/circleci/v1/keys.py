"""The SSH keys of a project, and the SSH into jobs that there is not."""

from penstock.api.circleci.jobs import open_by_number
from penstock.api.circleci.payloads import Message
from penstock.api.circleci.v1 import payloads
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import project_settings, ssh_keys
from penstock.engine.access import Action
from penstock.engine.lookup import open_project

DONE = Message(message="ok")


def add_key(server: Server, call: Call) -> Message:
    """Give the project's jobs a private SSH key, for a host or for any."""
    body: payloads.SshKeyBody = call.payload
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.CHANGE_VARIABLES, call.params["slug"])
    ssh_keys.add_ssh_key(server.parts, server.sealer, by, project, body.private_key, body.hostname or "")
    return DONE


def remove_key(server: Server, call: Call) -> Message:
    """Take the key of a fingerprint and host away from the project's jobs."""
    body: payloads.SshKeyDeleteBody = call.payload
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.CHANGE_VARIABLES, call.params["slug"])
    ssh_keys.remove_ssh_key(server.parts, by, project, body.fingerprint, body.hostname or "")
    return DONE


def refuse_ssh(server: Server, call: Call) -> Message:
    """Refused, since jobs cannot be entered by SSH."""
    with server.parts.db.read() as tx:
        found = open_by_number(tx, call, Action.RUN_PIPELINE)
        project_settings.refuse_ssh(tx, found.project)
