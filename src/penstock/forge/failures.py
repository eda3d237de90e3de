"""What git's complaints mean: which of our errors, and what a person can do about it."""

import re
from enum import Enum, auto

from penstock.model.errors import (
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    PenstockError,
    UnavailableError,
)


class CorruptError(UnavailableError):
    """A repository on our own disk is damaged; it can be made anew."""


class Fault(Enum):
    """What went wrong, told from git's words."""

    DISK_FULL = auto()
    TOO_LARGE = auto()
    FOREIGN = auto()
    UNKNOWN_HOST_KEY = auto()
    NO_ACCESS = auto()
    NO_REF = auto()
    NO_REPOSITORY = auto()
    REDIRECTED = auto()
    NOT_ALLOWED = auto()
    UNREACHABLE = auto()
    CORRUPT = auto()
    UNKNOWN = auto()


_SIGNS = {
    Fault.DISK_FULL: "No space left on device|Disk quota exceeded|Read-only file system",
    Fault.TOO_LARGE: "File too large|signal 25",  # SIGXFSZ
    Fault.FOREIGN: "dubious ownership",
    Fault.UNKNOWN_HOST_KEY: "Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED",
    Fault.NO_ACCESS: "Authentication failed|could not read (Username|Password)|Permission denied"
    r"|returned error: 40[13]|Access denied|access rights to|invalid credentials",
    Fault.NO_REF: "couldn't find remote ref|not our ref|unadvertised object|[Rr]emote ref .* not found",
    Fault.NO_REPOSITORY: "[Rr]epository '.*' not found|Repository not found|returned error: 404"
    "|does not appear to be a git repository|could not be found|repository '.*' does not exist"
    "|not valid: is this a git",
    Fault.REDIRECTED: r"returned error: 30\d|unable to update url base from redirection",
    Fault.NOT_ALLOWED: "transport '.*' not allowed|Protocol .* not supported|protocol .* disabled",
    Fault.UNREACHABLE: "Could not resolve host|Connection (refused|reset|timed out)|Failed to connect"
    r"|returned error: (429|5\d\d)|early EOF|unexpected disconnect|hung up unexpectedly|Operation too slow"
    "|timed out|RPC failed|Empty reply|Couldn't connect|SSL|Could not read from remote repository"
    "|invalid server response",
    Fault.CORRUPT: "is corrupt|object file .* is empty|bad (object|config|tree|signature)"
    "|missing (blob|tree|commit|object)|unable to (read|parse|find|map|unpack|stream)|not a git repository"
    "|did not send all necessary|cannot be (accessed|mapped)|inflate:|[Ff]ailed to (read|traverse|parse)"
    "|broken|(unexpected|unterminated) line in .*packed-refs|not a valid (object|ref)"
    "|(index|pack) file .* (is|does)|invalid (object|loose)|garbage at end|loose object"
    "|fatal: .*/objects|non-existing object|pack has",
}
"""Words by fault; the first fault in this order whose words occur is it."""

_READERS = {fault: re.compile(words) for fault, words in _SIGNS.items()}

_MEANINGS: dict[Fault, tuple[type[PenstockError], str]] = {
    Fault.DISK_FULL: (UnavailableError, "the disk with the copy of {shown} is full or read-only: {told}"),
    Fault.TOO_LARGE: (LimitExceededError, "{shown} is larger than this server takes"),
    Fault.FOREIGN: (
        ForbiddenError,
        "{shown} belongs to another user of this machine: own it, or list it as git's safe.directory",
    ),
    Fault.UNKNOWN_HOST_KEY: (
        ForbiddenError,
        "the ssh key of {shown} is not known or has changed: add the right one to the known hosts",
    ),
    Fault.NO_ACCESS: (
        ForbiddenError,
        "{shown} refuses the given credentials: check the token or key, and its rights",
    ),
    Fault.NO_REF: (NotFoundError, "{shown} has no such branch, tag or commit"),
    Fault.NO_REPOSITORY: (
        NotFoundError,
        "there is no repository {shown}, or the given credentials may not know of it",
    ),
    Fault.REDIRECTED: (
        InvalidError,
        "{shown} redirects: give the address it leads to (often the same with .git at its end)",
    ),
    Fault.NOT_ALLOWED: (ForbiddenError, "{shown} leads to a protocol that is not allowed here"),
    Fault.UNREACHABLE: (UnavailableError, "{shown} does not answer: {told}"),
    Fault.CORRUPT: (CorruptError, "the copy of {shown} is damaged: {told}"),
    Fault.UNKNOWN: (UnavailableError, "git failed on {shown}: {told}"),
}


def find_fault(told: str) -> Fault:
    """The fault git's words are a sign of."""
    return next((fault for fault, reader in _READERS.items() if reader.search(told)), Fault.UNKNOWN)


def explain_fault(fault: Fault, shown: str, told: str) -> PenstockError:
    """The error for a fault at the repository `shown`; `told` is what git said, without secrets."""
    kind, sentence = _MEANINGS[fault]
    return kind(sentence.format(shown=shown, told=told))
