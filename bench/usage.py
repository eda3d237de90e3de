"""How fast what 200,000 runs of jobs used is exported, and how much memory that takes."""

import csv
import gzip
import io
import random
import subprocess
import sys
import time
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import msgspec

from bench.figure import Figure
from penstock.api.circleci.platform.usage_csv import UsageTable
from penstock.engine.deliver import deliver_letters
from penstock.engine.feed import Feed
from penstock.engine.memory import Memory
from penstock.engine.signal import Signal
from penstock.engine.unit import Parts
from penstock.engine.usage_desk import LEASE, UsageDesk
from penstock.engine.usage_exports import USAGE
from penstock.engine.variables import GivenVariables
from penstock.kit.clock import SystemClock
from penstock.store import outbox, projects, rows, usage_exports
from penstock.store.blobs import Blobs
from penstock.store.database import Database
from penstock.store.schema import usage_runs, usage_workflows
from penstock.store.usage_exports import Export, ExportState

RUNS = 200_000
FEWER = 50_000
_PAGE = 2_000
JOBS = 5
DAY = 86_400_000
BEGIN = 1_750_000_000_000
_LEVEL = 3


class Took(msgspec.Struct):
    """What making an export took: seconds of CPU and of the clock, MiB at most."""

    cpu: float
    wall: float
    memory: float


def run() -> list[Figure]:
    """Seconds of the clock, CPU beside csv and gzip alone, and how much memory grows with the runs."""
    with TemporaryDirectory(prefix="penstock-bench-") as folder:
        home = Path(folder)
        for name, count in (("few", FEWER), ("many", RUNS)):
            run_here(f"fill({str(home / name)!r}, {count})")
        few, many = make(home / "few"), make(home / "many")
        floor = measure_floor(next((home / "many/blobs").rglob("*.gz")))
    return [
        Figure(
            what=f"usage export of {RUNS:,} runs of jobs: seconds",
            measured=f"{many.wall:.1f} s",
            floor=f"{floor:.1f} s of CPU for csv and gzip of the same rows from memory",
            value=many.wall,
            limit=10,
            unit="s",
        ),
        Figure(
            what="the same: CPU",
            measured=f"{many.cpu:.1f} s",
            floor=f"{floor:.1f} s",
            value=many.cpu / floor,
            limit=4,
            unit="x",
        ),
        Figure(
            what="the same: largest memory of the process",
            measured=f"{many.memory:.0f} MiB",
            floor=f"{few.memory:.0f} MiB for {FEWER:,} runs",
            value=many.memory - few.memory,
            limit=30,
            unit="MiB",
        ),
    ]


def run_here(call: str) -> bytes:
    """What a call of this module writes, made in a process that has its memory to itself."""
    script = f"import bench.usage as b; b.{call}"
    return subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True).stdout


def fill(folder: str, count: int) -> None:
    """A database with so many runs, and an export of all of them that is asked for."""
    Path(folder).mkdir()
    db = Database.open(f"{folder}/penstock.db")
    dice = random.Random(7)  # noqa: S311 - the same rows in every run of the bench
    with db.write() as tx:
        owner = projects.ensure_organization(tx, "gh/acme", name="acme", now=BEGIN)
        workflows = [make_workflow(owner.id, number, dice) for number in range(count // JOBS)]
        rows.insert_rows(tx, usage_workflows, workflows)
        rows.insert_rows(tx, usage_runs, [make_run(owner.id, number, dice) for number in range(count)])
        export = Export(
            id=0,
            uuid="00000000-0000-4000-8000-000000000000",
            organization_id=owner.id,
            organizations=(owner.id,),
            start_at=BEGIN,
            end_at=BEGIN + 31 * DAY,
            state=ExportState.CREATED,
            created_at=BEGIN,
        )
        usage_exports.add_export(tx, export)
        outbox.append_letter(tx, USAGE, export.uuid, {}, now=BEGIN)
    db.close()


def make_workflow(owner: int, number: int, dice: random.Random) -> dict[str, object]:
    """The row of a workflow, of one of a hundred projects."""
    at = BEGIN + number * 60_000 % (30 * DAY)
    project = dice.randrange(100)
    return {
        "id": number + 1,
        "organization_id": owner,
        "uuid": make_id(dice),
        "name": dice.choice(("build-and-test", "deploy", "nightly")),
        "project": str(UUID(int=project)),
        "project_name": f"service-{project}",
        "project_slug": f"gh/acme/service-{project}",
        "url": f"https://github.com/acme/service-{project}.git",
        "project_created_at": BEGIN,
        "branch": dice.choice(("main", f"feature/{number}")),
        "pipeline": make_id(dice),
        "pipeline_number": number,
        "pipeline_created_at": at,
        "trigger": "webhook",
        "actor": f"person-{number % 50}",
        "queued_at": at + 100,
        "started_at": at + 900,
        "stopped_at": at + 600_000,
        "status": dice.choice(("success", "failed")),
    }


def make_run(owner: int, number: int, dice: random.Random) -> dict[str, object]:
    """The row of a run, with the shares of one that was measured."""
    at = BEGIN + number // JOBS * 60_000 % (30 * DAY) + dice.randrange(60_000)
    worked = dice.randrange(1000, 600_000)
    return {
        "organization_id": owner,
        "workflow_id": number // JOBS + 1,
        "job": make_id(dice),
        "number": number + 1,
        "name": f"job-{number % JOBS}",
        "status": dice.choice(("success", "failed")),
        "resource_class": dice.choice(("medium", "large", "acme/own")),
        "executor": "docker",
        "parallelism": 1,
        "queued_at": at - 800,
        "started_at": at,
        "stopped_at": at + worked,
        "worked": worked,
        **{name: dice.randrange(10_000) for name in ("cpu_median", "cpu_max", "ram_median", "ram_max")},
    }


def make_id(dice: random.Random) -> str:
    """A UUID that is the same in every run of the bench."""
    return str(UUID(int=dice.getrandbits(128)))


def make(folder: Path) -> Took:
    """What making the folder's export takes."""
    return msgspec.json.decode(run_here(f"make_here({str(folder)!r})"), type=Took)


def make_here(folder: str) -> None:
    """Make the folder's export in this process, as the loop of a server does."""
    import resource

    db = Database.open(f"{folder}/penstock.db")
    parts = Parts(
        db=db,
        blobs=Blobs.connect(f"{folder}/blobs"),
        clock=SystemClock(),
        variables=GivenVariables(),
        feed=Feed(),
        signal=Signal(),
        memory=Memory(),
    )
    begun, cpu = time.perf_counter(), time.process_time()
    deliver_letters(parts, {USAGE: UsageDesk(UsageTable()).deliver}, most=1, lease=LEASE)
    wall, spent = time.perf_counter() - begun, time.process_time() - cpu
    with db.read() as tx:
        made = usage_exports.export_by_uuid(tx, "00000000-0000-4000-8000-000000000000")
    assert made is not None
    assert made.state is ExportState.COMPLETED, made
    db.close()
    took = Took(spent, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    sys.stdout.buffer.write(msgspec.json.encode(took))


def measure_floor(file: Path) -> float:
    """Seconds of CPU that it takes to write rows that are in memory as csv, and to pack that."""
    with gzip.open(file, "rt", newline="") as text:
        lines = list(csv.reader(text))
    assert len(lines) == RUNS + 1
    begun = time.process_time()
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    for start in range(0, len(lines), _PAGE):
        page = io.StringIO()
        csv.writer(page, lineterminator="\n").writerows(lines[start : start + _PAGE])
        packer.compress(page.getvalue().encode())
    packer.flush()
    return time.process_time() - begun
