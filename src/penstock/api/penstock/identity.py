"""The keys that sign identity tokens, for those who run the server."""

import msgspec

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.api.penstock.paging import Page
from penstock.engine.signing_keys import list_keys, rotate_keys
from penstock.model.identity import KnownKey


class NewRotation(msgspec.Struct, frozen=True, kw_only=True):
    """How another key takes its turn; with `withdraw` all the others are believed no more."""

    at_once: bool = False
    withdraw: bool = False


def list_signing_keys(server: Server, call: Call) -> Page[KnownKey]:
    """The published keys, in the order in which they sign."""
    return Page(list_keys(server.parts, principal_of(call)))


def rotate(server: Server, call: Call) -> Page[KnownKey]:
    """Publish a new key, which signs in a day or at once."""
    body: NewRotation = call.payload or NewRotation()
    by = principal_of(call)
    return Page(rotate_keys(server.parts, by, at_once=body.at_once, withdraw=body.withdraw))
