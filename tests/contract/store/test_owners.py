"""Organizations, projects, numbers and agents."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import msgspec
import pytest

from penstock.model.errors import ConflictError
from penstock.store import agents, contexts, projects
from penstock.store.counters import CounterKind, allocate_numbers, next_number
from penstock.store.database import Database
from penstock.store.sealing import hash_token, make_token
from tests.support.records import NOW, add_organization, add_project


def test_a_slug_is_made_once(db: Database) -> None:
    with db.write() as tx:
        first = add_project(tx)
        again = projects.ensure_project(tx, msgspec.structs.replace(first, uuid="other", name="other"))
        assert again == first
        assert projects.get_project(tx, first.id) == first
        assert projects.project_by_uuid(tx, first.uuid) == first
        assert projects.find_project(tx, "gh/acme/none") is None
        owner = add_organization(tx)
        assert owner.id == first.organization_id
        assert projects.get_organization(tx, owner.id) == owner
        assert projects.organization_by_uuid(tx, owner.uuid) == owner


def test_threads_that_make_the_same_project_all_get_it(db: Database) -> None:
    start = threading.Barrier(6)

    def ensure(_: int) -> int:
        start.wait(10)
        with db.write() as tx:
            return add_project(tx).id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ensure, range(6)))) == 1


def test_projects_are_listed_by_slug_in_pages(db: Database) -> None:
    with db.write() as tx:
        made = [add_project(tx, slug) for slug in ("local/b", "gh/a/Z", "gh/a/a")]
        slugs = [project.slug for project in projects.list_projects(tx)]
        assert slugs == ["gh/a/Z", "gh/a/a", "local/b"]
        assert projects.list_projects(tx, after="gh/a/Z", limit=1) == [made[2]]


def test_settings_are_replaced_as_a_whole(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        assert projects.load_settings(tx, project.id) == {}
        projects.save_settings(tx, project.id, {"a": 1, "b": [True, None]})
        projects.save_settings(tx, project.id, {"b": {"c": "é\x00"}})
        assert projects.load_settings(tx, project.id) == {"b": {"c": "é\x00"}}
        projects.save_organization_settings(tx, project.organization_id, {"x": 1})
        assert projects.load_organization_settings(tx, project.organization_id) == {"x": 1}


def test_a_project_changes_only_where_told(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        projects.update_project(tx, projects.ProjectChange(id=project.id, default_branch="trunk"))
        changed = msgspec.structs.replace(project, default_branch="trunk")
        assert projects.get_project(tx, project.id) == changed


def test_numbers_count_from_one_by_project_and_kind(db: Database) -> None:
    with db.write() as tx:
        one, two = add_project(tx), add_project(tx, "gh/acme/other")
        assert next_number(tx, one.id, CounterKind.PIPELINE) == 1
        assert allocate_numbers(tx, one.id, CounterKind.PIPELINE, 3) == range(2, 5)
        assert next_number(tx, one.id, CounterKind.JOB) == 1
        assert next_number(tx, two.id, CounterKind.PIPELINE) == 1
        assert next_number(tx, one.id, CounterKind.PIPELINE) == 5


def test_threads_never_get_the_same_number(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
    start = threading.Barrier(8)

    def allocate(size: int) -> list[int]:
        start.wait(10)
        numbers: list[int] = []
        for _ in range(10):
            with db.write() as tx:
                numbers += allocate_numbers(tx, project.id, CounterKind.JOB, size)
        return numbers

    with ThreadPoolExecutor(8) as pool:
        numbers = sorted(chain.from_iterable(pool.map(allocate, range(1, 9))))
    assert numbers == list(range(1, 361))


def test_a_rollback_gives_numbers_back(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)

    def allocate_and_fail() -> None:
        with db.write() as tx:
            assert next_number(tx, project.id, CounterKind.JOB) == 1
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        allocate_and_fail()
    with db.write() as tx:
        assert next_number(tx, project.id, CounterKind.JOB) == 1


def test_an_agent_is_found_by_the_hash_of_its_token(db: Database) -> None:
    token = make_token()
    with db.write() as tx:
        stored = agents.register_agent(
            tx, "box", labels=["linux", "gpu"], slots=2, now=NOW, token_hash=hash_token(token)
        )
        local = agents.register_agent(tx, "here", labels=[], slots=1, now=NOW)
        assert agents.agent_by_token(tx, hash_token(token)) == stored
        assert agents.agent_by_token(tx, hash_token(token + "x")) is None
        assert agents.agent_by_uuid(tx, local.uuid) == local
    with pytest.raises(ConflictError), db.write() as tx:
        agents.register_agent(tx, "twin", labels=[], slots=1, now=NOW, token_hash=hash_token(token))


def test_an_agent_is_seen_later_and_later(db: Database) -> None:
    with db.write() as tx:
        agent = agents.register_agent(tx, "box", labels=[], slots=1, now=NOW)
        agents.touch_agent(tx, agent.id, NOW + 9)
        agents.touch_agent(tx, agent.id, NOW + 3)
        agents.update_agent(tx, agents.AgentChange(id=agent.id, disabled=True, labels=("a", "b")))
        changed = msgspec.structs.replace(agent, seen_at=NOW + 9, disabled=True, labels=("a", "b"))
        assert agents.list_agents(tx) == [changed]
        assert agents.list_agents(tx, seen_since=NOW + 10) == []
        agents.delete_agent(tx, agent.id)
        assert agents.get_agent(tx, agent.id) is None


def test_a_context_has_a_name_of_its_own_in_its_organization(db: Database) -> None:
    with db.write() as tx:
        owner, other = add_organization(tx), add_organization(tx, "gh/other")
        made = contexts.create_context(tx, owner.id, "deploy", now=NOW)
        elsewhere = contexts.create_context(tx, other.id, "deploy", now=NOW)
        assert contexts.find_context(tx, owner.id, "deploy") == made
        assert contexts.context_by_uuid(tx, elsewhere.uuid) == elsewhere
        assert contexts.list_contexts(tx, owner.id) == [made]
        assert contexts.list_contexts(tx, owner.id, after=made.id) == []
        contexts.delete_context(tx, made.id)
        assert contexts.find_context(tx, owner.id, "deploy") is None
    with pytest.raises(ConflictError, match="somebody else"), db.write() as tx:
        contexts.create_context(tx, other.id, "deploy", now=NOW)
