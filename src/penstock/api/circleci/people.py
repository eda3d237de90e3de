"""Who calls, and with whom they work together."""

from collections.abc import Iterable
from typing import Any

from penstock.api.circleci import payloads
from penstock.api.circleci.show import show_collaboration, show_organization, show_user
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine.access import Action
from penstock.engine.authenticate import TRUST
from penstock.engine.lookup import open_organization
from penstock.engine.organizations import list_organizations
from penstock.engine.runs import read_id
from penstock.model.access import User
from penstock.model.errors import NotFoundError
from penstock.model.run import Pipeline, Workflow
from penstock.store import users
from penstock.store.database import Transaction

MOST_COLLABORATIONS = 1000
"""The list has no pages, so it has an end."""


def get_me(_server: Server, call: Call) -> payloads.User:
    """The account of the caller."""
    return show_user(principal_of(call).user)


def get_user(server: Server, call: Call) -> payloads.User:
    """An account by id."""
    uuid = read_id(call.params["id"])
    with server.parts.db.read() as tx:
        found = users.user_by_uuid(tx, uuid)
    if found is None:
        raise NotFoundError("User not found")
    return show_user(found)


def list_collaborations(server: Server, call: Call) -> list[payloads.Collaboration]:
    """The organizations the caller belongs to."""
    with server.parts.db.read() as tx:
        found = list_organizations(tx, principal_of(call), limit=MOST_COLLABORATIONS)
    return [show_collaboration(organization) for organization in found]


def get_organization(server: Server, call: Call) -> payloads.Organization:
    """An organization by slug or id."""
    with server.parts.db.read() as tx:
        found = open_organization(tx, principal_of(call), Action.SEE_ORGANIZATION, call.params["slug"])
    return show_organization(found)


def find_people(tx: Transaction, logins: Iterable[Any]) -> dict[str, User]:
    """The accounts of these logins, by login."""
    return users.users_by_login(tx, {login for login in logins if login})


def list_actors(pipeline: Pipeline, every: Iterable[Workflow]) -> set[str]:
    """The logins of those who wanted the pipeline, and who started or stopped workflows of it."""
    return {pipeline.actor}.union(*({each.started_by, each.canceled_by} for each in every))


def known_people(server: Server, tx: Transaction, logins: Iterable[str]) -> dict[str, User]:
    """The same; what was read a moment ago is believed to be so, as with tokens."""
    known, now = server.parts.memory.people, server.parts.clock.monotonic()
    found, missing, seen = dict[str, User](), set[str](), known.round
    for login in set(logins):
        user = known.get(login, now)
        if user is None:
            missing.add(login)
        else:
            found[login] = user
    read = find_people(tx, missing)
    for login, user in read.items():
        known.put(login, user, until=now + TRUST, seen=seen)
    return found | read
