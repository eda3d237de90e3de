"""The `penstock agent` command as its operators start it: a process with a folder of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from penstock.engine.agent_groups import create_group, issue_join_token
from penstock.engine.principal import SERVER
from penstock.engine.unit import Parts
from penstock.model.project import Organization
from tests.support.command import command
from tests.support.processes import wait_until

START_SECONDS = 60.0


class AgentProcess:
    """A running agent: what it wrote, and ways to end it."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.folder = folder
        self.process = process
        self._log = log

    def log(self) -> str:
        """What it wrote to standard error so far."""
        return self._log.read_text(errors="replace")

    def signal(self, number: int) -> None:
        """Send a signal to the agent alone."""
        os.kill(self.process.pid, number)

    def end(self, seconds: float = 30) -> int:
        """The exit status, once it has ended."""
        return self.process.wait(seconds)

    def stop(self, seconds: float = 30) -> int:
        """Stop it as an operator does; the exit status."""
        self.signal(signal.SIGTERM)
        return self.end(seconds)

    def kill(self) -> None:
        """Kill it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def await_start(self) -> None:
        """Return once the server has let it in; the test fails when it ended before."""
        wait_until(
            lambda: "works for" in self.log() or self.process.poll() is not None,
            seconds=START_SECONDS,
            what=f"{self._log} tells that it works",
        )
        assert self.process.poll() is None, self.log()


def make_join_token(parts: Parts, name: str = "acme/linux", owner: Organization | None = None) -> str:
    """A token to join a new group of that name with; without an owner the group serves all."""
    group = create_group(parts, SERVER, owner, name=name)
    return issue_join_token(parts, SERVER, group.uuid, "test").secret


def begin_agent(
    folder: Path, server: str, token: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> AgentProcess:
    """An agent that was just started; it may not have joined yet."""
    log = folder.with_name(f"{folder.name}-{time.monotonic_ns()}.log")
    left_out = ("PENSTOCK_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    defaults = {
        "PYTHONUNBUFFERED": "1",
        "DOCKER_HOST": "unix:///no/engine",
        "PENSTOCK_AGENT_TOKEN": token,
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            command("agent", "--server", server, "--work", str(folder), *arguments),
            env=kept | defaults | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    return AgentProcess(folder, process, log)


@contextmanager
def running_agent(
    folder: Path, server: str, token: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[AgentProcess]:
    """An agent that the server has let in; whatever happens, it is gone afterwards."""
    # A test run in the background ignores SIGINT, and a child would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    agent = begin_agent(folder, server, token, *arguments, environment=environment)
    try:
        agent.await_start()
        yield agent
    finally:
        if agent.process.poll() is None:
            agent.kill()
