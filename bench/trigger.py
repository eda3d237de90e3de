"""How soon a job prints after its pipeline was asked for over HTTP, its commit fetched from the origin."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figure import Figure
from penstock.agent.executor.host import find_shell
from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER
from penstock.engine.projects import NewProject, create_project
from penstock.language import circleci
from penstock.language.common.context import Context
from tests.support.clients import TOKEN
from tests.support.processes import wait_until
from tests.support.repositories import git, make_repository
from tests.support.server import ServerProcess, joined_parts, running_server

ROUNDS = 40
HEADERS = {"circle-token": TOKEN}
CONFIG = """\
version: 2.1
jobs:
  tell:
    machine: true
    steps:
      - run: date +%s%N > $PLACE.part && mv $PLACE.part $PLACE
workflows: {main: {jobs: [tell]}}
"""


def run() -> list[Figure]:
    """The 95th percentile of some triggers, one by one, above that of compiling and spawning alone."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        folder = Path(name)
        config = CONFIG.replace("$PLACE", str(folder / "told"))
        with serve_config(folder, config) as server:
            measure(folder / "told", lambda: trigger(server))
            ours, floor = [], []
            for _ in range(ROUNDS):
                floor.append(measure(folder / "told", lambda: do_by_hand(config)))
                ours.append(measure(folder / "told", lambda: trigger(server)))
            server.stop()
    first, last = pick(ours), pick(floor)
    return [
        Figure(
            what="trigger to the first line of a job, server and agent idle, p95 by the clock",
            measured=f"{first * 1000:.0f} ms (half of them within {pick(ours, 0.5) * 1000:.0f} ms)",
            floor=f"{last * 1000:.0f} ms compiled and spawned by hand",
            value=(first - last) * 1000,
            limit=100,
            unit="ms",
        )
    ]


@contextmanager
def serve_config(folder: Path, config: str) -> Iterator[ServerProcess]:
    """A server with the project `gh/acme/app`."""
    source = make_repository(folder / "source", {".circleci/config.yml": config})
    git(folder, "clone", "--quiet", "--bare", str(source), "app.git")
    settings = ("--git-protocols", "file", "--executor", "host")
    with running_server(folder / "data", *settings, environment={"PENSTOCK_ADMIN_TOKEN": TOKEN}) as server:
        with joined_parts(folder / "data") as parts:
            acme = create_organization(parts, SERVER, host="gh", name="acme")
            create_project(parts, SERVER, acme, NewProject(name="app", url=str(folder / "app.git")))
        yield server


def trigger(server: ServerProcess) -> None:
    """Ask for a pipeline of the branch."""
    address = f"{server.url}/api/v2/project/gh/acme/app/pipeline"
    server.client.post(address, json={"branch": "main"}, headers=HEADERS).raise_for_status()


def do_by_hand(config: str) -> None:
    """What cannot be left out: the plan is made, and the job's command started."""
    plan = circleci.compile(config, Context())
    (job,) = plan.workflows["main"].jobs.values()
    (step,) = job.steps
    command = getattr(step, "command", "")
    subprocess.run([*find_shell(), "-c", command], stdin=subprocess.DEVNULL, check=True)


def measure(told: Path, work: Callable[[], None]) -> float:
    """Seconds from the beginning of the work until the job prints, which it notes in the file."""
    told.unlink(missing_ok=True)
    begun = time.time_ns()
    work()
    wait_until(told.exists, seconds=30)
    return (int(told.read_text()) - begun) / 1e9


def pick(times: list[float], share: float = 0.95) -> float:
    """The time that such a share of them keep within."""
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]
