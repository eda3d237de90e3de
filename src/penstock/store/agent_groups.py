"""Groups of agents, and the tokens with which agents join them."""

from collections.abc import Collection
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, delete, or_, select, update

from penstock.kit.ids import new_id
from penstock.model.agent import AgentGroup, AgentToken
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import agent_groups, agent_tokens
from penstock.store.tokens import USE_STEP
from penstock.store.upserts import insert_into


class Entrance(msgspec.Struct, frozen=True):
    """A token to join with, and the group it leads to."""

    token: AgentToken
    group: AgentGroup


def add_group(tx: Transaction, group: AgentGroup) -> AgentGroup | None:
    """The stored group (its `id` is ignored); None when the name is taken."""
    statement = insert_into(tx.dialect.name, agent_groups).on_conflict_do_nothing(index_elements=["name"])
    row_id = tx.execute(statement.returning(agent_groups.c.id), rows.values_of(group)).scalar_one_or_none()
    return None if row_id is None else msgspec.structs.replace(group, id=row_id)


def get_group(tx: Transaction, group_id: int) -> AgentGroup | None:
    """The group of that row id."""
    return rows.fetch_one(tx, AgentGroup, _select_group("id"), {"id": group_id})


def group_by_uuid(tx: Transaction, uuid: str) -> AgentGroup | None:
    """The group of that UUID."""
    return rows.fetch_one(tx, AgentGroup, _select_group("uuid"), {"uuid": uuid})


def group_by_name(tx: Transaction, name: str) -> AgentGroup | None:
    """The group of that name."""
    return rows.fetch_one(tx, AgentGroup, _select_group("name"), {"name": name})


def names_among(tx: Transaction, labels: Collection[str]) -> set[str]:
    """Those of the labels that are names of groups."""
    chosen = select(agent_groups.c.name).where(agent_groups.c.name.in_(sorted(labels)))
    return set(tx.execute(chosen).scalars())


def list_groups(
    tx: Transaction, organization_id: int | None, *, after: str = "", limit: int = 100
) -> list[AgentGroup]:
    """The groups of the organization, or those that serve all, by name, those that come after `after`."""
    owner = agent_groups.c.organization_id
    mine = owner.is_(None) if organization_id is None else owner == organization_id
    page = select(*rows.columns_of(agent_groups, AgentGroup)).where(mine, agent_groups.c.name > after)
    return rows.fetch_all(tx, AgentGroup, page.order_by(agent_groups.c.name).limit(limit), {})


def list_groups_among(
    tx: Transaction, organizations: Collection[int] | None, *, after: str = "", limit: int = 100
) -> list[AgentGroup]:
    """The groups of these organizations (None for all) and those that serve all, by name, after `after`."""
    page = select(*rows.columns_of(agent_groups, AgentGroup)).where(agent_groups.c.name > after)
    if organizations is not None:
        owner = agent_groups.c.organization_id
        page = page.where(or_(owner.is_(None), owner.in_(sorted(organizations))))
    return rows.fetch_all(tx, AgentGroup, page.order_by(agent_groups.c.name).limit(limit), {})


def delete_group(tx: Transaction, group_id: int) -> None:
    """Remove the group with its agents and tokens; tasks that agents of it hold run out of their leases."""
    tx.execute(delete(agent_groups).where(agent_groups.c.id == group_id))


def add_agent_token(tx: Transaction, group_id: int, *, label: str, token_hash: str, now: int) -> AgentToken:
    """A new token to join the group; `token_hash` is `sealing.hash_token` of it."""
    token = AgentToken(id=0, uuid=new_id(), group_id=group_id, label=label, created_at=now)
    row_id = rows.insert_row(tx, agent_tokens, rows.values_of(token) | {"hash": token_hash})
    return msgspec.structs.replace(token, id=row_id)


def find_entrance(tx: Transaction, token_hash: str) -> Entrance | None:
    """The token to join with of that hash and its group."""
    row = tx.execute(_select_entrance(), {"hash": token_hash}).first()
    if row is None:
        return None
    width = len(AgentToken.__struct_fields__)
    return Entrance(rows.build(AgentToken, row[:width]), rows.build(AgentGroup, row[width:]))


def agent_tokens_of(tx: Transaction, group_id: int, *, after: int = 0, limit: int = 100) -> list[AgentToken]:
    """The group's tokens, oldest first, those with an id above `after`."""
    mine = (agent_tokens.c.group_id == group_id, agent_tokens.c.id > after)
    page = select(*rows.columns_of(agent_tokens, AgentToken)).where(*mine)
    return rows.fetch_all(tx, AgentToken, page.order_by(agent_tokens.c.id).limit(limit), {})


def group_of_token(tx: Transaction, uuid: str) -> AgentGroup | None:
    """The group that the token of that UUID leads to."""
    chosen = select(*rows.columns_of(agent_groups, AgentGroup)).join_from(
        agent_tokens, agent_groups, agent_groups.c.id == agent_tokens.c.group_id
    )
    return rows.fetch_one(
        tx, AgentGroup, chosen.where(agent_tokens.c.uuid == bindparam("uuid")), {"uuid": uuid}
    )


def delete_agent_token(tx: Transaction, group_id: int, uuid: str) -> bool:
    """True when the group had the token; nobody joins with it afterwards. Agents that did, stay."""
    mine = (agent_tokens.c.uuid == uuid, agent_tokens.c.group_id == group_id)
    return tx.execute(delete(agent_tokens).where(*mine)).rowcount == 1


def note_entrance(tx: Transaction, token_id: int, now: int) -> None:
    """The token's last use is now, to the minute."""
    used = agent_tokens.c.used_at
    stale = or_(used.is_(None), used <= now - USE_STEP)
    tx.execute(update(agent_tokens).where(agent_tokens.c.id == token_id, stale).values(used_at=now))


@cache
def _select_group(by: str) -> Select[Any]:
    return select(*rows.columns_of(agent_groups, AgentGroup)).where(agent_groups.c[by] == bindparam(by))


@cache
def _select_entrance() -> Executable:
    chosen = select(*rows.columns_of(agent_tokens, AgentToken), *rows.columns_of(agent_groups, AgentGroup))
    joined = chosen.join(agent_groups, agent_groups.c.id == agent_tokens.c.group_id)
    return joined.where(agent_tokens.c.hash == bindparam("hash"))
