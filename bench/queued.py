"""How many queued jobs of `true` a server gets done in a second, two at a time, and what they cost."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from bench.figure import Figure
from bench.laminar import Laminar, find_laminar
from bench.serve import find_family
from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from tests.support.agent_process import make_join_token, running_agent
from tests.support.processes import wait_until
from tests.support.server import ServerProcess, joined_parts, running_server, trigger_config

PIPELINES, WIDTH = 25, 20
JOBS = PIPELINES * WIDTH
ROUNDS = 3
APART = ", by an agent of its own"


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
    """Round by round beside laminar, where it is installed: the noise of the machine is then everybody's."""
    ours, apart, theirs = [], [], []
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        near = stack.enter_context(start(folder / "near", "--slots", "2", "--executor", "host"))
        far = stack.enter_context(start(folder / "far", "--slots", "0"))
        token = make_join_token(far.parts)
        agent = stack.enter_context(running_agent(folder / "agent", far.server.url, token, "--slots", "2"))
        peer = stack.enter_context(Laminar(folder / "laminar", job="true")) if find_laminar() else None
        for site in (near, far):
            finish(site.parts, 1)
        for _ in range(ROUNDS):
            ours.append(measure(near.parts, near.server.process.pid))
            apart.append(measure(far.parts, far.server.process.pid, agent.process.pid))
            if peer is not None:
                theirs.append(Work(*peer.run_jobs("job", JOBS)))
        for process in (agent, near.server, far.server):
            process.stop()
    return [
        *(compare_rates(where, works, theirs) for where, works in (("", ours), (APART, apart)) if theirs),
        *(show_cost(where, works, theirs) for where, works in (("", ours), (APART, apart))),
    ]


class Site(msgspec.Struct):
    """A server, and its data opened beside it."""

    server: ServerProcess
    parts: Parts


@contextmanager
def start(folder: Path, *arguments: str) -> Iterator[Site]:
    """A running server."""
    with running_server(folder, *arguments) as server, joined_parts(folder) as parts:
        yield Site(server, parts)


def measure(parts: Parts, *pids: int) -> Work:
    """One round, from the first trigger to the last end."""
    family = [each for pid in pids for each in find_family(pid)]
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


def compare_rates(where: str, ours: list[Work], theirs: list[Work]) -> Figure:
    """Jobs a second."""
    best, peer = max(work.rate for work in ours), max(work.rate for work in theirs)
    return Figure(
        what=f"{JOBS} queued jobs of `true`, two at a time, durable{where}: jobs a second",
        measured=f"{best:.0f} a second",
        floor=f"{peer:.0f} a second by laminar",
        value=best / peer,
        limit=1,
        unit="x",
        at_least=True,
    )


def show_cost(where: str, ours: list[Work], theirs: list[Work]) -> Figure:
    """CPU a job of server, agent and the job's own shell."""
    rate = max(work.rate for work in ours)
    peer = f"{min(work.cpu for work in theirs) * 1000:.1f} ms by laminar" if theirs else "laminar is missing"
    cost = min(work.cpu for work in ours) * 1000
    return Figure(
        what=f"{JOBS} queued jobs of `true`{where}: CPU of server, agent and shell a job",
        measured=f"{cost:.1f} ms at {rate:.0f} jobs a second",
        floor=peer,
        value=cost,
        limit=10,
        unit="ms",
    )
