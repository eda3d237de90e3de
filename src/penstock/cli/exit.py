"""What the exit status of a command says."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit statuses of every command."""

    SUCCESS = 0
    FAILED = 1  # a job failed
    USAGE = 2  # the config or the call is wrong
    UNAVAILABLE = 3  # a part we depend on is not there: disk full, folder not writable, git missing
    UNFINISHED = 4  # what is watched has not ended: its time is over, or a person must approve
    INTERNAL = 70  # a fault of Penstock (sysexits.h: EX_SOFTWARE)
    INTERRUPTED = 130
    NO_READER = 141  # who read the output has gone; what shells tell of a program that SIGPIPE ended
