"""What an announced push costs: the webhook read, the commit fetched, and all until its first job runs."""

import hashlib
import hmac
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench.figure import Figure
from penstock.engine.unit import Parts
from penstock.forge.address import Policy, Protocol
from penstock.forge.hooks.receive import read_hook
from penstock.forge.mirror import Mirror
from penstock.model.project import Project
from penstock.store import jobs, pipelines, workflows
from tests.support import hooks
from tests.support.processes import wait_until
from tests.support.pushing import SERVE, Origin, add_built_project, announce, sealer_of, tell_push
from tests.support.repositories import git, make_repository
from tests.support.server import ServerProcess, joined_parts, running_server

CONFIG = """
version: 2.1
jobs: {build: {machine: true, steps: [run: "true"]}}
workflows: {main: {jobs: [build]}}
"""

COMMITS = 20
ROUNDS = 20


def run() -> list[Figure]:
    """Reading against a plain decode, fetching against git by hand, the whole against a second."""
    return [measure_reading(), measure_fetching(), measure_building()]


def measure_reading() -> Figure:
    """A push of twenty commits with ten files each, signed."""
    files = [f"src/module_{number}/file.py" for number in range(10)]
    commits = [hooks.github_commit() | {"modified": files} for _ in range(COMMITS)]
    message = hooks.from_github("push", hooks.github_push(commits=commits))

    def by_hand() -> None:
        hmac.new(hooks.SECRET.encode(), message.body, hashlib.sha256).hexdigest()
        msgspec.json.decode(message.body)

    floor = best(200, by_hand)
    ours = best(200, lambda: read_hook(message.headers, message.body, [hooks.SECRET], now=hooks.NOW))
    return Figure(
        what=f"a webhook of {COMMITS} commits ({len(message.body) >> 10} KiB), checked and read",
        measured=f"{ours * 1e6:.0f} µs",
        floor=f"{floor * 1e6:.0f} µs for its digest and a plain decode",
        value=ours / floor,
        limit=6,
        unit="x",
    )


def measure_fetching() -> Figure:
    """One new commit on a branch: fetched, resolved, its config read."""
    with TemporaryDirectory(prefix="penstock-bench-") as folder:
        top = Path(folder)
        source = make_repository(top / "app", {".circleci/config.yml": "version: 2.1\n"})
        git(top, "clone", "--quiet", "--bare", str(source), "by-hand.git")
        mirror = Mirror(top / "mirror", str(source), policy=Policy(protocols=frozenset(Protocol)))
        mirror.fetch()
        ours, floor = [], []
        for number in range(ROUNDS):
            git(source, "commit", "--quiet", "--allow-empty", f"--message={number}")
            sha = git(source, "rev-parse", "HEAD")
            floor.append(measure(lambda: fetch_by_hand(top / "by-hand.git", source)))
            ours.append(measure(lambda sha=sha: fetch_ours(mirror, sha)))  # type: ignore[misc]  # its own sha
    usual, ideal = sorted(ours)[ROUNDS // 2], sorted(floor)[ROUNDS // 2]
    return Figure(
        what="a new commit fetched into the mirror, resolved, its config read",
        measured=f"{usual * 1000:.0f} ms",
        floor=f"{ideal * 1000:.0f} ms for git fetch, git log and git show by hand",
        value=usual / ideal,
        limit=2.5,
        unit="x",
    )


def measure_building() -> Figure:
    """Signed webhooks to a server of its own, each of a new commit of a bare repository; idle in between."""
    with TemporaryDirectory(prefix="penstock-bench-") as folder:
        origin = Origin(Path(folder), CONFIG)
        with (
            running_server(Path(folder, "data"), *SERVE) as server,
            joined_parts(server.folder.root) as parts,
        ):
            project = add_built_project(parts, sealer_of(server), str(origin.bare))
            spans = sorted(measure_push(server, parts, project, origin) for _ in range(ROUNDS))
    usual, slow = spans[ROUNDS // 2], spans[round(ROUNDS * 0.95) - 1]
    return Figure(
        what="a push announced by a signed webhook, until its first job runs, p95",
        measured=f"{slow * 1000:.0f} ms, half of them in {usual * 1000:.0f} ms",
        floor="1 s",
        value=slow,
        limit=1.0,
        unit="s",
    )


def measure_push(server: ServerProcess, parts: Parts, project: Project, origin: Origin) -> float:
    """Seconds between the webhook and the start of the job, by the clock of this machine."""
    message = tell_push(origin.push())
    begun = time.time()
    [promised] = announce(server, project, message).json()["pipelines"]

    uuid = promised["id"]
    wait_until(lambda: find_start(parts, uuid) is not None, seconds=60, what="the job has started")
    return (find_start(parts, uuid) or 0) / 1000 - begun


def find_start(parts: Parts, uuid: str) -> int | None:
    """When the pipeline's one job started, in milliseconds; None before that."""
    with parts.db.read() as tx:
        pipeline = pipelines.pipeline_by_uuid(tx, uuid)
        if pipeline is None:
            return None
        [workflow] = workflows.workflows_of(tx, pipeline.id)
        [job] = jobs.jobs_of(tx, workflow.id)
    return job.started_at


def fetch_by_hand(repository: Path, source: Path) -> None:
    for arguments in (
        ["fetch", "--quiet", str(source), "+refs/heads/main:refs/heads/main"],
        ["log", "-1", "main"],
        ["show", "main:.circleci/config.yml"],
    ):
        subprocess.run(["git", *arguments], cwd=repository, capture_output=True, check=True)


def fetch_ours(mirror: Mirror, sha: str) -> None:
    mirror.fetch("refs/heads/main", commit=sha)
    mirror.read_file(mirror.resolve(sha).sha, ".circleci/config.yml")


def measure(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def best(rounds: int, work: Callable[[], object]) -> float:
    """Seconds of the quickest round."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)
