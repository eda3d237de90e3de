"""What the agent costs per task: one-step jobs that run `true`, beside bare spawns of the same shell."""

import subprocess
import tempfile
import time
from pathlib import Path

from bench.figure import Figure, cpu_of_children
from penstock.agent.executor.host import HostExecutor, find_shell
from penstock.wire.messages import TaskFinished
from tests.support.agents import agent_at_work, assign
from tests.support.transport import FakeServer

TASKS = 300
ROUNDS = 3


def run() -> list[Figure]:
    """CPU of a task, its process included, and messages to the server."""
    floor = min(spawn_bare() for _ in range(ROUNDS))
    with tempfile.TemporaryDirectory() as folder:
        server = FakeServer()
        with agent_at_work(server, HostExecutor(Path(folder))):
            rounds = [run_tasks(server) for _ in range(ROUNDS)]
    cpu = min(cpu for cpu, _ in rounds)
    messages = min(messages for _, messages in rounds)
    shell = " ".join(find_shell())
    return [
        Figure(
            what="agent, a one-step job `true`, CPU above the bare spawn",
            measured=f"{cpu * 1000:.2f} ms",
            floor=f"{floor * 1000:.2f} ms `{shell} -c true`",
            value=(cpu - floor) * 1000,
            limit=3.0,
            unit="ms",
        ),
        Figure(
            what="agent, messages to the server per task when busy",
            measured=f"{messages * TASKS:.0f} messages",
            floor=f"{TASKS} tasks",
            value=messages,
            limit=1.2,
            unit="x",
        ),
    ]


def spawn_bare() -> float:
    """Seconds of CPU of one spawn, child included."""
    command = [*find_shell(), "-c", "true"]
    begun = time.process_time() + cpu_of_children()
    for _ in range(TASKS):
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    return (time.process_time() + cpu_of_children() - begun) / TASKS


def run_tasks(server: FakeServer) -> tuple[float, float]:
    """Seconds of CPU and messages per task."""
    tasks = [assign("true") for _ in range(TASKS)]
    ends = count_ends(server) + TASKS
    sent, begun = len(server.messages), time.process_time() + cpu_of_children()
    server.give(*tasks)
    server.finish_of(tasks[-1].task)
    server.wait_until(lambda: count_ends(server) == ends)
    used = time.process_time() + cpu_of_children() - begun
    return used / TASKS, (len(server.messages) - sent) / TASKS


def count_ends(server: FakeServer) -> int:
    return sum(isinstance(event, TaskFinished) for event in server.events)
