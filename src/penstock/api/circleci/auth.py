"""Where a request to CircleCI's API carries its token (CircleCI API v2: authentication)."""

import base64

from penstock.api.common.call import Call

QUERY = "circle-token"


def read_secret(call: Call) -> str:
    """The token that the request carries, "" when there is none.

    It is in the header Circle-Token, in Authorization (Bearer, or Basic with it as the user, or for some
    clients as the password alone), or in the query parameter `circle-token`.
    """
    own = call.header("circle-token")
    if own:
        return own.strip()
    scheme, _, given = call.header("authorization").partition(" ")
    match scheme.lower():
        case "bearer":
            return given.strip()
        case "basic":
            user, password = read_pair(given.strip())
            return user or password
        case _:
            return next((value for name, value in call.pairs() if name == QUERY), "")


def read_login(call: Call) -> tuple[str, str] | None:
    """The login and password of Basic credentials that have both."""
    scheme, _, given = call.header("authorization").partition(" ")
    user, password = read_pair(given.strip()) if scheme.lower() == "basic" else ("", "")
    return (user, password) if user and password else None


def read_pair(given: str) -> tuple[str, str]:
    """The user and password of Basic credentials, empty texts when they cannot be read."""
    try:
        text = base64.b64decode(given, validate=True).decode()
    except ValueError:  # no base64, or no text in it
        return "", ""
    user, _, password = text.partition(":")
    return user, password
