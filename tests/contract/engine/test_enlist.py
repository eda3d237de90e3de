"""Agents join groups, are let in by tokens of their own, and get only work that is for them."""

from collections.abc import Iterable

import pytest

from penstock.engine.agent_groups import (
    create_group,
    delete_group,
    drain_agent,
    issue_join_token,
    list_agents,
    list_groups,
    list_join_tokens,
    remove_agent,
    revoke_join_token,
)
from penstock.engine.authenticate import TRUST
from penstock.engine.enlist import Enlisting, authenticate_agent, enlist_agent, leave
from penstock.engine.principal import SERVER
from penstock.engine.uploads import may_read_blob
from penstock.model.access import Role
from penstock.model.agent import Agent, AgentGroup
from penstock.model.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from penstock.model.project import Organization
from penstock.wire.messages import CacheSaved, Commands, Sync
from tests.support.lab import Lab
from tests.support.people import add_member, add_person, sign_in
from tests.support.records import add_organization

BOX = Enlisting(name="box", labels=("linux",), slots=2, version="1.0")


def organization(lab: Lab, slug: str = "gh/acme") -> Organization:
    with lab.parts.db.write() as tx:
        return add_organization(tx, slug)


def group_of(lab: Lab, owner: Organization | None, name: str) -> AgentGroup:
    return create_group(lab.parts, SERVER, owner, name=name)


def enlist(lab: Lab, group: AgentGroup, wish: Enlisting = BOX) -> tuple[Agent, str]:
    token = issue_join_token(lab.parts, SERVER, group.uuid, "test")
    made = enlist_agent(lab.parts, token.secret, wish)
    assert made is not None
    assert made.secret not in repr(made) + repr(token)
    return made.agent, made.secret


def sync(lab: Lab, agent: Agent, free: int = 1, holding: Iterable[str] = ()) -> Commands:
    message = Sync(agent=agent.uuid, events=(), holding=tuple(holding), free=free, wait=0)
    return lab.gateway.sync(message)


def test_an_agent_joins_with_the_groups_token_and_is_known_by_its_own(lab: Lab) -> None:
    group = group_of(lab, None, "any/linux")
    token = issue_join_token(lab.parts, SERVER, group.uuid, "for boxes")
    made = enlist_agent(lab.parts, token.secret, BOX)
    assert made is not None
    assert made.agent.labels == ("any/linux", "linux")
    assert (made.agent.group_id, made.agent.version, made.agent.slots) == (group.id, "1.0", 2)
    assert authenticate_agent(lab.parts, made.secret) == made.agent
    for other in (token.secret, "", "psa_" + "x" * 40, "x" * 1000):
        assert authenticate_agent(lab.parts, other) is None
    assert enlist_agent(lab.parts, made.secret, BOX) is None
    with lab.parts.db.read() as tx:
        assert list_agents(tx, SERVER, group.uuid) == [made.agent]
        [shown] = list_join_tokens(tx, SERVER, group.uuid)
    assert shown.used_at == lab.clock.now()
    revoke_join_token(lab.parts, SERVER, group.uuid, token.token.uuid)
    assert enlist_agent(lab.parts, token.secret, BOX) is None
    with pytest.raises(NotFoundError):
        revoke_join_token(lab.parts, SERVER, group.uuid, token.token.uuid)


@pytest.mark.parametrize(
    "wish",
    [
        Enlisting(name=""),
        Enlisting(name="a\nb"),
        Enlisting(name="a", slots=0),
        Enlisting(name="a", slots=10**9),
        Enlisting(name="a", labels=("organization=2",)),
        Enlisting(name="a", labels=("a\nb",)),
        Enlisting(name="a", labels=("",)),
        Enlisting(name="a", labels=("x",) * 51),
    ],
)
def test_an_agent_cannot_say_what_is_not_so(lab: Lab, wish: Enlisting) -> None:
    token = issue_join_token(lab.parts, SERVER, group_of(lab, None, "any").uuid, "x")
    with pytest.raises(InvalidError):
        enlist_agent(lab.parts, token.secret, wish)


@pytest.mark.parametrize("name", ["linux", "gpu", "", "a b", "acme//x", "/x"])
def test_a_group_cannot_have_every_name(lab: Lab, name: str) -> None:
    with pytest.raises(InvalidError):
        group_of(lab, None, name)


def test_an_agent_cannot_pass_for_one_of_another_group(lab: Lab) -> None:
    mine = group_of(lab, None, "acme/test")
    group_of(lab, None, "acme/production")
    agent, _ = enlist(lab, mine, Enlisting(name="box", labels=("acme/test", "gpu")))
    assert agent.labels == ("acme/test", "gpu")
    with pytest.raises(InvalidError, match="acme/production"):
        enlist(lab, mine, Enlisting(name="box", labels=("gpu", "acme/production")))


