"""Accounts as people name them."""

from penstock.engine import accounts
from penstock.engine.access import Action, require
from penstock.engine.principal import Principal
from penstock.kit.ids import is_id
from penstock.model.access import User
from penstock.model.errors import NotFoundError
from penstock.store import users
from penstock.store.database import Transaction


def find_user(tx: Transaction, by: Principal, named: str) -> User:
    """The account of that id or login. Raises NotFoundError, ForbiddenError."""
    if is_id(named):
        return accounts.open_user(tx, by, named.lower())
    require(by, Action.SEE_USER)
    found = users.user_by_login(tx, named)
    if found is None:
        raise NotFoundError("User not found.")
    return found
