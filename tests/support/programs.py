"""A command that runs until it is told to stop, as its operators see it."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.command import command

START_SECONDS = 60.0

_LEFT_OUT = ("PENSTOCK_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
_DEFAULTS = {"PYTHONUNBUFFERED": "1", "DOCKER_HOST": "unix:///no/engine"}


class Running:
    """A process that was started: what it wrote, and ways to end it."""

    def __init__(self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._log = folder.with_name(f"{folder.name}-{time.monotonic_ns()}.log")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                command(*arguments),
                env=kept | _DEFAULTS | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def log(self) -> str:
        """What it wrote to standard output and error so far."""
        return self._log.read_text(errors="replace")

    def signal(self, number: int) -> None:
        """Send a signal to this process alone."""
        os.kill(self.process.pid, number)

    def end(self, seconds: float = 30) -> int:
        """The exit status, once it has ended."""
        return self.process.wait(seconds)

    def stop(self, seconds: float = 30) -> int:
        """Stop it as an operator does; the exit status."""
        self.signal(signal.SIGTERM)
        return self.end(seconds)

    def kill(self) -> None:
        """Kill it as a power cut does; nothing happens when it has ended."""
        self.process.kill()
        self.process.wait()

    def has_ended(self) -> bool:
        """True once it runs no more."""
        return self.process.poll() is not None


def hear_interrupts() -> None:
    """A test run in the background ignores SIGINT, and a child would inherit that; not after this."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
