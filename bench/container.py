"""What a job in a container costs beside `docker run --rm` of the same commands."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bench.figure import Figure, cpu_of_children
from penstock.agent.executor.docker.engine import Engine
from penstock.agent.executor.docker.executor import DockerExecutor
from tests.support.agents import agent_at_work, assign
from tests.support.docker import IMAGE, busybox_job, open_test_engine
from tests.support.processes import wait_until
from tests.support.transport import FakeServer

ROUNDS = 7
STEPS = (("true",), ("true", "echo one", "echo two", "mkdir -p a", "ls a"))


def run() -> list[Figure]:
    """Wall time and CPU on this side of the engine's socket, for jobs of one step and of five."""
    try:
        engine = open_test_engine()
    except pytest.skip.Exception as reason:
        print(f"no figures about containers: {reason}", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as folder:
        server = FakeServer()
        with agent_at_work(server, DockerExecutor(engine, Path(folder))):
            return [
                figure for steps in STEPS for figure in compare(engine, Bench(server, Path(folder)), steps)
            ]


class Bench:
    """A server with an agent, and where the agent keeps what it has of its jobs."""

    def __init__(self, server: FakeServer, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def is_clean(self) -> bool:
        """True when nothing of a job is left: only what all jobs share."""
        return all(path.name in {"bin", "setup-bin", "alive"} for path in self.folder.glob("docker-*/*"))


def compare(engine: Engine, bench: Bench, steps: tuple[str, ...]) -> list[Figure]:
    """Rounds of both, in turn, so that both see the same machine."""
    rounds = [(measure_docker(engine, steps), measure_job(bench, steps)) for _ in range(ROUNDS)]
    figures = []
    for index, unit in enumerate(("wall", "CPU of the client")):
        floor = sorted(bare[index] for bare, _ in rounds)[ROUNDS // 2]
        ours = sorted(job[index] for _, job in rounds)[ROUNDS // 2]
        figures.append(
            Figure(
                what=f"container, a job of {len(steps)} steps, {unit}",
                measured=f"{ours * 1000:.0f} ms",
                floor=f"{floor * 1000:.0f} ms `docker run --rm` of the same commands",
                value=ours / floor,
                limit=1.5,
                unit="x",
            )
        )
    return figures


def measure_docker(engine: Engine, steps: tuple[str, ...]) -> tuple[float, float]:
    """Seconds of the clock and of CPU of Docker's own client."""
    command = ["docker", "-H", engine.address, "run", "--rm", IMAGE, "/bin/sh", "-ec", "\n".join(steps)]
    begun, used = time.perf_counter(), cpu_of_children()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=os.environ, check=True)
    return time.perf_counter() - begun, cpu_of_children() - used


def measure_job(bench: Bench, steps: tuple[str, ...]) -> tuple[float, float]:
    """Seconds of the clock and of CPU until the job's end is known and nothing of it is left."""
    task = assign(*steps, job=busybox_job())
    begun, used = time.perf_counter(), time.process_time() + cpu_of_children()
    bench.server.give(task)
    bench.server.finish_of(task.task)
    wait_until(bench.is_clean, what="nothing of the job is left", pause=0.001)
    return time.perf_counter() - begun, time.process_time() + cpu_of_children() - used
