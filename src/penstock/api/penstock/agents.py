"""Agents and their groups: who is there, what they run, how more of them join."""

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.api.penstock.paging import Page, PageQuery, cut_page, read_number
from penstock.api.penstock.payloads import (
    AgentView,
    GroupView,
    HeldJob,
    JoinTokenView,
    MadeJoinToken,
    NewGroup,
    NewJoinToken,
)
from penstock.engine import agent_groups
from penstock.engine.access import Action
from penstock.engine.fleet import Seen, list_fleet, list_seen_groups
from penstock.engine.lookup import open_organization
from penstock.engine.runs import read_id
from penstock.model.agent import AgentGroup, AgentToken
from penstock.store import projects
from penstock.store.database import Transaction

FIRST = "first"
"""The label of the token that a group is made with."""


def list_groups(server: Server, call: Call) -> Page[GroupView]:
    """The groups of agents the caller sees: those of their organizations, and those that serve all."""
    query: PageQuery = call.query
    with server.parts.db.read() as tx:
        found = list_seen_groups(tx, principal_of(call), after=query.after, limit=query.limit + 1)
        kept, after = cut_page(found, query.limit, lambda group: group.name)
        return Page([_show_group(tx, group) for group in kept], after)


def create_group(server: Server, call: Call) -> MadeJoinToken:
    """Make a group of agents, and a token with which they join it, told this once."""
    by = principal_of(call)
    body: NewGroup = call.payload
    owner = None
    if body.organization:
        with server.parts.db.read() as tx:
            owner = open_organization(tx, by, Action.CHANGE_AGENTS, body.organization)
    made = agent_groups.create_group(server.parts, by, owner, name=body.name, description=body.description)
    return _issue(server, call, made, FIRST)


def delete_group(server: Server, call: Call) -> None:
    """Delete a group: its agents are not let in any more."""
    agent_groups.delete_group(server.parts, principal_of(call), read_id(call.params["id"]))


def list_join_tokens(server: Server, call: Call) -> Page[JoinTokenView]:
    """The tokens with which agents join a group, oldest first, with their last use."""
    by, query = principal_of(call), call.query
    with server.parts.db.read() as tx:
        found = agent_groups.list_join_tokens(
            tx, by, read_id(call.params["id"]), after=read_number(query.after), limit=query.limit + 1
        )
    kept, after = cut_page(found, query.limit, lambda token: token.id)
    return Page([_show_token(token) for token in kept], after)


def create_join_token(server: Server, call: Call) -> MadeJoinToken:
    """Make another token with which agents join a group, told this once."""
    with server.parts.db.read() as tx:
        group, _ = agent_groups.find_group(tx, principal_of(call), read_id(call.params["id"]))
    body: NewJoinToken = call.payload
    return _issue(server, call, group, body.label)


def revoke_join_token(server: Server, call: Call) -> None:
    """Revoke a token with which agents join; those that did, stay."""
    group, token = (read_id(call.params[name]) for name in ("id", "token"))
    agent_groups.revoke_join_token(server.parts, principal_of(call), group, token)


def list_agents(server: Server, call: Call) -> Page[AgentView]:
    """The agents the caller sees, oldest first, with what they run."""
    query: PageQuery = call.query
    with server.parts.db.read() as tx:
        after = read_number(query.after)
        found = list_fleet(tx, principal_of(call), after=after, limit=query.limit + 1)
    kept, following = cut_page(found, query.limit, lambda seen: seen.agent.id)
    return Page([_show_agent(seen) for seen in kept], following)


def disable_agent(server: Server, call: Call) -> None:
    """Let an agent end what it runs, and give it nothing new."""
    agent_groups.drain_agent(server.parts, principal_of(call), read_id(call.params["id"]))


def enable_agent(server: Server, call: Call) -> None:
    """Let an agent that was disabled run jobs again."""
    agent_groups.drain_agent(server.parts, principal_of(call), read_id(call.params["id"]), drain=False)


def remove_agent(server: Server, call: Call) -> None:
    """Remove an agent: it is not let in any more, and what it ran is run elsewhere."""
    agent_groups.remove_agent(server.parts, principal_of(call), read_id(call.params["id"]))


def _issue(server: Server, call: Call, group: AgentGroup, label: str) -> MadeJoinToken:
    made = agent_groups.issue_join_token(server.parts, principal_of(call), group.uuid, label)
    with server.parts.db.read() as tx:
        shown = _show_group(tx, group)
    return MadeJoinToken(group=shown, token=_show_token(made.token), secret=made.secret)


def _show_group(tx: Transaction, group: AgentGroup) -> GroupView:
    owner = None
    if group.organization_id is not None:
        owner = projects.get_organization(tx, group.organization_id)
    return GroupView(
        id=group.uuid,
        name=group.name,
        organization=owner.slug if owner is not None else "",
        description=group.description,
        created_at=group.created_at,
    )


def _show_token(token: AgentToken) -> JoinTokenView:
    return JoinTokenView(id=token.uuid, label=token.label, created_at=token.created_at, used_at=token.used_at)


def _show_agent(seen: Seen) -> AgentView:
    agent = seen.agent
    return AgentView(
        id=agent.uuid,
        name=agent.name,
        group=seen.group,
        labels=agent.labels,
        slots=agent.slots,
        state=agent.state,
        version=agent.version,
        disabled=agent.disabled,
        created_at=agent.created_at,
        seen_at=agent.seen_at,
        busy=seen.busy,
        jobs=tuple(
            HeldJob(
                job=held.job.uuid,
                name=held.job.name,
                number=held.job.number,
                index=task.index,
                project=held.project.slug,
                pipeline=held.pipeline.number,
                started_at=task.started_at,
            )
            for task, held in seen.held
        ),
    )
