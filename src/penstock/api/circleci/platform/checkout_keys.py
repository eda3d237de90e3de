"""The keys that open the repositories of projects."""

from penstock.api.circleci.paging import Page, read_token
from penstock.api.circleci.payloads import Message
from penstock.api.circleci.platform import projects_payloads as payloads
from penstock.api.circleci.times import show_millis
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import checkout_keys
from penstock.engine.access import Action
from penstock.engine.checkout_keys import CheckoutKey, KeyKind
from penstock.engine.lookup import open_project

SHA256 = "SHA256:"
_SHOWN = {KeyKind.DEPLOY: "deploy-key", KeyKind.USER: "github-user-key"}
_READ = {"deploy-key": KeyKind.DEPLOY, "user-key": KeyKind.USER, "github-user-key": KeyKind.USER}


def list_keys(server: Server, call: Call) -> Page[payloads.CheckoutKey]:
    """The keys that open the repository of a project, oldest first."""
    query: payloads.KeysQuery = call.query
    read_token(query.page_token, "checkout-key", str)  # there is one page
    return Page([_show(key, query.digest) for key in _list(server, call)])


def get_key(server: Server, call: Call) -> payloads.CheckoutKey:
    """A key by either of its fingerprints."""
    return _show(_find(server, call), _digest_of(call))


def create_key(server: Server, call: Call) -> payloads.CheckoutKey:
    """Make a key that opens the repository of a project once its host knows the public half."""
    return _show(_create(server, call), "md5")


def delete_key(server: Server, call: Call) -> Message:
    """Delete a key that opens the repository of a project; the newest one left is used then."""
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.CHANGE_VARIABLES, call.params["slug"])
    checkout_keys.delete_checkout_key(server.parts, server.sealer, by, project, call.params["fingerprint"])
    return Message(message="ok")


def list_old(server: Server, call: Call) -> list[payloads.OldCheckoutKey]:
    """The keys that open the repository of a project, as API v1.1 has them."""
    query: payloads.OldKeysQuery = call.query
    return [_show_old(key, query.digest) for key in _list(server, call)]


def get_old(server: Server, call: Call) -> payloads.OldCheckoutKey:
    """A key by either of its fingerprints, as API v1.1 has it."""
    return _show_old(_find(server, call), _digest_of(call))


def create_old(server: Server, call: Call) -> payloads.OldCheckoutKey:
    """Make a key that opens the repository of a project, as API v1.1 does."""
    return _show_old(_create(server, call), "md5")


def _list(server: Server, call: Call) -> list[CheckoutKey]:
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_VARIABLES, call.params["slug"])
        return checkout_keys.list_checkout_keys(tx, server.sealer, project)


def _find(server: Server, call: Call) -> CheckoutKey:
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_VARIABLES, call.params["slug"])
        return checkout_keys.find_checkout_key(tx, server.sealer, project, call.params["fingerprint"])


def _create(server: Server, call: Call) -> CheckoutKey:
    body: payloads.KeyBody = call.payload
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.ADMINISTER_PROJECT, call.params["slug"])
    return checkout_keys.create_checkout_key(
        server.parts, server.sealer, by, project, _READ[body.type], server.workshop.policy
    )


def _digest_of(call: Call) -> str:
    """The digest of the answer is that of the question."""
    return "sha256" if call.params["fingerprint"].startswith(SHA256) else "md5"


def _show(key: CheckoutKey, digest: str) -> payloads.CheckoutKey:
    return payloads.CheckoutKey(
        public_key=key.public,
        type=_SHOWN[key.kind],
        fingerprint=key.sha256 if digest == "sha256" else key.md5,
        preferred=key.preferred,
        created_at=show_millis(key.created_at),
    )


def _show_old(key: CheckoutKey, digest: str) -> payloads.OldCheckoutKey:
    shown = _show(key, digest)
    return payloads.OldCheckoutKey(
        public_key=shown.public_key,
        type=shown.type,
        fingerprint=shown.fingerprint,
        preferred=shown.preferred,
        time=shown.created_at,
    )
