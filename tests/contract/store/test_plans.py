"""Every question the store asks is answered by an index, whatever piles up."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint

from penstock.model.access import Membership, Role
from penstock.model.output import CacheEntry, WorkspaceLayer
from penstock.model.status import JobStatus, StepStatus
from penstock.store import (
    agent_groups,
    agents,
    artifacts,
    audit,
    caches,
    contexts,
    continuations,
    deliveries,
    expiry,
    figures,
    follows,
    followups,
    jobs,
    locks,
    logs,
    memberships,
    outbox,
    people_groups,
    pipelines,
    projects,
    queue,
    removal,
    restrictions,
    retention,
    secrets,
    steps,
    tasks,
    test_results,
    timers,
    tokens,
    users,
    variables,
    workflows,
    workspaces,
)
from penstock.store.counters import CounterKind, next_number
from penstock.store.database import Database, Transaction
from penstock.store.followups import FollowUpStatus
from penstock.store.locks import LockOwner
from penstock.store.retention import Owner
from penstock.store.schema import metadata
from penstock.store.sealing import Sealer
from penstock.store.test_results import TimingKind
from tests.support.databases import KINDS, fresh_url
from tests.support.records import NOW, a_task, add_jobs, add_project, add_tasks
from tests.support.statements import plans_of, walks_of

pytestmark = pytest.mark.bare_database

LETTER = outbox.Letter(
    id=1,
    kind="status",
    subject="s",
    payload={},
    created_at=0,
    due_at=0,
    attempts=1,
    error="",
)
OWNER = LockOwner(organization_id=1, name="deploy", workflow_id=1)
ENTRY = CacheEntry(key="k", blob="b", size=1, created_at=NOW)
LAYER = WorkspaceLayer(job_key="a", task_index=0, blob="b", size=1)
MEMBER = Membership(user_id=1, organization_id=1, role=Role.VIEWER, created_at=NOW)
SEALER = Sealer([b"k" * 32])
OF_BLOB = Owner(task="u", task_id=1, job_id=1, workspace="w", pipeline_id=1, ended=True)
END = steps.StepEnd(status=StepStatus.FAILED, stopped_at=NOW)

QUESTIONS: dict[str, Callable[[Transaction], object]] = {
    "figures": lambda tx: figures.read_figures(tx, seen_since=NOW),
    "oldest pipelines": expiry.list_aged,
    "pipeline with open workflows": lambda tx: expiry.is_open(tx, 1),
    "tasks of a pipeline": lambda tx: expiry.list_tasks(tx, 1),
    "organization by slug": lambda tx: projects.find_organization(tx, "gh/acme"),
    "project by slug": lambda tx: projects.find_project(tx, "gh/acme/app"),
    "project by uuid": lambda tx: projects.project_by_uuid(tx, "u"),
    "next number": lambda tx: next_number(tx, 1, CounterKind.JOB),
    "pipeline by uuid": lambda tx: pipelines.pipeline_by_uuid(tx, "u"),
    "pipeline by number": lambda tx: pipelines.pipeline_by_number(tx, 1, 1),
    "pipeline locked": lambda tx: pipelines.lock_pipeline(tx, 1),
    "pipelines of a project": lambda tx: pipelines.list_pipelines(tx, project_id=1, before=9),
    "pipelines of an actor": lambda tx: pipelines.list_pipelines(tx, project_id=1, actor="ada", before=9),
    "marks of pipelines": lambda tx: pipelines.list_marks(tx, 1, branch="main", before=9),
    "pipelines by ids": lambda tx: pipelines.load_pipelines(tx, [1, 2]),
    "newest pipelines": lambda tx: pipelines.newest_pipelines(tx, [1, 2, 3], before=9),
    "newest pipelines of an actor": lambda tx: pipelines.newest_pipelines(tx, [1, 2, 3], actor="ada"),
    "newest jobs": lambda tx: jobs.newest_jobs(tx, 1, offset=3),
    "newest jobs of projects": lambda tx: jobs.newest_everywhere(tx, [1, 2, 3], offset=3),
    "page of a pipeline's workflows": lambda tx: workflows.page_of_pipeline(tx, 1, before=9),
    "people by login": lambda tx: users.users_by_login(tx, ["ada", "grace"]),
    "pipelines of a branch": lambda tx: pipelines.list_pipelines(tx, project_id=1, branch="main"),
    "pipelines with an owner": pipelines.owned_pipelines,
    "config": lambda tx: pipelines.load_config(tx, 1),
    "workflow by uuid": lambda tx: workflows.workflow_by_uuid(tx, "u"),
    "workflow locked": lambda tx: workflows.lock_workflow(tx, 1),
    "workflow locked without waiting": lambda tx: (workflows.lock_workflow(tx, 1), workflows.try_lock(tx, 1)),
    "workflows of a pipeline": lambda tx: workflows.workflows_of(tx, 1),
    "workflows of a project": lambda tx: workflows.list_workflows(tx, 1),
    "open workflows": workflows.open_workflows,
    "open workflows of a project": lambda tx: workflows.open_workflows(tx, project_id=1),
    "open workflows of a branch": lambda tx: workflows.open_workflows(tx, project_id=1, branch="main"),
    "reruns": lambda tx: workflows.reruns_of(tx, "u"),
    "states of jobs": lambda tx: jobs.states_of(tx, 1),
    "jobs of a workflow": lambda tx: jobs.jobs_of(tx, 1),
    "job by number": lambda tx: jobs.job_by_number(tx, 1, 1),
    "job by key": lambda tx: jobs.job_by_key(tx, 1, "a"),
    "change of a job": lambda tx: jobs.update_jobs(tx, [jobs.JobChange(id=1, status=JobStatus.QUEUED)]),
    "task by uuid": lambda tx: tasks.task_by_uuid(tx, "u"),
    "task placed": lambda tx: tasks.place_task(tx, "u"),
    "task locked": lambda tx: tasks.lock_task(tx, "u"),
    "tasks of a job": lambda tx: tasks.tasks_of(tx, 1, attempt=1),
    "change of a task": lambda tx: tasks.update_tasks(tx, [tasks.TaskChange(id=1, last_sequence=1)]),
    "claim": lambda tx: queue.claim_tasks(tx, 1, ["x", "y"], limit=2, lease_until=NOW),
    "renewal": lambda tx: queue.renew_leases(tx, 1, ["u", "v"], lease_until=NOW),
    "held tasks": lambda tx: queue.held_tasks(tx, 1),
    "expired leases": lambda tx: queue.expired_tasks(tx, NOW),
    "release": lambda tx: queue.release_task(tx, 1, now=NOW),
    "steps": lambda tx: steps.steps_of(tx, 1),
    "end of a step": lambda tx: steps.finish_step(tx, 1, 0, END),
    "log totals": lambda tx: logs.totals_of(tx, 1, 0),
    "log by byte": lambda tx: logs.chunks_of(tx, 1, 0, from_offset=70),
    "artifacts": lambda tx: artifacts.artifacts_of(tx, 1, after=(0, "a")),
    "artifact by path": lambda tx: artifacts.find_artifact(tx, 1, 0, "a"),
    "test cases": lambda tx: test_results.cases_of(tx, 1, after=5),
    "test counts": lambda tx: test_results.counts_of(tx, 1),
    "timings": lambda tx: test_results.mean_timings(tx, 1, "test", list(TimingKind), before=NOW),
    "failed tests": lambda tx: test_results.failed_names(tx, 1, 1),
    "job before on the branch": lambda tx: jobs.previous_number(tx, 1, "main", 7),
    "flags of a job": lambda tx: jobs.flags_of(tx, 1),
    "cache by key": lambda tx: caches.has_key(tx, 1, "", "k", now=NOW),
    "cache by prefix": lambda tx: caches.find_newest(tx, 1, "", "k-", now=NOW),
    "claim of a cache key": lambda tx: caches.claim_key(tx, 1, "", ENTRY),
    "next end of a cache": caches.next_expiry,
    "expired caches": lambda tx: caches.delete_expired(tx, NOW),
    "key of an expired cache": lambda tx: caches.free_key(tx, 1, "", "k", now=NOW),
    "layers": lambda tx: workspaces.layers_of(tx, "w"),
    "new layer": lambda tx: workspaces.add_layer(tx, "w", LAYER, now=NOW),
    "dropped layers": lambda tx: workspaces.drop_layers(tx, "w", "a"),
    "lock": lambda tx: locks.acquire_lock(tx, OWNER, now=NOW),
    "release of a lock": lambda tx: locks.release_lock(tx, OWNER),
    "locks of a workflow": lambda tx: locks.entries_of(tx, 1),
    "later holder of a lock": lambda tx: locks.has_newer(tx, 1, "prod", project_id=1, number=1),
    "agent by token": lambda tx: agents.agent_by_token(tx, "h"),
    "agent seen": lambda tx: agents.touch_agent(tx, 1, NOW),
    "letters due": lambda tx: outbox.take_due(tx, ["status"], NOW, lease_until=NOW),
    "next letter": lambda tx: outbox.next_due(tx, ["status"]),
    "letter promised": lambda tx: outbox.append_letter(tx, "status", "s", {}, now=NOW),
    "letter done": lambda tx: outbox.finish_letter(tx, LETTER),
    "letters hastened": lambda tx: outbox.hasten_letters(tx, "status", "s", now=NOW),
    "letter postponed": lambda tx: outbox.postpone_letter(tx, LETTER, due_at=NOW, error="away"),
    "timers due": lambda tx: timers.take_due(tx, NOW),
    "next timer": timers.next_due,
    "timers cancelled": lambda tx: timers.cancel_timers(tx, "w"),
    "timer set": lambda tx: timers.set_timer(tx, "limit", "w", due_at=NOW),
    "context by name": lambda tx: contexts.find_context(tx, 1, "deploy"),
    "number of contexts": lambda tx: contexts.count_contexts(tx, 1),
    "number of variables": lambda tx: variables.count_variables(tx, variables.of_project(1)),
    "variable by name": lambda tx: variables.has_variable(tx, variables.of_project(1), "A"),
    "variables": lambda tx: variables.open_variables(tx, SEALER, variables.of_context(1)),
    "people group by uuid": lambda tx: people_groups.group_by_uuid(tx, "u"),
    "people group by name": lambda tx: people_groups.find_group(tx, 1, "deployers"),
    "people groups": lambda tx: people_groups.list_groups(tx, 1, after=3),
    "number of people groups": lambda tx: people_groups.count_groups(tx, 1),
    "names of people groups": lambda tx: people_groups.name_groups(tx, 1, ["u", "v"]),
    "people in a group": lambda tx: people_groups.members_of(tx, 1, after=3),
    "in a group": lambda tx: people_groups.is_in_any(tx, 1, 1, ["u", "v"]),
    "restrictions by context": lambda tx: restrictions.restrictions_by_name(tx, 1, ["deploy"]),
    "names of projects": lambda tx: projects.name_projects(tx, 1, ["u", "v"]),
    "organization by uuid": lambda tx: projects.organization_by_uuid(tx, "u"),
    "organizations": lambda tx: projects.list_organizations(tx, after="gh/a"),
    "some organizations": lambda tx: projects.list_organizations(tx, ids={1, 2}),
    "organization locked": lambda tx: projects.lock_organization(tx, 1),
    "projects": lambda tx: projects.list_projects(tx, after="gh/a"),
    "projects of an organization": lambda tx: projects.list_projects(tx, organization_id=1, after="gh/a"),
    "project locked": lambda tx: projects.lock_project(tx, 1),
    "project marked": lambda tx: removal.mark_project(tx, 1, now=NOW),
    "organization marked": lambda tx: removal.mark_organization(tx, 1, now=NOW),
    "marked projects": removal.marked_projects,
    "marked organizations": removal.marked_organizations,
    "ended pipelines": lambda tx: removal.ended_pipelines(tx, 1, limit=5),
    "blobs of pipelines": lambda tx: removal.blobs_of(tx, [1, 2]),
    "pipelines gone": lambda tx: removal.delete_pipelines(tx, [1, 2]),
    "caches to go": lambda tx: removal.cache_blobs(tx, 1, limit=5),
    "caches gone": lambda tx: removal.delete_caches(tx, 1, ["b"]),
    "project gone": lambda tx: removal.delete_project(tx, 2),
    "organization gone": lambda tx: removal.delete_organization(tx, 2),
    "cache by blob": lambda tx: caches.holds_blob(tx, 1, "", "b"),
    "token": lambda tx: tokens.find_bearer(tx, "h"),
    "token used": lambda tx: tokens.note_use(tx, 1, NOW),
    "token by uuid": lambda tx: tokens.token_by_uuid(tx, "u"),
    "token revoked": lambda tx: tokens.revoke_token(tx, 1, now=NOW),
    "tokens of a user": lambda tx: tokens.tokens_of(tx, 1, after=3),
    "user by login": lambda tx: users.user_by_login(tx, "Ada"),
    "user by uuid": lambda tx: users.user_by_uuid(tx, "u"),
    "user locked": lambda tx: users.lock_user(tx, 1),
    "users": lambda tx: users.list_users(tx, after=3),
    "roles of a user": lambda tx: memberships.roles_of(tx, 1),
    "role": lambda tx: memberships.role_in(tx, 1, 1),
    "role set": lambda tx: memberships.set_member(tx, MEMBER),
    "members": lambda tx: memberships.members_of(tx, 1, after=3),
    "other owners": lambda tx: memberships.has_owner_beside(tx, 1, 1),
    "member gone": lambda tx: memberships.remove_member(tx, 1, 1),
    "followed": lambda tx: follows.followed_projects(tx, 1, after=3),
    "follow": lambda tx: follows.follow_project(tx, 1, 1, now=NOW),
    "unfollow": lambda tx: follows.unfollow_project(tx, 1, 1),
    "audit log": lambda tx: audit.list_entries(tx, before=9),
    "audit log of an organization": lambda tx: audit.list_entries(tx, organization="o", before=9),
    "delivery": lambda tx: deliveries.remember_delivery(tx, "gh", "d", now=NOW),
    "deliveries forgotten": lambda tx: deliveries.forget_deliveries(tx, NOW + 1),
    "old deliveries": lambda tx: deliveries.has_older(tx, NOW),
    "group by name": lambda tx: agent_groups.group_by_name(tx, "acme/linux"),
    "group by uuid": lambda tx: agent_groups.group_by_uuid(tx, "u"),
    "groups among labels": lambda tx: agent_groups.names_among(tx, ["a", "b"]),
    "tokens of a user in a project": lambda tx: tokens.tokens_of(tx, 1, organization_id=1, project_id=1),
    "groups": lambda tx: agent_groups.list_groups(tx, 1, after="a"),
    "groups of the server": lambda tx: agent_groups.list_groups(tx, None, after="a"),
    "token to join": lambda tx: agent_groups.find_entrance(tx, "h"),
    "token to join used": lambda tx: agent_groups.note_entrance(tx, 1, NOW),
    "tokens to join": lambda tx: agent_groups.agent_tokens_of(tx, 1, after=3),
    "token to join gone": lambda tx: agent_groups.delete_agent_token(tx, 1, "u"),
    "group gone": lambda tx: agent_groups.delete_group(tx, 1),
    "agents of a group": lambda tx: agents.agents_of(tx, 1, after=3),
    "silent agents": lambda tx: agents.has_silent(tx, NOW),
    "agents silent": lambda tx: agents.mark_silent(tx, NOW),
    "agents long gone": lambda tx: agents.has_gone(tx, NOW),
    "agents forgotten": lambda tx: agents.delete_gone(tx, NOW),
    "restrictions": lambda tx: restrictions.restrictions_of(tx, 1),
    "restriction by uuid": lambda tx: restrictions.restriction_by_uuid(tx, "u"),
    "secrets": lambda tx: secrets.open_secrets(tx, SEALER, "project/1", "hook/"),
    "follow-ups": lambda tx: followups.followups_of(tx, 1),
    "follow-up to a workflow": lambda tx: followups.followup_to(tx, "u"),
    "follow-ups of a pipeline": lambda tx: followups.targets_in(tx, 1),
    "continuation key": lambda tx: continuations.find_key(tx, "k"),
    "continuation of a pipeline": lambda tx: continuations.find_use(tx, 1),
    "layers copied": lambda tx: workspaces.copy_layers(tx, "v", "w", ["a"]),
    "tasks of blobs": lambda tx: retention.find_owners(tx, ["u"]),
    "blobs of tasks": lambda tx: retention.named_blobs(tx, [OF_BLOB]),
    "pipeline removed": lambda tx: retention.remove_pipeline(tx, 1),
    "follow-up started": lambda tx: followups.start_followup(tx, 1, actor="a", now=NOW),
}


@pytest.fixture(scope="module", params=KINDS)
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all questions, with a few rows; no question leaves anything behind."""
    with fresh_url(request, tmp_path_factory.mktemp("plans")) as url:
        database = Database.open(url)
        fill_tables(database)
        yield database
        database.close()


