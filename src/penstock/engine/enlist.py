"""Agents let in: they join a group with its token, get one of their own, and are known by that."""

import re

import msgspec

from penstock.engine.authenticate import MOST_LETTERS, TRUST
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import new_id
from penstock.model.agent import Agent, AgentGroup, AgentState
from penstock.model.errors import InvalidError, NotFoundError
from penstock.store import agent_groups, agents
from penstock.store.agents import AgentChange
from penstock.store.sealing import hash_token, make_token
from penstock.store.tasks import ORGANIZATION, organization_label

AGENT_PREFIX = "psa_"
SILENCE = 60_000
"""Milliseconds after which an agent that was not heard of counts as gone."""

FORGET = 7 * 24 * 3_600_000
"""Milliseconds after which one that is gone is forgotten."""

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:+=-]{0,99}")
_MOST_LABELS = 50
_MOST_SLOTS = 1000


class Enlisting(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent says about itself when it joins."""

    name: str
    labels: tuple[str, ...] = ()
    slots: int = 1
    version: str = ""


class EnlistedAgent(msgspec.Struct, frozen=True):
    """An agent that has joined, and the token that is its own from now on."""

    agent: Agent
    secret: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"EnlistedAgent({self.agent!r})"


def enlist_agent(parts: Parts, secret: str, wish: Enlisting) -> EnlistedAgent | None:
    """A new agent of the group that the token leads to; None for a token that leads to none.

    It carries the group's name as a label and cannot carry another group's; one of an organization's group
    serves that alone. Raises InvalidError for a name, label or number of slots that cannot be.
    """
    _check(wish)
    if not 0 < len(secret) <= MOST_LETTERS:
        return None
    return transact(parts, lambda unit: _enlist(unit, hash_token(secret), wish))


def authenticate_agent(parts: Parts, secret: str) -> Agent | None:
    """The agent of that token; None for one that is unknown or disabled.

    An agent that was removed is seen to be by all servers after at most `authenticate.TRUST` seconds.
    """
    if not 0 < len(secret) <= MOST_LETTERS:
        return None
    key, known = hash_token(secret), parts.memory.agents
    begun, seen = parts.clock.monotonic(), known.round
    agent = known.get(key, begun)
    if agent is not None:
        return agent
    with parts.db.read() as tx:
        agent = agents.agent_by_token(tx, key)
    if agent is None or agent.disabled:
        return None
    known.put(key, agent, until=begun + TRUST, seen=seen)
    return agent


def welcome_back(parts: Parts, agent: Agent, wish: Enlisting) -> Agent:
    """The agent begins anew, with this name, these labels and slots; one that was told to drain still does.

    Raises InvalidError as `enlist_agent` does, and NotFoundError when it was removed meanwhile.
    """
    _check(wish)
    return transact(parts, lambda unit: _change(unit, agent, wish))


def dismiss_agent(parts: Parts, agent: Agent) -> None:
    """The agent has said that it never comes back, and is forgotten."""

    def work(unit: Unit) -> None:
        agents.delete_agent(unit.tx, agent.id)
        unit.afterwards.append(parts.memory.agents.forget)

    transact(parts, work)


def leave(parts: Parts, agent: Agent) -> None:
    """The agent has said goodbye; it is online again when it speaks again."""

    def work(unit: Unit) -> None:
        agents.update_agent(unit.tx, AgentChange(id=agent.id, state=AgentState.GONE))

    transact(parts, work)


def sweep_agents(parts: Parts) -> None:
    """Agents that are silent count as gone, and those gone for long are forgotten."""
    now = parts.clock.now()
    with parts.db.read() as tx:
        needed = agents.has_silent(tx, now - SILENCE) or agents.has_gone(tx, now - FORGET)
    if needed:
        with parts.db.write() as tx:
            agents.mark_silent(tx, now - SILENCE)
            agents.delete_gone(tx, now - FORGET)


def _enlist(unit: Unit, token_hash: str, wish: Enlisting) -> EnlistedAgent | None:
    entrance = agent_groups.find_entrance(unit.tx, token_hash)
    if entrance is None:
        return None
    group, secret = entrance.group, make_token(AGENT_PREFIX)
    agent = Agent(
        id=0,
        uuid=new_id(),
        name=wish.name,
        labels=_choose_labels(unit, group, wish),
        slots=wish.slots,
        created_at=unit.now,
        seen_at=unit.now,
        group_id=group.id,
        version=wish.version[:100],
    )
    agent_groups.note_entrance(unit.tx, entrance.token.id, unit.now)
    return EnlistedAgent(agents.add_agent(unit.tx, agent, hash_token(secret)), secret)


def _change(unit: Unit, agent: Agent, wish: Enlisting) -> Agent:
    group = agent_groups.get_group(unit.tx, agent.group_id) if agent.group_id is not None else None
    known = agents.get_agent(unit.tx, agent.id)
    if group is None or known is None:
        raise NotFoundError("this agent is not registered")
    change = AgentChange(
        id=agent.id,
        name=wish.name,
        labels=_choose_labels(unit, group, wish),
        slots=wish.slots,
        version=wish.version[:100],
        seen_at=unit.now,
        state=AgentState.ONLINE if known.state is AgentState.GONE else known.state,
    )
    agents.update_agent(unit.tx, change)
    unit.afterwards.append(unit.parts.memory.agents.forget)
    return agents.get_agent(unit.tx, agent.id) or agent


def _choose_labels(unit: Unit, group: AgentGroup, wish: Enlisting) -> tuple[str, ...]:
    """The group's name, what the agent wishes, and whom alone it serves."""
    others = agent_groups.names_among(unit.tx, wish.labels) - {group.name}
    if others:
        raise InvalidError(f"the label {min(others)} is the name of another resource class")
    bound = [organization_label(group.organization_id)] if group.organization_id is not None else []
    return tuple(dict.fromkeys((group.name, *wish.labels, *bound)))


def _check(wish: Enlisting) -> None:
    if not 0 < len(wish.name) <= 200 or not wish.name.isprintable():  # noqa: PLR2004 - said in the message
        raise InvalidError("an agent has a name of up to 200 printable characters")
    if not 0 < wish.slots <= _MOST_SLOTS:
        raise InvalidError(f"an agent has 1 to {_MOST_SLOTS} slots")
    if len(wish.labels) > _MOST_LABELS:
        raise InvalidError(f"an agent has at most {_MOST_LABELS} labels")
    for label in wish.labels:
        if not _LABEL.fullmatch(label) or label.startswith(ORGANIZATION):
            raise InvalidError(f"an agent cannot carry the label {label[:100]!r}")
