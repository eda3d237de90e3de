"""The `penstock agent` command as its operators start it: a process with a folder of its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from penstock.engine.agent_groups import create_group, issue_join_token
from penstock.engine.principal import SERVER
from penstock.engine.unit import Parts
from penstock.model.project import Organization
from tests.support.processes import wait_until
from tests.support.programs import START_SECONDS, Running


class AgentProcess(Running):
    """A running agent."""

    def __init__(self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        super().__init__(folder, arguments, environment)
        self.folder = folder

    def await_start(self) -> None:
        """Return once the server has let it in; the test fails when it ended before."""
        wait_until(
            lambda: "works for" in self.log() or self.has_ended(),
            seconds=START_SECONDS,
            what="the log tells that it works",
        )
        assert not self.has_ended(), self.log()


def make_join_token(parts: Parts, name: str = "acme/linux", owner: Organization | None = None) -> str:
    """A token to join a new group of that name with; without an owner the group serves all."""
    group = create_group(parts, SERVER, owner, name=name)
    return issue_join_token(parts, SERVER, group.uuid, "test").secret


def begin_agent(
    folder: Path, server: str, token: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> AgentProcess:
    """An agent that was just started; it may not have joined yet."""
    call = ("agent", "--server", server, "--work", str(folder), *arguments)
    return AgentProcess(folder, call, {"PENSTOCK_AGENT_TOKEN": token, **(environment or {})})


@contextmanager
def running_agent(
    folder: Path, server: str, token: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[AgentProcess]:
    """An agent that the server has let in; whatever happens, it is gone afterwards."""
    agent = begin_agent(folder, server, token, *arguments, environment=environment)
    try:
        agent.await_start()
        yield agent
    finally:
        agent.kill()
