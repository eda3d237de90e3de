"""Groups of agents: who may have them, how agents join, and which of them are there."""

import re

import msgspec

from penstock.engine.access import Action, require, sees
from penstock.engine.audit import note
from penstock.engine.principal import Principal
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import new_id
from penstock.model.agent import Agent, AgentGroup, AgentState, AgentToken
from penstock.model.errors import ConflictError, InvalidError, NotFoundError
from penstock.model.project import Organization
from penstock.store import agent_groups, agents, projects
from penstock.store.agents import AgentChange
from penstock.store.database import Transaction
from penstock.store.sealing import hash_token, make_token

JOIN_PREFIX = "psj_"

_NAME = re.compile(r"(?!.*//)[A-Za-z0-9][A-Za-z0-9._/-]{0,98}[A-Za-z0-9]")
_MOST_LABEL = 200


COMMON = frozenset({"linux", "macos", "windows", "gpu"})
"""Labels that say what a machine is; were one the name of a group, agents of others could not join."""


class JoinToken(msgspec.Struct, frozen=True):
    """A new token to join a group with; its secret is shown this once."""

    token: AgentToken
    secret: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"JoinToken({self.token!r})"


def create_group(
    parts: Parts, by: Principal, owner: Organization | None, *, name: str, description: str = ""
) -> AgentGroup:
    """A new group, of the organization or, without one, for all of the server.

    Raises ForbiddenError, InvalidError for a name that is no resource class, ConflictError when it is taken
    by any organization.
    """
    _require_change(by, owner)
    if not _NAME.fullmatch(name):
        raise InvalidError("a resource class has letters, digits and . _ - / between the first and the last")
    if name in COMMON:
        raise InvalidError(f"agents of all groups may carry the label {name}: choose another name")

    def work(unit: Unit) -> AgentGroup:
        record = AgentGroup(
            id=0,
            uuid=new_id(),
            organization_id=owner.id if owner is not None else None,
            name=name,
            description=description[:1000],
            created_at=unit.now,
        )
        made = agent_groups.add_group(unit.tx, record)
        if made is None:
            raise ConflictError(f"there is a resource class {name} already")
        note(unit, by, "agent-group.create", made.uuid, organization=owner, name=name)
        return made

    return transact(parts, work)


def list_groups(
    tx: Transaction, by: Principal, owner: Organization | None, *, after: str = "", limit: int = 100
) -> list[AgentGroup]:
    """The groups of the organization, or those that serve all, by name, those that come after `after`."""
    require(by, Action.SEE_SELF if owner is None else Action.SEE_AGENTS, owner)
    return agent_groups.list_groups(tx, owner.id if owner is not None else None, after=after, limit=limit)


def delete_group(parts: Parts, by: Principal, uuid: str) -> None:
    """The group is gone with its agents, who are not let in any more; what they ran is run elsewhere.

    Raises ForbiddenError, NotFoundError.
    """

    def work(unit: Unit) -> None:
        group, owner = find_group(unit.tx, by, uuid)
        _require_change(by, owner)
        agent_groups.delete_group(unit.tx, group.id)
        note(unit, by, "agent-group.delete", uuid, organization=owner, name=group.name)
        unit.afterwards.append(parts.memory.agents.forget)

    transact(parts, work)


def issue_join_token(parts: Parts, by: Principal, group_uuid: str, label: str) -> JoinToken:
    """A new token with which agents join the group. Raises ForbiddenError, InvalidError, NotFoundError."""
    if not 0 < len(label) <= _MOST_LABEL:
        raise InvalidError(f"a token has a label of up to {_MOST_LABEL} characters")

    def work(unit: Unit) -> JoinToken:
        group, owner = find_group(unit.tx, by, group_uuid)
        _require_change(by, owner)
        secret = make_token(JOIN_PREFIX)
        made = agent_groups.add_agent_token(
            unit.tx, group.id, label=label, token_hash=hash_token(secret), now=unit.now
        )
        note(unit, by, "agent-token.create", made.uuid, organization=owner, label=label, group=group.name)
        return JoinToken(made, secret)

    return transact(parts, work)


def list_join_tokens(
    tx: Transaction, by: Principal, group_uuid: str, *, after: int = 0, limit: int = 100
) -> list[AgentToken]:
    """The tokens with which agents join the group, oldest first. Raises ForbiddenError, NotFoundError."""
    group, owner = find_group(tx, by, group_uuid)
    _require_change(by, owner)
    return agent_groups.agent_tokens_of(tx, group.id, after=after, limit=limit)


