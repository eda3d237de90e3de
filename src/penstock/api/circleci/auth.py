"""Where a request to CircleCI's API carries its token (CircleCI API v2: authentication)."""

import base64

from penstock.api.common.call import Call

QUERY = "circle-token"


def read_secret(call: Call) -> str:
    """The token that the request carries, "" when there is none.

    It is in the header Circle-Token, in Authorization (Bearer, or Basic with it as the user), or in the
    query parameter `circle-token`.
    """
    own = call.header("circle-token")
    if own:
        return own.strip()
    scheme, _, given = call.header("authorization").partition(" ")
    match scheme.lower():
        case "bearer":
            return given.strip()
        case "basic":
            return _read_user(given.strip())
        case _:
            return next((value for name, value in call.pairs() if name == QUERY), "")


def _read_user(given: str) -> str:
    """The user of Basic credentials; some clients give the token as the password alone."""
    try:
        text = base64.b64decode(given, validate=True).decode()
    except ValueError:  # no base64, or no text in it
        return ""
    user, _, password = text.partition(":")
    return user or password
