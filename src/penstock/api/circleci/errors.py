"""The core's errors as CircleCI's API tells them: a status, and `{"message": …}`."""

from penstock.api.common.answer import Answer, answer_json
from penstock.api.common.dialect import Message, list_headers
from penstock.api.common.faults import (
    InternalError,
    TooLargeError,
    UnauthorizedError,
    UnknownPathError,
    WrongMethodError,
    find_status,
)
from penstock.model.errors import LimitExceededError, PenstockError, RefusedError

UNKNOWN = "Not found"
LOG_IN = "You must log in first."


class ClassicOnlyError(WrongMethodError):
    """The call is for projects of git hosts (CircleCI OpenAPI document: createProject1, 405)."""

    def __init__(self) -> None:
        super().__init__(("GET", "DELETE"))

    def __str__(self) -> str:
        return "Projects are made by this call only on git hosts whose address is known here: see git_hosts."


def show_error(error: PenstockError) -> Answer:
    """The error in the vendor's words; a request that makes no sense now is as bad as one that never does."""
    message = Message(_word(error))
    return answer_json(message, _find_status(error), list_headers(error))


def show_bare_error(error: PenstockError) -> Answer:
    """The error as the services of claims and policies tell it: `{"error": …}`."""
    return answer_json({"error": _word(error)}, _find_status(error), list_headers(error))


def _find_status(error: PenstockError) -> int:
    match error:
        case WrongMethodError() | TooLargeError():
            return find_status(error)
        case RefusedError() | LimitExceededError():
            return 400
        case _:
            return find_status(error)


def _word(error: PenstockError) -> str:
    match error:
        case UnauthorizedError():
            return LOG_IN
        case UnknownPathError():
            return UNKNOWN
        case InternalError():
            return "Internal server error."
        case _:
            return str(error)
