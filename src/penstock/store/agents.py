"""Agents that registered, found by the hash of their token."""

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, case, delete, select, update

from penstock.kit.ids import new_id
from penstock.model.agent import Agent, AgentState
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import agents


class AgentChange(msgspec.Struct, kw_only=True):
    """What may change about an agent; unset fields stay as they are."""

    id: int
    name: str | msgspec.UnsetType = msgspec.UNSET
    labels: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    slots: int | msgspec.UnsetType = msgspec.UNSET
    seen_at: int | msgspec.UnsetType = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET
    version: str | msgspec.UnsetType = msgspec.UNSET
    state: AgentState | msgspec.UnsetType = msgspec.UNSET


def register_agent(
    tx: Transaction, name: str, *, labels: Iterable[str], slots: int, now: int, token_hash: str | None = None
) -> Agent:
    """A new agent; `token_hash` is `sealing.hash_token` of its token, None for one in this process."""
    agent = Agent(
        id=0, uuid=new_id(), name=name, labels=tuple(labels), slots=slots, created_at=now, seen_at=now
    )
    return add_agent(tx, agent, token_hash)


def add_agent(tx: Transaction, agent: Agent, token_hash: str | None) -> Agent:
    """The stored agent (its `id` is ignored). Raises ConflictError when another has that token."""
    row_id = rows.insert_row(tx, agents, rows.values_of(agent) | {"token_hash": token_hash})
    return msgspec.structs.replace(agent, id=row_id)


def get_agent(tx: Transaction, agent_id: int) -> Agent | None:
    """The agent of that row id."""
    return rows.fetch_one(tx, Agent, _select_agent("id"), {"id": agent_id})


def agent_by_uuid(tx: Transaction, uuid: str) -> Agent | None:
    """The agent of that UUID."""
    return rows.fetch_one(tx, Agent, _select_agent("uuid"), {"uuid": uuid})


def agent_by_token(tx: Transaction, token_hash: str) -> Agent | None:
    """The agent whose token has that hash."""
    return rows.fetch_one(tx, Agent, _select_agent("token_hash"), {"token_hash": token_hash})


def list_agents(tx: Transaction, *, seen_since: int = 0) -> list[Agent]:
    """The agents that were seen at or after the instant, oldest first."""
    statement = select(*rows.columns_of(agents, Agent)).where(agents.c.seen_at >= seen_since)
    return rows.fetch_all(tx, Agent, statement.order_by(agents.c.id), {})


def agents_of(tx: Transaction, group_id: int, *, after: int = 0, limit: int = 100) -> list[Agent]:
    """The group's agents, oldest first, those with an id above `after`, gone ones too."""
    mine = (agents.c.group_id == group_id, agents.c.id > after)
    page = select(*rows.columns_of(agents, Agent)).where(*mine).order_by(agents.c.id).limit(limit)
    return rows.fetch_all(tx, Agent, page, {})


def list_agents_among(
    tx: Transaction, groups: Collection[int] | None, *, after: int = 0, limit: int = 100
) -> list[Agent]:
    """Agents of these groups, None for all there are, oldest first, those with an id above `after`."""
    page = select(*rows.columns_of(agents, Agent)).where(agents.c.id > after)
    if groups is not None:
        page = page.where(agents.c.group_id.in_(sorted(groups)))
    return rows.fetch_all(tx, Agent, page.order_by(agents.c.id).limit(limit), {})


def touch_agent(tx: Transaction, agent_id: int, now: int) -> None:
    """The agent was seen just now; time only grows. One that was gone is online again."""
    tx.execute(_touch(), {"agent": agent_id, "now": now})


def has_silent(tx: Transaction, before: int) -> bool:
    """True when an agent that is not gone was not seen since the instant."""
    return tx.execute(_silent(before).limit(1)).first() is not None


def mark_silent(tx: Transaction, before: int) -> None:
    """Agents that were not seen since the instant are gone."""
    tx.execute(update(agents).where(agents.c.id.in_(_silent(before))).values(state=AgentState.GONE))


def has_gone(tx: Transaction, before: int) -> bool:
    """True when an agent that is gone was last seen before the instant."""
    return tx.execute(_gone(before).limit(1)).first() is not None


def delete_gone(tx: Transaction, before: int, *, limit: int = 500) -> None:
    """Forget agents that are gone and were last seen before the instant, a bounded number of them."""
    oldest = _gone(before).order_by(agents.c.seen_at).limit(limit)
    tx.execute(delete(agents).where(agents.c.id.in_(oldest)))


def update_agent(tx: Transaction, change: AgentChange) -> None:
    """Write the set fields."""
    rows.apply_changes(tx, agents, [change])


def delete_agent(tx: Transaction, agent_id: int) -> None:
    """Forget the agent; its tasks keep its number."""
    tx.execute(delete(agents).where(agents.c.id == agent_id))


def _silent(before: int) -> Select[Any]:
    return select(agents.c.id).where(rows.literally("state <> 'gone'"), agents.c.seen_at < before)


def _gone(before: int) -> Select[Any]:
    return select(agents.c.id).where(rows.literally("state = 'gone'"), agents.c.seen_at < before)


@cache
def _select_agent(by: str) -> Select[Any]:
    return select(*rows.columns_of(agents, Agent)).where(agents.c[by] == bindparam(by))


@cache
def _touch() -> Executable:
    chosen = update(agents).where(agents.c.id == bindparam("agent"), agents.c.seen_at < bindparam("now"))
    back = case((agents.c.state == "gone", "online"), else_=agents.c.state)
    return chosen.values(seen_at=bindparam("now"), state=back)
