"""What Ctrl-C means to a command that waits for a server: it says where things stand, and leaves."""

import signal

_HEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def raise_interrupts() -> None:
    """Ctrl-C and requests to end raise KeyboardInterrupt from now on, so that all is put back.

    What whoever started us wants ignored, as a shell does for jobs in the background, stays so.
    """
    for number in _HEEDED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
