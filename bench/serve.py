"""What a server costs at rest, how soon it answers, and what a route adds to a bare answer."""

import multiprocessing
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figure import Figure
from bench.load import send_requests
from penstock.api.common.answer import Answer
from penstock.api.common.app import make_app
from penstock.api.common.call import Call
from penstock.api.common.dialect import Dialect
from penstock.api.common.meter import Meter
from penstock.api.common.route import PUBLIC, Route
from penstock.api.common.server import Server
from penstock.bootstrap.http import Listener
from penstock.bootstrap.settings import Settings
from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from penstock.store.sealing import Sealer
from tests.support.processes import wait_until
from tests.support.server import joined_parts, running_server, trigger_config

BODY = b'{"items": [' + b'"0190f3a2-0000-7000-8000-000000000000", ' * 80 + b"0]}"
CONFIG = "version: 2.1\njobs: {a: {machine: true, steps: [run: echo]}}\nworkflows: {w: {jobs: [a]}}\n"
REST = 10.0  # seconds of doing nothing
COUNT = 8000
ROUNDS = 3


def run() -> list[Figure]:
    """At rest, and under load."""
    return [*measure_rest(), *measure_routes()]


def measure_rest() -> list[Figure]:
    """A server with its agent that has run a job and has nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        # As it is when installed: its modules are compiled.
        compiled = {"PYTHONPYCACHEPREFIX": f"{folder}/compiled", "PYTHONDONTWRITEBYTECODE": ""}
        with running_server(Path(folder) / "first", environment=compiled) as server:
            server.stop()
        begun = time.perf_counter()
        with running_server(Path(folder) / "data", environment=compiled) as server:
            started, worked = time.perf_counter() - begun, cpu_of(server.process.pid)
            with joined_parts(server.folder.root) as parts:
                run_job(parts)
            processes = find_family(server.process.pid)
            before = sum(map(cpu_of, processes))
            time.sleep(REST)
            used = sum(map(cpu_of, processes)) - before
            memory = sum(map(memory_of, processes))
            server.stop()
    return [
        Figure(
            what="server with agent at rest, memory of all its processes",
            measured=f"{memory:.0f} MiB in {len(processes)} processes",
            floor="–",  # noqa: RUF001 - as in the page
            value=memory,
            limit=150,
            unit="MiB",
        ),
        Figure(
            what="server with agent at rest, CPU",
            measured=f"{used * 1000:.0f} ms",
            floor=f"{REST:.0f} s",
            value=used / REST * 100,
            limit=1,
            unit="%",
        ),
        Figure(
            what="server, by the clock from its start to its first ready answer",
            measured=f"{started:.2f} s, {worked:.2f} s of CPU",
            floor="–",  # noqa: RUF001 - the same
            value=started,
            limit=2,
            unit="s",
        ),
    ]


def run_job(parts: Parts) -> None:
    """Let the server run one job to its end."""
    pipeline = trigger_config(parts, CONFIG)
    wait_until(lambda: summarize_pipeline(parts, pipeline.uuid).workflows[0].status.is_terminal, seconds=30)


def measure_routes() -> list[Figure]:
    """A route that only answers, beside an ASGI function that does, in the same kind of process."""
    floor = measure(bare)
    figures = []
    for what, path, limit in (
        ("a coroutine route", "/route/7/async", 2.0),
        ("a plain route, in a thread of the pool", "/route/7/plain", 4.0),
    ):
        used = measure(make_route_app(), path)
        figures.append(
            Figure(
                what=f"API, CPU of {what} that answers {len(BODY)} bytes",
                measured=f"{used * 1e6:.0f} µs",
                floor=f"{floor * 1e6:.0f} µs bare ASGI",
                value=used / floor,
                limit=limit,
                unit="x",
            )
        )
    return figures


def make_route_app() -> Any:  # noqa: ANN401 - an ASGI application
    """The application with 60 routes that all answer the same."""
    answer = Answer(body=BODY)

    def plain(_server: Server, _call: Call) -> Answer:
        return answer

    async def coroutine(_server: Server, _call: Call) -> Answer:
        return answer

    routes = [
        Route(method="GET", path=f"/{stem}/{{id}}/{name}", handler=handler, access=PUBLIC, quiet=True)
        for stem in ("route", *(f"other{number}" for number in range(29)))
        for name, handler in (("plain", plain), ("async", coroutine))
    ]
    dialect = Dialect(name="bench", title="", prefixes=("/",), routes=tuple(routes))
    parts: Any = None  # these handlers need none
    return make_app(Server(parts=parts, gateway=parts, meter=Meter(), sealer=Sealer([bytes(32)])), [dialect])


async def bare(scope: Any, _receive: object, send: Callable[[dict[str, Any]], Any]) -> None:  # noqa: ANN401 - ASGI's
    """The floor."""
    assert scope["type"] == "http"
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def measure(app: Any, path: str = "/") -> float:  # noqa: ANN401 - an ASGI application
    """Seconds of the server's CPU for one request, in the best of some rounds."""
    with serving(app) as (pid, port):
        send_requests(port, path, count=COUNT // 8)
        rounds = []
        for _ in range(ROUNDS):
            before = cpu_of(pid)
            send_requests(port, path, count=COUNT)
            rounds.append((cpu_of(pid) - before) / COUNT)
    return min(rounds)


@contextmanager
def serving(app: Any) -> Iterator[tuple[int, int]]:  # noqa: ANN401 - an ASGI application
    """A process that answers with the application: its id and port."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        process = multiprocessing.get_context("fork").Process(
            target=serve, args=(app, listening), daemon=True
        )
        process.start()
        try:
            assert process.pid is not None
            yield process.pid, listening.getsockname()[1]
        finally:
            process.kill()
            process.join()


def serve(app: Any, listening: socket.socket) -> None:  # noqa: ANN401 - an ASGI application
    """Answer until killed, as the server itself does."""
    import uvloop

    listening.setblocking(False)  # noqa: FBT003 - its only argument
    listener = Listener(app, Settings(), lambda: None)
    uvloop.run(listener.serve([listening]))


def find_family(pid: int) -> list[int]:
    """The process and those below it."""
    below = (
        int(child)
        for thread in Path(f"/proc/{pid}/task").iterdir()
        for child in (thread / "children").read_text().split()
    )
    return [pid, *(each for child in below for each in find_family(child))]


def cpu_of(pid: int) -> float:
    """Seconds of CPU the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """MiB of memory that are the process's, shared ones by their share."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
