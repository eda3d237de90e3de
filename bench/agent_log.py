"""How fast output flows through the agent: read, masked, cut, compressed; beside `cat` to a file."""

import resource
import tempfile
import time
from pathlib import Path

import msgspec

from bench.figure import Figure, cpu_of_children
from penstock.agent.executor.host import HostExecutor
from penstock.wire.messages import Commands, LogOutput, Sync
from tests.support.agents import agent_at_work, assign
from tests.support.transport import FakeServer

SIZE = 100_000_000
ROUNDS = 3
LINE = "2026-01-01T00:00:{:02} INFO compiling module number {} of the project\n"
SECRETS = tuple(f"{number:02}-{number * 7919:08x}-secret-value" for number in range(20))


class Sink(FakeServer):
    """A server that counts output and forgets it."""

    def __init__(self) -> None:
        super().__init__()
        self.received = 0

    def sync(self, message: Sync) -> Commands:
        self.received += sum(event.size for event in message.events if isinstance(event, LogOutput))
        events = tuple(
            msgspec.structs.replace(event, data=b"") if isinstance(event, LogOutput) else event
            for event in message.events
        )
        return super().sync(msgspec.structs.replace(message, events=events))


def run() -> list[Figure]:
    """Megabytes per second of the agent's CPU, by the number of secrets, and its memory."""
    with tempfile.TemporaryDirectory() as folder:
        lines = write_lines(Path(folder))
        server = Sink()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with agent_at_work(server, HostExecutor(Path(folder) / "work")):
            floor = max(flow(server, f"cat {lines} > {folder}/copy", ())[1] for _ in range(ROUNDS))
            rates = {
                n: max(flow(server, f"cat {lines}", SECRETS[:n])[0] for _ in range(ROUNDS))
                for n in (0, 1, 20)
            }
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    shown = f"{floor:.0f} MB/s `cat` to a file"
    figures = [
        Figure(
            what=f"agent, 100 MB of a step's output with {number} secrets, rate per core",
            measured=f"{rate:.0f} MB/s",
            floor=shown,
            value=rate,
            limit=100.0,
            unit="MB/s",
            at_least=True,
        )
        for number, rate in rates.items()
    ]
    memory = Figure(
        what="agent, growth of memory by 900 MB of output",
        measured=f"{grown:.0f} MiB",
        floor="0 MiB",
        value=grown,
        limit=100.0,
        unit="MiB",
    )
    return [*figures, memory]


def write_lines(folder: Path) -> Path:
    """A file of the size, in lines that differ."""
    block = "".join(LINE.format(number % 60, number) for number in range(20_000)).encode()
    path = folder / "lines"
    with path.open("wb") as file:
        for _ in range(SIZE // len(block) + 1):
            file.write(block)
        file.truncate(SIZE)
    return path


def flow(server: Sink, command: str, secrets: tuple[str, ...]) -> tuple[float, float]:
    """Megabytes per second of CPU: of this process, and of the command."""
    received, mine, theirs = server.received, time.process_time(), cpu_of_children()
    task = assign(command, secrets=secrets)
    server.give(task)
    server.finish_of(task.task)
    used = time.process_time() - mine
    assert server.received - received in {0, SIZE}
    return SIZE / 1e6 / used, SIZE / 1e6 / max(cpu_of_children() - theirs, 1e-3)