def fill_tables(db: Database) -> None:
    with db.write() as tx:
        made = add_jobs(tx, "ab")
        for job, labels in zip(made, (["x"], ["y"]), strict=True):
            add_tasks(tx, 2, labels=labels, job=job)
        users.add_user(tx, users.Profile(login="ada"), now=NOW)
        followups.insert_followup(tx, 1, "deploy", status=FollowUpStatus.HELD, now=NOW)
        assert made[0].workflow_id == made[0].project_id == 1


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_by_an_index(prepared: Database, question: str) -> None:
    plans = plans_of(prepared, QUESTIONS[question])
    assert plans
    assert [line for plan in plans for line in walks_of(plan)] == []


def test_claiming_neither_sorts_nor_walks(prepared: Database) -> None:
    plans = plans_of(prepared, QUESTIONS["claim"])
    chosen = [plan for plan in plans if "tasks_queued" in plan]
    assert len(chosen) >= 3  # the keys, the heads of each, the tasks taken
    assert [plan for plan in chosen if "Sort" in plan or "ORDER BY" in plan] == []


def test_a_cache_prefix_is_one_range_of_the_index(prepared: Database) -> None:
    [plan] = plans_of(prepared, QUESTIONS["cache by prefix"])
    if prepared.is_sqlite:
        assert "(project_id=? AND scope=? AND key>? AND key<?)" in plan
    else:
        assert re.search(r"Index Cond:.*key >= .*key < ", plan)


