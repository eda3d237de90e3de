"""The exceptions of the core: what a use case can refuse, for reasons a caller can act on.

PenstockError
├── NotFoundError      the thing does not exist, or the caller may not know that it does
├── RefusedError       the request makes no sense in the present state
│   └── InvalidError   the request is malformed whatever the state
├── ConflictError      somebody else was first; reading again and retrying may help
├── ForbiddenError     the caller is known and may not
├── ThrottledError     too many tries of late; a rest helps
├── LimitExceededError a bound on size, count or time was passed
└── UnavailableError   a part we depend on does not answer (disk, database, engine)

Mistakes in a config are no exceptions: they are `penstock.model.diagnostic.Diagnostic` values.
"""


class PenstockError(Exception):
    """Base of all; `str(error)` is a sentence a user can read."""


class NotFoundError(PenstockError):
    """The thing does not exist, or the caller may not know that it does."""


class RefusedError(PenstockError):
    """The request makes no sense in the present state."""


class InvalidError(RefusedError):
    """The request is malformed whatever the state."""


class ConflictError(PenstockError):
    """Somebody else was first."""


class ForbiddenError(PenstockError):
    """The caller is known and may not."""


class ThrottledError(PenstockError):
    """Too many tries of late. `rest` is in how many seconds another one may be made."""

    def __init__(self, sentence: str, *, rest: int) -> None:
        super().__init__(sentence)
        self.rest = rest


class LimitExceededError(PenstockError):
    """A bound on size, count or time was passed."""


class UnavailableError(PenstockError):
    """A part we depend on does not answer: a full disk, a database that is down."""
