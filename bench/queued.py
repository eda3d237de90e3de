"""How many queued jobs of `true` a server gets done in a second, two at a time, and what they cost."""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.figure import Figure
from bench.laminar import Laminar, find_laminar
from bench.serve import find_family
from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from tests.support.processes import wait_until
from tests.support.server import ServerProcess, joined_parts, running_server, trigger_config

PIPELINES, WIDTH = 25, 20
JOBS = PIPELINES * WIDTH
ROUNDS = 3


class Work:
    """What a round took: jobs a second by the clock, seconds of CPU a job with that of children."""

    def __init__(self, seconds: float, cpu: float) -> None:
        self.rate = JOBS / seconds
        self.cpu = cpu / JOBS


def make_config() -> str:
    """A pipeline of some jobs that need nothing."""
    names = [f"j{number}" for number in range(WIDTH)]
    jobs = ", ".join(f"{name}: {{machine: true, steps: [run: 'true']}}" for name in names)
    return f"version: 2.1\njobs: {{{jobs}}}\nworkflows: {{main: {{jobs: [{', '.join(names)}]}}}}\n"


def run() -> list[Figure]:
    """Round by round beside laminar, where it is installed: the noise of the machine is then both's."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name, ExitStack() as stack:
        server = stack.enter_context(
            running_server(Path(name) / "data", "--slots", "2", "--executor", "host")
        )
        parts = stack.enter_context(joined_parts(server.folder.root))
        peer = stack.enter_context(Laminar(Path(name) / "laminar")) if find_laminar() else None
        finish(parts, 1)
        for _ in range(ROUNDS):
            ours.append(measure(server, parts))
            if peer is not None:
                theirs.append(Work(*peer.run_jobs(JOBS)))
        server.stop()
    return [*compare_rates(ours, theirs), show_cost(ours, theirs)]


def measure(server: ServerProcess, parts: Parts) -> Work:
    """One round, from the first trigger to the last end."""
    family = find_family(server.process.pid)
    before, begun = sum(map(cpu_with_children, family)), time.perf_counter()
    finish(parts, PIPELINES)
    seconds = time.perf_counter() - begun
    return Work(seconds, sum(map(cpu_with_children, family)) - before)


def finish(parts: Parts, count: int) -> None:
    """Have the server run so many pipelines to their ends."""
    made = [trigger_config(parts, make_config()).uuid for _ in range(count)]
    for uuid in reversed(made):
        wait_until(lambda uuid=uuid: is_over(parts, uuid), seconds=120)  # type: ignore[misc]  # mypy knows no defaults of lambdas


def is_over(parts: Parts, uuid: str) -> bool:
    return all(workflow.status.is_terminal for workflow in summarize_pipeline(parts, uuid).workflows)


def cpu_with_children(pid: int) -> float:
    """Seconds of CPU of a process and of the children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / 100


def compare_rates(ours: list[Work], theirs: list[Work]) -> list[Figure]:
    """Jobs a second; there is nothing to compare with where laminar is missing."""
    if not theirs:
        return []
    best, peer = max(work.rate for work in ours), max(work.rate for work in theirs)
    return [
        Figure(
            what=f"{JOBS} queued jobs of `true`, two at a time, durable: jobs a second",
            measured=f"{best:.0f} a second",
            floor=f"{peer:.0f} a second by laminar",
            value=best / peer,
            limit=1,
            unit="x",
            at_least=True,
        )
    ]


def show_cost(ours: list[Work], theirs: list[Work]) -> Figure:
    """CPU a job of server, agent and the job's own shell."""
    rate = max(work.rate for work in ours)
    peer = f"{min(work.cpu for work in theirs) * 1000:.1f} ms by laminar" if theirs else "laminar is missing"
    cost = min(work.cpu for work in ours) * 1000
    return Figure(
        what="the same: CPU of server, agent and shell a job",
        measured=f"{cost:.1f} ms at {rate:.0f} jobs a second",
        floor=peer,
        value=cost,
        limit=10,
        unit="ms",
    )