def claim_seconds(db: Database, count: int) -> float:
    begun = time.perf_counter()
    with db.write() as tx:
        for _ in range(count):
            queue.claim_tasks(tx, 1, ["x"], limit=1, lease_until=NOW)
    return (time.perf_counter() - begun) / count


def test_claiming_costs_the_same_however_many_tasks_wait_or_are_done(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        assert project.id == 1
        few, many = add_jobs(tx, "ab")
        add_tasks(tx, 60, labels=["x"], job=few)
    claim_seconds(db, 5)
    before = min(claim_seconds(db, 10) for _ in range(3))
    with db.write() as tx:
        tasks.insert_tasks(tx, [a_task(many.id, index) for index in range(6000)], labels=["x"], priority=40)
        change = "UPDATE tasks SET status = 'success', lease_until = NULL WHERE id % 2 = 0"
        tx.exec_driver_sql(change if db.is_sqlite else change.replace("%", "%%"))
        tasks.insert_tasks(tx, [a_task(few.id, index, 2) for index in range(2000)], labels=["y"], priority=99)
        if not db.is_sqlite:
            tx.exec_driver_sql("ANALYZE tasks")
    claim_seconds(db, 5)
    after = min(claim_seconds(db, 10) for _ in range(3))
    assert after < before * 4 + 0.002


def test_a_row_finds_those_that_go_away_with_it_by_an_index() -> None:
    references = {
        (table.name, constraint.column_keys[0])
        for table in metadata.tables.values()
        for constraint in table.foreign_key_constraints
    }
    assert references <= set(first_columns())


def first_columns() -> Iterator[tuple[str, str]]:
    """The column by which each index of each table is sorted first."""
    for table in metadata.tables.values():
        for index in table.indexes:
            yield table.name, index.columns[0].name
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint):
                yield table.name, constraint.columns[0].name
