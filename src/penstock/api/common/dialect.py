"""A dialect: a vendor's paths, and how that vendor speaks of errors and credentials."""

from collections.abc import Callable, Mapping

import msgspec

from penstock.api.common.answer import Answer, Headers, answer_json
from penstock.api.common.call import Call, Caller
from penstock.api.common.faults import UnauthorizedError, WrongMethodError, find_status
from penstock.api.common.route import Route
from penstock.api.common.server import Server
from penstock.model.errors import PenstockError, ThrottledError, UnavailableError

ShowError = Callable[[PenstockError], Answer]


class Message(msgspec.Struct, frozen=True):
    """The usual body of an error."""

    message: str


def show_plainly(error: PenstockError) -> Answer:
    """The error as `{"message": …}` with its usual status."""
    return answer_json(Message(str(error)), find_status(error), list_headers(error))


def list_headers(error: PenstockError) -> Headers:
    """The headers that HTTP wants beside the status."""
    match error:
        case WrongMethodError():
            return (("allow", ", ".join(error.allowed)),)
        case UnauthorizedError():
            return (("www-authenticate", 'Basic realm="Penstock"'),)
        case ThrottledError():
            return (("retry-after", str(error.rest)),)
        case UnavailableError():
            return (("retry-after", "2"),)
        case _:
            return ()


def read_nothing(_call: Call) -> str:
    """No request carries credentials."""
    return ""


def find_person(server: Server, secret: str) -> Caller | None:
    """Who has the API token."""
    return server.authenticate(secret)


def read_no_login(_call: Call) -> tuple[str, str] | None:
    """No request carries a login with a password."""
    return None


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """`prefixes` are beginnings of paths that are the dialect's own, unknown paths among them.

    `other_errors` says how errors are shown below longer beginnings: a vendor's services do not always agree.
    `read_secret` finds the secret a request carries, "" for none; `find_caller` who has it, in a thread of
    the pool; `read_login` a login and its password, which are tried when the secret opens nothing.
    """

    name: str
    title: str
    prefixes: tuple[str, ...]
    routes: tuple[Route, ...]
    security: Mapping[str, Mapping[str, str]] = {}  # OpenAPI's words for how credentials are given
    show_error: ShowError = show_plainly
    other_errors: Mapping[str, ShowError] = {}
    read_secret: Callable[[Call], str] = read_nothing
    find_caller: Callable[[Server, str], Caller | None] = find_person
    read_login: Callable[[Call], tuple[str, str] | None] = read_no_login


def list_speakers(dialect: Dialect) -> list[tuple[str, ShowError]]:
    """How errors are shown below each beginning of a path that is the dialect's own."""
    return [*((prefix, dialect.show_error) for prefix in dialect.prefixes), *dialect.other_errors.items()]
