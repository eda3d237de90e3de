"""Ways an agent may be connected to an engine: by calls, and over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Literal

from penstock.agent.remote.membership import join_group
from penstock.agent.remote.transport import RemoteServer
from penstock.agent.transport import Transport
from penstock.engine.agent_groups import create_group, issue_join_token
from penstock.engine.principal import SERVER
from penstock.store.agents import register_agent
from penstock.wire.messages import AnyEvent, Assignment, Commands, Sync, TaskFinished, TaskStarted
from penstock.wire.protocol import Hello
from tests.support.lab import Lab
from tests.support.served import Served, serving

Kind = Literal["by calls", "over HTTP"]
KINDS: tuple[Kind, ...] = ("by calls", "over HTTP")


class Connected:
    """An agent that does what a test tells it to, through its transport."""

    def __init__(self, transport: Transport, uuid: str, token: str = "") -> None:
        self.transport = transport
        self.uuid = uuid
        self.token = token
        self.held: list[str] = []
        self._sequences = count(1)

    def sync(self, *events: AnyEvent, free: int = 0, wait: float = 0.0) -> Commands:
        """Send the events, renew the leases of what it holds, offer slots."""
        done = {event.task for event in events if isinstance(event, TaskFinished)}
        self.held = [task for task in self.held if task not in done]
        message = Sync(agent=self.uuid, events=events, holding=tuple(self.held), free=free, wait=wait)
        answer = self.transport.sync(message)
        self.held += [assignment.task for assignment in answer.assignments]
        return answer

    def take(self) -> Assignment:
        """The task it was given; the test fails when there is none."""
        [assignment] = self.sync(free=1).assignments
        self.sync(TaskStarted(task=assignment.task, sequence=1, at=0))
        return assignment


class Station:
    """The engine, and agents connected to it; `served` is None for those by calls."""

    def __init__(self, lab: Lab, served: Served | None) -> None:
        self.lab = lab
        self.served = served
        self._numbers = count(1)

    def connect(self, *labels: str, slots: int = 4) -> Connected:
        """Another agent."""
        name = f"agent-{next(self._numbers)}"
        if self.served is None:
            with self.lab.parts.db.write() as tx:
                made = register_agent(tx, name, labels=labels, slots=slots, now=self.lab.clock.now())
            return Connected(self.lab.gateway, made.uuid)
        group = create_group(self.lab.parts, SERVER, None, name=f"any/{name}")
        join = issue_join_token(self.lab.parts, SERVER, group.uuid, "test").secret
        welcome = join_group(self.served.links, join, Hello(name=name, labels=labels, slots=slots))
        server = RemoteServer(self.served.links, welcome.agent, welcome.token)
        return Connected(server, welcome.agent, welcome.token)


@contextmanager
def open_station(kind: Kind, lab: Lab) -> Iterator[Station]:
    """A station of the kind."""
    if kind == "by calls":
        yield Station(lab, None)
        return
    with serving(lab.parts, lab.gateway) as served:
        yield Station(lab, served)
