"""Self-hosted runners as circleci-cli asks about them: groups of agents, tokens to join with, and agents."""

from collections.abc import Sequence

from penstock.api.circleci import runner_payloads as p
from penstock.api.circleci.payloads import Message
from penstock.api.circleci.times import show_millis
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import agent_groups
from penstock.engine.fleet import list_seen_groups
from penstock.engine.organizations import list_organizations
from penstock.engine.principal import Principal
from penstock.engine.runs import read_id
from penstock.model.agent import Agent, AgentGroup
from penstock.model.errors import InvalidError, NotFoundError, RefusedError
from penstock.model.project import Organization
from penstock.store.database import Transaction

MOST = 1000
"""Groups, tokens or agents a list has; it has no pages."""

DONE = Message(message="ok")


def create_class(server: Server, call: Call) -> p.ResourceClass:
    """Make a group of agents in a namespace, which is the name of an organization."""
    body: p.NewResourceClass = call.payload
    by = principal_of(call)
    with server.parts.db.read() as tx:
        owner = _find_owner(tx, by, body.resource_class.partition("/")[0])
    made = agent_groups.create_group(
        server.parts, by, owner, name=body.resource_class, description=body.description
    )
    return _show_class(made)


def list_classes(server: Server, call: Call) -> p.ResourceClasses:
    """The groups of agents in a namespace that the caller sees."""
    with server.parts.db.read() as tx:
        found = _list_groups(tx, principal_of(call), call.query.namespace)
    return p.ResourceClasses(items=tuple(map(_show_class, found)))


def delete_class(server: Server, call: Call) -> Message:
    """Delete a group of agents that no tokens lead to."""
    by, uuid = principal_of(call), read_id(call.params["id"])
    with server.parts.db.read() as tx:
        if agent_groups.list_join_tokens(tx, by, uuid, limit=1):
            raise RefusedError("The resource class has tokens: delete them first, or delete it by force.")
    agent_groups.delete_group(server.parts, by, uuid)
    return DONE


def force_class(server: Server, call: Call) -> Message:
    """Delete a group of agents with its tokens."""
    agent_groups.delete_group(server.parts, principal_of(call), read_id(call.params["id"]))
    return DONE


def create_token(server: Server, call: Call) -> p.RunnerToken:
    """Make a token with which agents join a group, told this once."""
    body: p.NewRunnerToken = call.payload
    by = principal_of(call)
    with server.parts.db.read() as tx:
        group = agent_groups.find_named_group(tx, by, body.resource_class)
    made = agent_groups.issue_join_token(server.parts, by, group.uuid, body.nickname)
    return p.RunnerToken(
        id=made.token.uuid,
        resource_class=group.name,
        nickname=made.token.label,
        created_at=show_millis(made.token.created_at),
        token=made.secret,
    )


def list_tokens(server: Server, call: Call) -> p.RunnerTokens:
    """The tokens with which agents join a group, without what is secret."""
    by = principal_of(call)
    with server.parts.db.read() as tx:
        group = agent_groups.find_named_group(tx, by, call.query.resource_class)
        found = agent_groups.list_join_tokens(tx, by, group.uuid, limit=MOST)
    return p.RunnerTokens(
        items=tuple(
            p.RunnerToken(
                id=token.uuid,
                resource_class=group.name,
                nickname=token.label,
                created_at=show_millis(token.created_at),
            )
            for token in found
        )
    )


def delete_token(server: Server, call: Call) -> Message:
    """Revoke a token with which agents join; those that did, stay."""
    by, uuid = principal_of(call), read_id(call.params["id"])
    with server.parts.db.read() as tx:
        group = agent_groups.find_token_group(tx, by, uuid)
    agent_groups.revoke_join_token(server.parts, by, group.uuid, uuid)
    return DONE


def list_runners(server: Server, call: Call) -> p.Runners:
    """The agents of a group, or of all groups in a namespace, that the caller sees."""
    by, query = principal_of(call), call.query
    with server.parts.db.read() as tx:
        if query.resource_class:
            groups: Sequence[AgentGroup] = [agent_groups.find_named_group(tx, by, query.resource_class)]
        else:
            groups = _list_groups(tx, by, query.namespace)
        found = [
            _show_runner(group, agent)
            for group in groups
            for agent in agent_groups.list_agents(tx, by, group.uuid, limit=MOST)
        ]
    return p.Runners(items=tuple(found[:MOST]))


def _find_owner(tx: Transaction, by: Principal, namespace: str) -> Organization:
    """The organization of that name. Raises NotFoundError, and RefusedError when there are several."""
    found = [each for each in list_organizations(tx, by, limit=MOST) if each.name == namespace]
    if not found:
        raise NotFoundError("Namespace not found.")
    if len(found) > 1:
        raise RefusedError(f"Several organizations are called {namespace}: use `penstock agent-group`.")
    return found[0]


def _list_groups(tx: Transaction, by: Principal, namespace: str) -> list[AgentGroup]:
    """The groups whose names begin with the namespace. Raises InvalidError when none is given."""
    if not namespace:
        raise InvalidError("namespace or resource-class is needed.")
    place = f"{namespace}/"
    found = list_seen_groups(tx, by, after=place, limit=MOST)
    return [group for group in found if group.name.startswith(place)]


def _show_class(group: AgentGroup) -> p.ResourceClass:
    return p.ResourceClass(id=group.uuid, resource_class=group.name, description=group.description)


def _show_runner(group: AgentGroup, agent: Agent) -> p.Runner:
    return p.Runner(
        resource_class=group.name,
        hostname=agent.name,
        name=agent.name,
        first_connected=show_millis(agent.created_at),
        last_connected=show_millis(agent.seen_at),
        last_used=None,
        version=agent.version,
    )
