"""Exports of usage are made once, whole, and from flat memory, whoever dies over it."""

import csv
import gzip
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from penstock.api.circleci.platform.usage_csv import UsageTable
from penstock.engine import usage_desk
from penstock.engine.deliver import deliver_letters
from penstock.engine.principal import SERVER
from penstock.engine.removal import sweep
from penstock.engine.retention import expire_pipelines
from penstock.engine.usage_desk import About, UsageDesk, sweep_usage
from penstock.engine.usage_exports import DAY, KEPT, USAGE, Wish, create_export
from penstock.kit.ids import new_id
from penstock.model.errors import UnavailableError
from penstock.model.project import Organization
from penstock.model.status import JobStatus, TaskStatus
from penstock.store import outbox, projects, removal, usage, usage_exports
from penstock.store.outbox import Letter
from penstock.store.usage import UsageRow
from penstock.store.usage_exports import Export, ExportState
from tests.support.lab import LAPSE, Lab
from tests.support.processes import wait_until
from tests.support.usage_records import usage_run

LEASE = 60_000
RUNS, SMALL = 6000, 40_000
DYING = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from penstock.api.circleci.platform.usage_csv import UsageTable
from tests.support.lab import Lab
from tests.support.clocks import HandClock
from tests.contract.engine.test_usage import make

class Stuck(UsageTable):
    def show(self, rows, about):
        Path({sign!r}).touch()
        time.sleep(60)

make(Lab({url!r}, Path({folder!r}), clock=HandClock({now})), Stuck())
"""


class Broken(UsageTable):
    """A table that cannot be written; how often it was tried."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.tries = 0
        self._error = error

    def show(self, rows: Sequence[UsageRow], about: About) -> bytes:  # noqa: ARG002 - the signature is that of a table
        self.tries += 1
        raise self._error


class Counting(UsageTable):
    """A table that calls something for each page."""

    def __init__(self, call: "threading.Barrier | Lab") -> None:
        super().__init__()
        self.pages = 0
        self._call = call

    def show(self, rows: Sequence[UsageRow], about: About) -> bytes:
        self.pages += 1
        if isinstance(self._call, Lab):
            self._call.clock.advance(usage_desk.RENEWAL + 1)
        else:
            self._call.wait(20)
        return super().show(rows, about)


def make(lab: Lab, table: UsageTable | None = None) -> int | None:
    """What is due is made, as by the loop of a server."""
    desk = UsageDesk(table or UsageTable())
    return deliver_letters(lab.parts, {USAGE: desk.deliver}, most=1, lease=LEASE)


def owner_of(lab: Lab) -> Organization:
    with lab.parts.db.read() as tx:
        found = projects.find_organization(tx, "gh/acme")
    assert found is not None
    return found


def ask(lab: Lab) -> str:
    now = lab.clock.now()
    return create_export(lab.parts, SERVER, owner_of(lab), Wish(start=now - 5 * DAY, end=now)).uuid


def find(lab: Lab, uuid: str) -> Export:
    with lab.parts.db.read() as tx:
        found = usage_exports.export_by_uuid(tx, uuid)
    assert found is not None
    return found


def blobs_of(lab: Lab) -> list[str]:
    return sorted(name for name, _ in lab.parts.blobs.list("usage"))


def rows_of(lab: Lab, uuid: str) -> list[dict[str, str]]:
    export = find(lab, uuid)
    assert export.state is ExportState.COMPLETED, export
    assert blobs_of(lab) == sorted(part.blob for part in export.parts)
    every = []
    for part in export.parts:
        data = lab.parts.blobs.read(part.blob)
        assert len(data) == part.size
        every += list(csv.DictReader(io.StringIO(gzip.decompress(data).decode(), newline="")))
    return every


def run_jobs(lab: Lab, count: int = 1) -> None:
    agent = lab.agent()
    for _ in range(count):
        lab.run({"a": None})
        agent.work()


