"""Who asks: somebody with a token to join with, an agent, or a task that an agent has."""

from typing import TypeVar

import msgspec

from penstock.api.common.call import Call, Caller
from penstock.api.common.faults import UnauthorizedError
from penstock.api.common.server import Server
from penstock.engine.agent_groups import JOIN_PREFIX
from penstock.engine.enlist import AGENT_PREFIX, authenticate_agent
from penstock.engine.task_access import find_task
from penstock.engine.task_tokens import PREFIX as TASK_PREFIX
from penstock.model.agent import Agent


class Newcomer(msgspec.Struct, frozen=True):
    """Whoever may know how to join a group; the use case looks."""

    secret: str

    @property
    def name(self) -> str:
        """How the log calls them."""
        return "newcomer"

    def may(self, action: str) -> bool:
        """True for joining."""
        return action == "join"

    def __repr__(self) -> str:
        """Without the secret."""
        return "Newcomer()"


class AgentCaller(msgspec.Struct, frozen=True):
    """An agent."""

    agent: Agent

    @property
    def name(self) -> str:
        """How the log calls it."""
        return f"agent {self.agent.uuid}"

    def may(self, action: str) -> bool:
        """True for what agents do for themselves."""
        return action == "exchange"


class TaskCaller(msgspec.Struct, frozen=True):
    """A task that an agent has."""

    task: str

    @property
    def name(self) -> str:
        """How the log calls it."""
        return f"task {self.task}"

    def may(self, action: str) -> bool:
        """True for what belongs to the task."""
        return action == "task"


def read_secret(call: Call) -> str:
    """The token in the header `Authorization: Bearer …`."""
    scheme, _, token = call.header("authorization").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def find_caller(server: Server, secret: str) -> Caller | None:
    """Who has the token, None when nobody has; the prefix says of which kind it is."""
    if secret.startswith(JOIN_PREFIX):
        return Newcomer(secret)
    if secret.startswith(AGENT_PREFIX):
        agent = authenticate_agent(server.parts, secret)
        return None if agent is None else AgentCaller(agent)
    if secret.startswith(TASK_PREFIX):
        task = find_task(server.parts, server.sealer, secret)
        return None if task is None else TaskCaller(task)
    return None


def secret_of(call: Call) -> str:
    """The token to join with."""
    return _expect(call, Newcomer).secret


def agent_of(call: Call) -> Agent:
    """The agent that calls."""
    return _expect(call, AgentCaller).agent


def task_of(call: Call) -> str:
    """The task that calls."""
    return _expect(call, TaskCaller).task


K = TypeVar("K", Newcomer, AgentCaller, TaskCaller)


def _expect(call: Call, kind: type[K]) -> K:
    if not isinstance(call.caller, kind):
        raise UnauthorizedError("a token of another kind is needed here")
    return call.caller
