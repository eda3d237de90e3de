"""The schema: made straight away, migrated, or refused; always the same one."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from penstock.model.agent import AgentState
from penstock.model.errors import RefusedError, UnavailableError
from penstock.model.output import TestCase, TestOutcome
from penstock.plan.executor import Executor, ExecutorKind
from penstock.plan.plan import encode
from penstock.plan.workflow import JobPlan
from penstock.store import agents, projects, usage
from penstock.store import database as opening
from penstock.store.database import Database, parse_url
from penstock.store.migrations.run import newest_version, run_migrations
from penstock.store.packing import pack
from penstock.store.restrictions import EVERYONE, restrictions_by_name
from penstock.store.test_results import ReportSet, cases_of, save_cases
from penstock.store.upgrade import HEAD, create_schema, migrate, read_version
from tests.support.records import add_jobs, add_organization

pytestmark = pytest.mark.bare_database

SQLITE_FACTS = (
    """SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk
    FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table'""",
    """SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL""",
    """SELECT m.name, i."unique", i.origin, (SELECT group_concat(x.name) FROM pragma_index_info(i.name) x)
    FROM sqlite_master m, pragma_index_list(m.name) i WHERE m.type = 'table'""",
    """SELECT m.name, f."table", f."from", f."to", f.on_delete
    FROM sqlite_master m, pragma_foreign_key_list(m.name) f""",
    """SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'""",
)
POSTGRES_FACTS = (
    """SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name, is_identity
    FROM information_schema.columns WHERE table_schema = 'public'""",
    """SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'""",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
)


