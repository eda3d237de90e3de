"""How an agent joins, comes back, and leaves."""

from penstock import __version__
from penstock.api.agent.auth import agent_of, secret_of
from penstock.api.agent.packed import ProtocolError, pack
from penstock.api.common.answer import Answer
from penstock.api.common.call import Call
from penstock.api.common.faults import UnauthorizedError
from penstock.api.common.server import Server
from penstock.engine.enlist import Enlisting, dismiss_agent, enlist_agent, leave, welcome_back
from penstock.engine.handback import hand_back
from penstock.wire.protocol import (
    PROTOCOL_HEADER,
    VERSION_HEADER,
    Farewell,
    Hello,
    Welcome,
    explain_mismatch,
)

LEFT = "the agent that ran it was stopped"
BACK = "the agent that ran it began anew"


def enlist(server: Server, call: Call) -> Answer:
    """A new agent of the group that the token leads to, and its own token."""
    check_protocol(call)
    made = enlist_agent(server.parts, secret_of(call), _read_hello(call.payload))
    if made is None:
        raise UnauthorizedError("this token leads to no group of agents; it may have been revoked")
    return pack(Welcome(agent=made.agent.uuid, labels=made.agent.labels, token=made.secret), 201)


def come_back(server: Server, call: Call) -> Answer:
    """The agent begins anew, perhaps with other labels; what it held when it ended is run elsewhere."""
    check_protocol(call)
    agent = welcome_back(server.parts, agent_of(call), _read_hello(call.payload))
    hand_back(server.parts, agent.uuid, message=BACK)
    return pack(Welcome(agent=agent.uuid, labels=agent.labels))


def hand_in(server: Server, call: Call) -> None:
    """The agent will not go on with what it holds: it is run elsewhere, from now on."""
    hand_back(server.parts, agent_of(call).uuid, message=LEFT)


def depart(server: Server, call: Call) -> None:
    """The agent is gone, for good when it says so."""
    agent = agent_of(call)
    farewell: Farewell = call.payload
    hand_back(server.parts, agent.uuid, message=LEFT)
    if farewell.forget:
        dismiss_agent(server.parts, agent)
    else:
        leave(server.parts, agent)


def check_protocol(call: Call) -> None:
    """Return when the agent and this server understand each other, else raise ProtocolError."""
    problem = explain_mismatch(call.header(PROTOCOL_HEADER), call.header(VERSION_HEADER)[:100], __version__)
    if problem:
        raise ProtocolError(problem)


def _read_hello(hello: Hello) -> Enlisting:
    version = f"{hello.version[:50]} ({hello.system[:40]})" if hello.system else hello.version[:50]
    return Enlisting(name=hello.name, labels=hello.labels, slots=hello.slots, version=version)