def make_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages and files are small, as far as zlib does not keep back what it was given."""
    monkeypatch.setattr(usage_desk, "PAGE", 500)
    monkeypatch.setattr(usage_desk, "MOST_BYTES", SMALL)


def add_runs(lab: Lab) -> None:
    """Many runs of one workflow."""
    run_jobs(lab)
    owner = owner_of(lab).id
    with lab.parts.db.write() as tx:
        [row] = usage.read_page(tx, owner, after=(0, 0), until=1 << 60, limit=9)
        for number in range(RUNS - 1):
            begun = {"started_at": row.started_at, "stopped_at": row.stopped_at}
            mine = {"organization_id": owner, "workflow_id": row.workflow_id, "number": number}
            run = usage_run(**mine, **begun, job=new_id(), name=f"job {new_id()}")
            usage.note_run(tx, run)


def test_an_export_without_runs_has_a_file_with_a_head(lab: Lab) -> None:
    lab.run({"a": None})
    uuid = ask(lab)
    make(lab)
    assert rows_of(lab, uuid) == []
    assert len(find(lab, uuid).parts) == 1


def test_files_are_begun_anew_when_one_is_large_enough(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)
    add_runs(lab)
    uuid = ask(lab)
    make(lab)
    rows = rows_of(lab, uuid)
    assert len(rows) == len({row["JOB_ID"] for row in rows}) == RUNS
    sizes = [part.size for part in find(lab, uuid).parts]
    assert len(sizes) > 2
    assert max(sizes) < 2 * SMALL


def test_several_servers_make_an_export_once(lab: Lab) -> None:
    run_jobs(lab)
    uuid = ask(lab)
    threads = [threading.Thread(target=make, args=(lab,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(rows_of(lab, uuid)) == 1
    assert find(lab, uuid).attempt == 1


def test_a_server_that_was_taken_for_dead_leaves_nothing(lab: Lab) -> None:
    run_jobs(lab)
    uuid = ask(lab)
    barrier = threading.Barrier(2)
    slow = threading.Thread(target=make, args=(lab, Counting(barrier)))
    slow.start()
    wait_until(lambda: find(lab, uuid).state is ExportState.PROCESSING, what="the first one is at it")
    wait_until(lambda: barrier.n_waiting == 1, what="it is stuck")
    lab.clock.advance(LEASE / 1000 + 1)
    make(lab)
    assert len(rows_of(lab, uuid)) == 1
    barrier.wait(20)
    slow.join(20)
    export = find(lab, uuid)
    assert (export.state, export.attempt) == (ExportState.COMPLETED, 2)
    assert len(rows_of(lab, uuid)) == 1
    with lab.parts.db.read() as tx:
        assert outbox.next_due(tx, [USAGE]) is None


def test_who_is_at_work_says_so(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_desk, "PAGE", 1)
    run_jobs(lab, 12)  # at eleven seconds a page, longer than the lease
    uuid = ask(lab)
    table = Counting(lab)
    kept: list[int | None] = []
    inner = outbox.keep_letter

    def keep(tx: object, letter: Letter, *, until: int) -> bool:
        kept.append(until)
        return inner(tx, letter, until=until)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr(outbox, "keep_letter", keep)
    make(lab, table)
    assert table.pages == 12
    assert len(kept) >= 10
    assert len(rows_of(lab, uuid)) == 12


def test_a_killed_server_leaves_nothing_that_is_given_away(url: str, tmp_path: Path) -> None:
    lab = Lab(url, tmp_path)
    try:
        run_jobs(lab)
        uuid, sign = ask(lab), tmp_path / "sign"
        script = DYING.format(
            path=sys.path, sign=str(sign), url=url, folder=str(tmp_path), now=lab.clock.now()
        )
        dying = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[3])
        wait_until(lambda: sign.exists() or dying.poll() is not None, seconds=30, what="it is at work")
        os.kill(dying.pid, signal.SIGKILL)
        dying.wait()
        export = find(lab, uuid)
        assert (export.state, export.parts) == (ExportState.PROCESSING, ())
        make(lab)
        assert find(lab, uuid).state is ExportState.PROCESSING  # its lease has not ended
        lab.clock.advance(LEASE / 1000 + 1)
        make(lab)
        assert len(rows_of(lab, uuid)) == 1
    finally:
        lab.close()


def test_an_export_that_cannot_be_made_fails_with_the_reason(lab: Lab) -> None:
    run_jobs(lab)
    uuid = ask(lab)
    table = Broken(UnavailableError("the disk is full"))
    for _ in range(usage_desk.MOST_TRIES + 1):
        make(lab, table)
        lab.clock.advance(3600)
    export = find(lab, uuid)
    assert (export.state, table.tries) == (ExportState.FAILED, usage_desk.MOST_TRIES)
    assert "the disk is full" in export.error
    assert blobs_of(lab) == []
    assert make(lab) is None


def test_a_fault_of_ours_is_no_half_export(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)
    add_runs(lab)
    uuid = ask(lab)
    left: list[int] = []

    class Weak(UsageTable):
        def show(self, rows: Sequence[UsageRow], about: About) -> bytes:
            if len(blobs_of(lab)) == 2:
                left.append(2)
                raise ZeroDivisionError
            return super().show(rows, about)

    make(lab, Weak())
    assert left == [2]
    assert find(lab, uuid).state is ExportState.PROCESSING
    assert blobs_of(lab) == []
    lab.clock.advance(3600)
    make(lab)
    assert len(rows_of(lab, uuid)) == RUNS


def test_runs_stay_when_their_pipelines_go_while_an_export_is_made(lab: Lab) -> None:
    run_jobs(lab, 2)
    uuid = ask(lab)
    lab.clock.advance(60)
    assert expire_pipelines(lab.parts, before=lab.clock.now()) == 2
    make(lab)
    assert len(rows_of(lab, uuid)) == 2


def test_where_nothing_was_exported_nothing_is_swept(lab: Lab) -> None:
    sweep_usage(lab.parts)
    assert blobs_of(lab) == []


def test_what_is_old_is_swept_away(lab: Lab) -> None:
    run_jobs(lab, 2)
    uuid = ask(lab)
    make(lab)
    lab.parts.blobs.put("usage/01a1ffde-0000-7000-8000-000000000000/1-1.csv.gz", [b"left by a killed server"])
    sweep_usage(lab.parts)
    assert len(rows_of(lab, uuid)) == 2
    lab.clock.advance(usage_desk.SHELF / 1000 + 1)
    sweep_usage(lab.parts)
    assert blobs_of(lab) == []
    with lab.parts.db.read() as tx:
        assert usage_exports.export_by_uuid(tx, uuid) is None
        assert len(usage.read_page(tx, owner_of(lab).id, after=(0, 0), until=1 << 60, limit=9)) == 2
    lab.clock.advance(KEPT / 1000)
    sweep_usage(lab.parts)
    with lab.parts.db.read() as tx:
        assert usage.read_page(tx, owner_of(lab).id, after=(0, 0), until=1 << 60, limit=9) == []
        assert usage.last_ends(tx, owner_of(lab).id) == {}
    assert expire_pipelines(lab.parts, before=lab.clock.now()) == 2  # which would be gone by then


def test_an_organization_that_goes_takes_its_usage_along(lab: Lab) -> None:
    run_jobs(lab)
    uuid, owner = ask(lab), owner_of(lab)
    make(lab)
    later = ask(lab)
    assert find(lab, later).state is ExportState.CREATED
    with lab.parts.db.write() as tx:
        removal.mark_organization(tx, owner.id, now=lab.clock.now())
    while sweep(lab.parts):
        pass
    sweep(lab.parts)
    with lab.parts.db.read() as tx:
        assert projects.get_organization(tx, owner.id) is None
        assert usage_exports.export_by_uuid(tx, uuid) is None
    assert make(lab) is None
    sweep_usage(lab.parts)
    assert blobs_of(lab) == []


def test_a_job_that_was_lost_before_its_first_step_has_one_run(lab: Lab) -> None:
    lab.run({"a": None})
    first, second = lab.agent(), lab.agent()
    first.take()
    lab.pass_time(LAPSE)
    second.work()
    uuid = ask(lab)
    make(lab)
    [row] = rows_of(lab, uuid)
    assert row["JOB_BUILD_STATUS"] == JobStatus.SUCCESS


def test_each_attempt_of_a_job_has_a_run(lab: Lab) -> None:
    lab.run({"a": {"retry": {"attempts": 2}}})
    agent = lab.agent()
    agent.work(TaskStatus.FAILED)
    agent.work()
    uuid = ask(lab)
    make(lab)
    rows = rows_of(lab, uuid)
    assert [row["JOB_BUILD_STATUS"] for row in rows] == ["failed", "success"]
    assert len({row["JOB_ID"] for row in rows}) == 1


def test_an_agent_that_was_lost_at_work_leaves_a_run(lab: Lab) -> None:
    lab.run({"a": {"rescue": {"attempts": 1}}})
    agent = lab.agent()
    agent.begin(agent.take())
    lab.pass_time(LAPSE)
    uuid = ask(lab)
    make(lab)
    [row] = rows_of(lab, uuid)
    assert row["JOB_BUILD_STATUS"] == "infrastructure_fail"
    assert int(row["JOB_RUN_SECONDS"]) >= LAPSE - 1