def test_agents_of_an_organization_get_its_work_and_no_others(lab: Lab) -> None:
    other = organization(lab, "gh/other")
    theirs, _ = enlist(lab, group_of(lab, other, "other/linux"))
    plain = lab.run({"a": None})
    lab.run({"b": {"executor": {"labels": ["other/linux"]}}})
    assert sync(lab, theirs, free=5).assignments == ()
    ours, _ = enlist(lab, group_of(lab, organization(lab), "acme/linux"))
    [assignment] = sync(lab, ours, free=5).assignments
    assert lab.tasks(plain, "a")[0].uuid == assignment.task


def test_agents_of_the_server_serve_every_organization(lab: Lab) -> None:
    common, _ = enlist(lab, group_of(lab, None, "any"))
    lab.run({"a": {"executor": {"labels": ["linux"]}}})
    assert len(sync(lab, common).assignments) == 1


def test_an_agent_that_drains_takes_nothing_new(lab: Lab) -> None:
    agent, _ = enlist(lab, group_of(lab, None, "any"))
    lab.run({"a": None})
    drain_agent(lab.parts, SERVER, agent.uuid)
    assert sync(lab, agent).assignments == ()
    drain_agent(lab.parts, SERVER, agent.uuid, drain=False)
    assert len(sync(lab, agent).assignments) == 1


def test_an_agent_that_was_removed_is_let_in_no_more(lab: Lab) -> None:
    group = group_of(lab, None, "any")
    (first, secret), (second, other) = enlist(lab, group), enlist(lab, group)
    assert authenticate_agent(lab.parts, secret) == first
    remove_agent(lab.parts, SERVER, first.uuid)
    assert authenticate_agent(lab.parts, secret) is None
    assert authenticate_agent(lab.parts, other) == second
    leave(lab.parts, second)
    with lab.parts.db.read() as tx:
        assert [agent.state for agent in list_agents(tx, SERVER, group.uuid)] == ["gone"]
    delete_group(lab.parts, SERVER, group.uuid)
    lab.clock.advance(TRUST)
    assert authenticate_agent(lab.parts, other) is None


def test_groups_are_a_matter_of_their_owners(lab: Lab) -> None:
    acme = organization(lab)
    ada, eve = add_person(lab.parts, "ada"), add_person(lab.parts, "eve")
    add_member(lab.parts, ada, acme, Role.ADMIN)
    add_member(lab.parts, eve, acme, Role.MEMBER)
    admin, member = sign_in(lab.parts, ada), sign_in(lab.parts, eve)
    stranger = sign_in(lab.parts, add_person(lab.parts, "bob"))
    group = create_group(lab.parts, admin, acme, name="acme/linux")
    agent, _ = enlist(lab, group)
    with pytest.raises(ConflictError):
        create_group(lab.parts, SERVER, None, name="acme/linux")
    with lab.parts.db.read() as tx:
        assert list_groups(tx, member, acme) == [group]
        assert list_groups(tx, stranger, None) == []
        assert list_agents(tx, member, group.uuid) == [agent]
        with pytest.raises(ForbiddenError):
            list_join_tokens(tx, member, group.uuid)
        with pytest.raises(NotFoundError):
            list_agents(tx, stranger, group.uuid)
    for forbidden in (
        lambda: create_group(lab.parts, admin, None, name="any"),
        lambda: create_group(lab.parts, member, acme, name="acme/mac"),
        lambda: issue_join_token(lab.parts, member, group.uuid, "x"),
        lambda: drain_agent(lab.parts, member, agent.uuid),
        lambda: delete_group(lab.parts, member, group.uuid),
    ):
        with pytest.raises(ForbiddenError):
            forbidden()
    for unknown in (
        lambda: issue_join_token(lab.parts, stranger, group.uuid, "x"),
        lambda: delete_group(lab.parts, stranger, group.uuid),
        lambda: drain_agent(lab.parts, stranger, agent.uuid),
    ):
        with pytest.raises(NotFoundError):
            unknown()


@pytest.mark.parametrize("name", ["", "a", "/a", "a/", "a//b", "a b", "a\nb", "x" * 101])
def test_a_resource_class_that_cannot_be_is_refused(lab: Lab, name: str) -> None:
    with pytest.raises(InvalidError):
        create_group(lab.parts, SERVER, None, name=name)


def test_a_task_reads_its_own_blobs_and_those_of_its_project(lab: Lab) -> None:
    lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    agent.begin(task)
    cache = lab.gateway.upload(task, "cache", [b"x"])
    own = lab.gateway.upload(task, "artifact", [b"x"])
    event = CacheSaved(task=task, sequence=agent.next(task), at=lab.clock.now(), key="k", blob=cache, size=1)
    agent.sync(event)
    agent.end(task)
    second, foreign = (
        lab.run({"a": None}),
        lab.trigger({"workflows": {"main": {"jobs": {"a": None}}}}, project="other"),
    )
    later, stranger = (lab.tasks(pipeline, "a")[0].uuid for pipeline in (second, foreign))
    with lab.parts.db.read() as tx:
        assert [may_read_blob(tx, each, cache) for each in (task, later, stranger)] == [True, True, False]
        assert [may_read_blob(tx, each, own) for each in (task, later, stranger)] == [True, False, False]
        assert not may_read_blob(tx, "nobody", cache)