def revoke_join_token(parts: Parts, by: Principal, group_uuid: str, uuid: str) -> None:
    """Nobody joins with the token any more; agents that did, stay. Raises ForbiddenError, NotFoundError."""

    def work(unit: Unit) -> None:
        group, owner = find_group(unit.tx, by, group_uuid)
        _require_change(by, owner)
        if not agent_groups.delete_agent_token(unit.tx, group.id, uuid):
            raise NotFoundError("Token not found.")
        note(unit, by, "agent-token.revoke", uuid, organization=owner, group=group.name)

    transact(parts, work)


def list_agents(
    tx: Transaction, by: Principal, group_uuid: str, *, after: int = 0, limit: int = 100
) -> list[Agent]:
    """The group's agents, oldest first, those with an id above `after`. Raises NotFoundError."""
    group, _ = find_group(tx, by, group_uuid)
    return agents.agents_of(tx, group.id, after=after, limit=limit)


def drain_agent(parts: Parts, by: Principal, uuid: str, *, drain: bool = True) -> Agent:
    """The agent ends what it has and takes nothing new (or takes tasks again).

    Raises ForbiddenError, NotFoundError.
    """

    def work(unit: Unit) -> Agent:
        agent, owner = _find_agent(unit.tx, by, uuid)
        state = AgentState.DRAINING if drain else AgentState.ONLINE
        agents.update_agent(unit.tx, AgentChange(id=agent.id, state=state))
        note(unit, by, "agent.drain" if drain else "agent.resume", uuid, organization=owner, name=agent.name)
        unit.wake = not drain
        unit.afterwards.append(parts.memory.agents.forget)
        return agents.get_agent(unit.tx, agent.id) or agent

    return transact(parts, work)


def remove_agent(parts: Parts, by: Principal, uuid: str) -> None:
    """The agent is not let in any more; what it ran is run elsewhere.

    Raises ForbiddenError, NotFoundError.
    """

    def work(unit: Unit) -> None:
        agent, owner = _find_agent(unit.tx, by, uuid)
        agents.delete_agent(unit.tx, agent.id)
        note(unit, by, "agent.remove", uuid, organization=owner, name=agent.name)
        unit.afterwards.append(parts.memory.agents.forget)

    transact(parts, work)


def find_group(tx: Transaction, by: Principal, uuid: str) -> tuple[AgentGroup, Organization | None]:
    """The group and whose it is, None for all; others' are unknown. Raises NotFoundError, ForbiddenError."""
    group = agent_groups.group_by_uuid(tx, uuid)
    owner = _owner_of(tx, group)
    if group is None or _is_hidden(by, group, owner):
        raise NotFoundError("Resource class not found.")
    require(by, Action.SEE_SELF if owner is None else Action.SEE_AGENTS, owner)
    return group, owner


def find_named_group(tx: Transaction, by: Principal, name: str) -> AgentGroup:
    """The group of that name; others' are unknown. Raises NotFoundError."""
    group = agent_groups.group_by_name(tx, name)
    if group is None or _is_hidden(by, group, _owner_of(tx, group)):
        raise NotFoundError("Resource class not found.")
    return group


def find_token_group(tx: Transaction, by: Principal, uuid: str) -> AgentGroup:
    """The group that the token of that UUID leads to; others' are unknown. Raises NotFoundError."""
    group = agent_groups.group_of_token(tx, uuid)
    if group is None or _is_hidden(by, group, _owner_of(tx, group)):
        raise NotFoundError("Token not found.")
    return group


def _find_agent(tx: Transaction, by: Principal, uuid: str) -> tuple[Agent, Organization | None]:
    """The agent and whose it is; the caller may change it."""
    agent = agents.agent_by_uuid(tx, uuid)
    group = agent_groups.get_group(tx, agent.group_id) if agent is not None and agent.group_id else None
    owner = _owner_of(tx, group)
    if agent is None or (group is not None and _is_hidden(by, group, owner)):
        raise NotFoundError("Agent not found.")
    _require_change(by, owner)
    return agent, owner


def _is_hidden(by: Principal, group: AgentGroup, owner: Organization | None) -> bool:
    """True when the group's organization is gone or none of the principal's business."""
    return group.organization_id is not None if owner is None else not sees(by, owner)


def _owner_of(tx: Transaction, group: AgentGroup | None) -> Organization | None:
    if group is None or group.organization_id is None:
        return None
    return projects.get_organization(tx, group.organization_id)


def _require_change(by: Principal, owner: Organization | None) -> None:
    require(by, Action.CHANGE_SERVER_AGENTS if owner is None else Action.CHANGE_AGENTS, owner)
