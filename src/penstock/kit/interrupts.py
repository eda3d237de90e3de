"""Requests to end that raise, so that what was begun is put away."""

import signal

WANTED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a person or a program sends to have a command end."""


def raise_when_interrupted() -> None:
    """From here on Ctrl-C, SIGTERM and SIGHUP raise KeyboardInterrupt: what was begun is put away.

    What whoever started us wants ignored, as a shell does for jobs in the background, stays so.
    """
    for number in WANTED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