OWNERS = (
    "INSERT INTO organizations (uuid, slug, name, created_at) VALUES ('o', 'gh/acme', 'acme', 1)",
    """INSERT INTO projects (uuid, organization_id, slug, name, url, default_branch, created_at)
    VALUES ('p', 1, 'gh/acme/app', 'app', 'u', 'main', 1)""",
)
RUNS: tuple[tuple[str, list[dict[str, object]]], ...] = (
    (
        """INSERT INTO pipelines (uuid, project_id, number, status, created_at, updated_at, trigger, actor,
        branch, revision, language, parameters, labels) VALUES (:uuid, 1, :number, 'created', :now, :now,
        'api', 'ada', 'main', '{}', 'circleci', '{}', :labels)""",
        [
            {"uuid": "l1", "number": 1, "labels": "{}"},
            {"uuid": "l2", "number": 2, "labels": '{"local.source":"/x"}'},
        ],
    ),
    (
        """INSERT INTO workflows (uuid, pipeline_id, project_id, key, name, status, reason, created_at,
        stopped_at, workspace) VALUES (:uuid, :pipeline, 1, 'main', 'main', 'ok', '', :now, :now, 'x')""",
        [{"uuid": "w1", "pipeline": 1}, {"uuid": "w2", "pipeline": 2}],
    ),
    (
        """INSERT INTO jobs (uuid, workflow_id, project_id, number, key, name, kind, status, reason, attempt,
        parallelism, created_at, queued_at, started_at, stopped_at) VALUES (:name, :workflow, 1, :number,
        :name, :name, 'build', 'ok', '', 1, 1, :now, :now - 20, :now + :begun, :now + :ended)""",
        [
            {"number": 1, "name": "ended", "workflow": 1, "begun": -10, "ended": 0},
            {"number": 2, "name": "running", "workflow": 1, "begun": 0, "ended": None},
            {"number": 3, "name": "canceled", "workflow": 1, "begun": None, "ended": 0},
            {"number": 4, "name": "local", "workflow": 2, "begun": 0, "ended": 0},
        ],
    ),
    (
        """INSERT INTO tasks (uuid, job_id, "index", attempt, status, reason, queued_at, started_at,
        stopped_at, priority, queue_key) VALUES ('t', 1, 0, 1, 'ok', '', :now, :now - 9, :now, 1, '')""",
        [{}],
    ),
)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A transaction of a database as it is, committed at the end; it covers changes of the schema too."""
    parsed = parse_url(url)
    manual = {"isolation_level": None} if parsed.get_backend_name() == "sqlite" else {}
    engine = create_engine(parsed, connect_args=manual)
    try:
        with engine.begin() as connection:
            if manual:
                connection.exec_driver_sql("BEGIN")
            yield connection
    finally:
        engine.dispose()


def describe(connection: Connection) -> list[list[tuple[object, ...]]]:
    """Everything the database knows about its tables, in a certain order."""
    facts = SQLITE_FACTS if connection.dialect.name == "sqlite" else POSTGRES_FACTS
    found = ([tuple(row) for row in connection.execute(text(fact))] for fact in facts)
    return [sorted((row for row in rows if row[0] != "alembic_version"), key=repr) for rows in found]


def test_migrations_make_the_same_schema_as_the_metadata(url: str) -> None:
    with connected(url) as connection:
        create_schema(connection)
        made = describe(connection)
        connection.rollback()
    with connected(url) as connection:
        assert describe(connection) != made
        migrate(connection, HEAD)
        for migrated, direct in zip(describe(connection), made, strict=True):
            assert set(migrated) ^ set(direct) == set()


def test_what_an_older_database_holds_is_kept(url: str) -> None:
    with connected(url) as connection:
        run_migrations(connection, "0001")
        owner = "INSERT INTO organizations (uuid, slug, name, created_at) VALUES ('o', 'gh/acme', 'acme', 1)"
        connection.execute(text(owner))
        project = """INSERT INTO projects
            (uuid, organization_id, slug, name, url, default_branch, created_at, settings)
            VALUES ('p', 1, 'gh/acme/app', 'app', '', 'main', 1, '{"oss": true}')"""
        connection.execute(text(project))
        agent = """INSERT INTO agents (uuid, name, labels, slots, created_at, seen_at, disabled)
            VALUES ('a', 'box', '[]', 1, 1, 1, false)"""
        connection.execute(text(agent))
    with closing(Database.open(url)) as database, database.read() as tx:
        found = projects.find_project(tx, "gh/acme/app")
        assert found is not None
        assert projects.list_projects(tx, organization_id=found.organization_id) == [found]
        assert projects.load_settings(tx, found.id) == {"oss": True}
        [agent_found] = agents.list_agents(tx)
        assert (agent_found.state, agent_found.group_id, agent_found.version) == (AgentState.ONLINE, None, "")


def test_a_database_of_the_first_version_is_brought_up_with_what_it_holds(url: str) -> None:
    with connected(url) as connection:
        run_migrations(connection, "0001")
        connection.execute(
            text("INSERT INTO organizations (uuid, slug, name, created_at) VALUES ('u', 's', 'n', 1)")
        )
    with closing(Database.open(url)) as database, database.write() as tx:
        assert [each.slug for each in projects.list_organizations(tx)] == ["s"]
        job = add_jobs(tx, "a")[0]
        place = ReportSet(project_id=job.project_id, job_name="a", job_id=job.id, task_index=0, now=1)
        save_cases(tx, place, [TestCase(name="t", result=TestOutcome.SUCCESS)])
        assert len(cases_of(tx, job.id, attempt=1)) == 1


def test_contexts_of_an_older_database_keep_their_meaning(url: str) -> None:
    with connected(url) as connection:
        run_migrations(connection, "0007")
        connection.execute(
            text(
                "INSERT INTO organizations (uuid, slug, name, created_at) VALUES ('o', 'gh/acme', 'acme', 1)"
            )
        )
        for name in ("open", "rule", "group"):
            context = """INSERT INTO contexts (uuid, organization_id, name, created_at)
                VALUES (:name, 1, :name, 1)"""
            connection.execute(text(context), {"name": name})
        for number, (context_id, kind) in enumerate(((2, "expression"), (3, "group"), (3, "project"))):
            restriction = """INSERT INTO context_restrictions (uuid, context_id, kind, value, created_at)
                VALUES (:uuid, :context, :kind, 'x', 1)"""
            values = {"uuid": f"r{number}", "context": context_id, "kind": kind}
            connection.execute(text(restriction), values)
    with closing(Database.open(url)) as database, database.read() as tx:
        found = restrictions_by_name(tx, 1, ["open", "rule", "group"])
    kinds = {name: [(each.kind.value, each.value) for each in every] for name, every in found.items()}
    assert kinds == {
        "open": [("group", EVERYONE)],
        "rule": [("expression", "x"), ("group", EVERYONE)],
        "group": [("group", "x"), ("project", "x")],
    }


def test_what_jobs_used_before_is_known_after_the_upgrade(url: str) -> None:
    now = int(time.time() * 1000)
    docker = pack(encode(JobPlan(name="a", executor=Executor(kind=ExecutorKind.DOCKER, resource_class="xl"))))
    with connected(url) as connection:
        run_migrations(connection, "0013")
        for owner in OWNERS:
            connection.execute(text(owner))
        for statement, every in RUNS:
            for values in every:
                connection.execute(text(statement), {"now": now} | values)
        for job_id in (1, 2, 3, 4):
            plan = {"id": job_id, "plan": docker if job_id == 1 else pack(encode(JobPlan(name="b")))}
            connection.execute(text("INSERT INTO job_plans (job_id, plan) VALUES (:id, :plan)"), plan)
    with closing(Database.open(url)) as database, database.read() as tx:
        rows = usage.read_page(tx, 1, after=(0, 0), until=now, limit=10)
    assert [(row.name, row.executor, row.resource_class, row.worked) for row in rows] == [
        ("ended", "docker", "xl", 9)
    ]  # and none of what runs still, never ran, or was a command's own
    assert (rows[0].project_name, rows[0].workflow_queued_at, rows[0].workflow_status) == (
        "app",
        now - 20,
        "ok",
    )


def test_the_known_version_is_the_last_migration() -> None:
    assert newest_version() == HEAD


def test_a_migrated_database_opens_without_more_ado(url: str) -> None:
    with connected(url) as connection:
        run_migrations(connection, "head")
    Database.open(url).close()


def test_opening_again_keeps_what_is_there(url: str) -> None:
    first = Database.open(url)
    with first.write() as tx:
        made = add_organization(tx)
    first.close()
    second = Database.open(url)
    with second.read() as tx:
        assert projects.list_organizations(tx) == [made]
    second.close()


def test_an_older_database_is_migrated(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Database.open(url).close()
    asked: list[str] = []
    monkeypatch.setattr("penstock.store.upgrade.HEAD", "0998")
    monkeypatch.setattr("penstock.store.upgrade.migrate", lambda _tx, target: asked.append(target))
    Database.open(url).close()
    assert asked == ["0998"]


def test_a_newer_database_is_refused(url: str) -> None:
    Database.open(url).close()
    with connected(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(RefusedError, match=r"newer penstock .*0999"):
        Database.open(url)


def test_a_database_of_another_program_is_refused(url: str) -> None:
    with connected(url) as connection:
        connection.execute(text("CREATE TABLE theirs (id integer)"))
    with pytest.raises(RefusedError, match="did not make"):
        Database.open(url)


def test_two_processes_may_open_a_fresh_database_at_once(url: str) -> None:
    code = f"from penstock.store.database import Database; Database.open({url!r}).close()"
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0, 0, 0, 0]


def test_several_processes_may_upgrade_an_older_database_at_once(url: str) -> None:
    with connected(url) as connection:
        run_migrations(connection, "0001")
    code = f"from penstock.store.database import Database; Database.open({url!r}).close()"
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    with connected(url) as connection:
        assert read_version(connection) == HEAD


def test_opening_imports_nothing_that_is_not_needed_yet(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from penstock.store.database import Database\n"
        f"Database.open({str(tmp_path / 'x.db')!r}).close()\n"
        "late = ['alembic', 'psycopg', 'cryptography', 'obstore', 'sqlalchemy.dialects.postgresql']\n"
        "print([name for name in late if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, not a database\n" * 100)
    with pytest.raises(UnavailableError, match="not a SQLite database"):
        Database.open(str(path))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="nowhere"):
        Database.open(str(tmp_path / "nowhere" / "x.db"))


def test_only_the_owner_may_read_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    Database.open(str(path)).close()
    assert path.stat().st_mode & 0o077 == 0
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_database_server_that_does_not_answer_is_unavailable() -> None:
    assert opening.IDLE_SECONDS > 0
    with pytest.raises(UnavailableError, match="does not answer"):
        Database.open("postgresql://nobody@127.0.0.1:1/none")
