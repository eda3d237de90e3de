"""What an announced push costs before its config is compiled: the webhook read, the commit fetched."""

import hashlib
import hmac
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench.figure import Figure
from penstock.forge.address import Policy, Protocol
from penstock.forge.hooks.receive import read_hook
from penstock.forge.mirror import Mirror
from tests.support import hooks
from tests.support.repositories import git, make_repository

COMMITS = 20
ROUNDS = 20


def run() -> list[Figure]:
    """Two figures: reading the hook against its digest and a plain decode; fetching against git by hand."""
    return [measure_reading(), measure_fetching()]


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
