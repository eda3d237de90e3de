"""What goes wrong with a request before a use case hears of it, and the usual status of every error."""

from penstock.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    PenstockError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)


class UnknownPathError(NotFoundError):
    """No route has the path."""


class WrongMethodError(RefusedError):
    """The path has routes, none of which has the method. `allowed` are those it has."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"this address knows only {', '.join(allowed)}")
        self.allowed = allowed


class UnauthorizedError(PenstockError):
    """Nobody knows who is calling."""


class TooLargeError(LimitExceededError):
    """The body is larger than the route allows."""


class TooSlowError(PenstockError):
    """The body did not arrive in time."""


class BusyError(UnavailableError):
    """More requests wait than the server wants to hold."""


class InternalError(PenstockError):
    """A fault of Penstock; the log has the traceback under the request's id."""


_STATUSES: tuple[tuple[type[PenstockError], int], ...] = (
    (UnauthorizedError, 401),
    (TooSlowError, 408),
    (ThrottledError, 429),
    (WrongMethodError, 405),
    (TooLargeError, 413),
    (LimitExceededError, 422),
    (InvalidError, 400),
    (RefusedError, 409),
    (NotFoundError, 404),
    (ConflictError, 409),
    (ForbiddenError, 403),
    (UnavailableError, 503),
    (InternalError, 500),
)
"""The first class that fits counts, so the narrower ones come first."""


def find_status(error: PenstockError) -> int:
    """The usual HTTP status of the error; a dialect whose vendor answers otherwise says so itself."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
