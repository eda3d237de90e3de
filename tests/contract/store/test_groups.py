"""Groups of agents with their tokens, agents that come and go, restrictions of contexts."""

import msgspec

from penstock.kit.ids import new_id
from penstock.model.agent import Agent, AgentGroup, AgentState
from penstock.store import agent_groups, agents, contexts, queue, restrictions
from penstock.store.agent_groups import Entrance
from penstock.store.database import Database, Transaction
from penstock.store.restrictions import RestrictionKind
from penstock.store.sealing import hash_token
from penstock.store.tasks import organization_label, queue_key
from tests.support.records import NOW, add_organization


def add_group(tx: Transaction, name: str = "acme/linux", organization_id: int | None = None) -> AgentGroup:
    record = AgentGroup(
        id=0, uuid=new_id(), organization_id=organization_id, name=name, description="", created_at=NOW
    )
    made = agent_groups.add_group(tx, record)
    assert made is not None
    return made


def an_agent(group: AgentGroup, name: str = "box", seen_at: int = NOW) -> Agent:
    return Agent(
        id=0,
        uuid=new_id(),
        name=name,
        labels=(group.name,),
        slots=1,
        created_at=NOW,
        seen_at=seen_at,
        group_id=group.id,
        version="1.2",
    )


def test_a_group_has_a_name_of_its_own_on_the_server(db: Database) -> None:
    with db.write() as tx:
        owner = add_organization(tx)
        mine, common = add_group(tx, organization_id=owner.id), add_group(tx, "any")
        again = msgspec.structs.replace(mine, uuid=new_id(), organization_id=None)
        assert agent_groups.add_group(tx, again) is None
        assert agent_groups.group_by_name(tx, "acme/linux") == mine
        assert agent_groups.get_group(tx, mine.id) == agent_groups.group_by_uuid(tx, mine.uuid) == mine
        assert agent_groups.list_groups(tx, owner.id) == [mine]
        assert agent_groups.list_groups(tx, None) == [common]
        assert agent_groups.list_groups(tx, None, after="any") == []


def test_a_group_goes_with_its_agents_and_tokens(db: Database) -> None:
    with db.write() as tx:
        group = add_group(tx)
        token = agent_groups.add_agent_token(tx, group.id, label="a", token_hash=hash_token("t"), now=NOW)
        agent = agents.add_agent(tx, an_agent(group), hash_token("own"))
        assert agent_groups.find_entrance(tx, hash_token("t")) == Entrance(token, group)
        assert agent_groups.find_entrance(tx, hash_token("own")) is None
        assert agents.agent_by_token(tx, hash_token("own")) == agent
        agent_groups.delete_group(tx, group.id)
        assert agent_groups.find_entrance(tx, hash_token("t")) is None
        assert agents.agent_by_token(tx, hash_token("own")) is None


def test_tokens_to_join_with_are_listed_used_and_deleted(db: Database) -> None:
    with db.write() as tx:
        group, other = add_group(tx), add_group(tx, "other")
        first, second = (
            agent_groups.add_agent_token(tx, group.id, label=name, token_hash=hash_token(name), now=NOW)
            for name in "ab"
        )
        agent_groups.note_entrance(tx, first.id, NOW + 5)
        agent_groups.note_entrance(tx, first.id, NOW + 6)
        used = msgspec.structs.replace(first, used_at=NOW + 5)
        assert agent_groups.agent_tokens_of(tx, group.id) == [used, second]
        assert agent_groups.agent_tokens_of(tx, group.id, after=first.id) == [second]
        assert not agent_groups.delete_agent_token(tx, other.id, first.uuid)
        assert agent_groups.delete_agent_token(tx, group.id, first.uuid)
        assert not agent_groups.delete_agent_token(tx, group.id, first.uuid)


def test_silent_agents_are_gone_come_back_and_are_forgotten_at_last(db: Database) -> None:
    with db.write() as tx:
        group = add_group(tx)
        early = agents.add_agent(tx, an_agent(group, "early"), None)
        late = agents.add_agent(tx, an_agent(group, "late", NOW + 100), None)
        assert not agents.has_silent(tx, NOW)
        assert agents.has_silent(tx, NOW + 50)
        agents.mark_silent(tx, NOW + 50)
        gone = msgspec.structs.replace(early, state=AgentState.GONE)
        assert agents.agents_of(tx, group.id) == [gone, late]
        assert agents.agents_of(tx, group.id, after=early.id) == [late]
        agents.touch_agent(tx, early.id, NOW + 60)
        back = agents.get_agent(tx, early.id)
        assert back == msgspec.structs.replace(early, seen_at=NOW + 60)
        agents.mark_silent(tx, NOW + 70)
        assert not agents.has_gone(tx, NOW + 60)
        assert agents.has_gone(tx, NOW + 61)
        agents.delete_gone(tx, NOW + 61)
        assert agents.agents_of(tx, group.id) == [late]


def test_an_agent_that_drains_goes_on_draining_when_it_is_seen(db: Database) -> None:
    with db.write() as tx:
        agent = agents.add_agent(tx, an_agent(add_group(tx)), None)
        agents.update_agent(tx, agents.AgentChange(id=agent.id, state=AgentState.DRAINING))
        agents.touch_agent(tx, agent.id, NOW + 1)
        found = agents.get_agent(tx, agent.id)
        assert found is not None
        assert found.state is AgentState.DRAINING


def test_an_agent_bound_to_an_organization_serves_it_alone_and_others_serve_all() -> None:
    mine, theirs = (queue_key(["linux", organization_label(number)]) for number in (1, 12))
    assert queue.carries(["linux"], mine)
    assert queue.carries(["linux"], theirs)
    assert not queue.carries([], mine)
    bound = ["linux", organization_label(1)]
    assert queue.carries(bound, mine)
    assert not queue.carries(bound, theirs)
    assert queue.carries(bound, queue_key(["linux"]))
    forged = queue_key(["linux", organization_label(1), organization_label(12)])
    assert not queue.carries(bound, forged)


def test_a_context_has_each_restriction_once(db: Database) -> None:
    with db.write() as tx:
        context = contexts.create_context(tx, add_organization(tx).id, "deploy", now=NOW)
        rule = 'pipeline.git.branch == "main"'
        made = restrictions.add_restriction(tx, context.id, RestrictionKind.EXPRESSION, rule, now=NOW)
        assert made is not None
        again = restrictions.add_restriction(tx, context.id, RestrictionKind.EXPRESSION, rule, now=NOW)
        assert again is None
        project = restrictions.add_restriction(tx, context.id, RestrictionKind.PROJECT, "p", now=NOW)
        assert restrictions.restrictions_of(tx, context.id) == [made, project]
        assert restrictions.restriction_by_uuid(tx, made.uuid) == made
        restrictions.delete_restriction(tx, made.id)
        assert restrictions.restrictions_of(tx, context.id) == [project]
        contexts.delete_context(tx, context.id)
        assert restrictions.restrictions_of(tx, context.id) == []
