"""A job that prints 100 MB: how fast the server stores it and gives it out, and how fresh lines are."""

import tempfile
import time
from contextlib import ExitStack, closing
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

from bench.figure import Figure
from bench.laminar import Laminar, find_laminar
from bench.log import LINE, MEGABYTES
from bench.trigger import HEADERS, pick, serve_config
from tests.support.processes import wait_until
from tests.support.server import ServerProcess

CONFIG = """\
version: 2.1
jobs:
  much: {machine: true, steps: [run: cat $PLACE/much]}
  little: {machine: true, steps: [run: cat $PLACE/little]}
  drop: {machine: true, steps: [{run: "for n in $(seq 200); do date +%s.%N; sleep 0.02; done"}]}
workflows:
  much:
    when: {equal: [much, "<< pipeline.parameters.which >>"]}
    jobs: [much]
  little:
    when: {equal: [little, "<< pipeline.parameters.which >>"]}
    jobs: [little]
  drop:
    when: {equal: [drop, "<< pipeline.parameters.which >>"]}
    jobs: [drop]
parameters: {which: {type: string, default: drop}}
"""
PROJECT = "/api/v2/project/gh/acme/app"
RAW = "/api/private/output/raw/gh/acme/app"
Seconds = dict[str, float]
WHICH = ("little", "much")
ROUNDS = 5


def run() -> list[Figure]:
    """The rate beside laminar where that is installed, and the age of lines read while they come."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        write_texts(folder)
        server = stack.enter_context(serve_config(folder, CONFIG.replace("$PLACE", name)))
        peer = None
        if find_laminar():
            commands = {which: f"cat {folder / which}" for which in WHICH}
            peer = stack.enter_context(Laminar(folder / "laminar", **commands))
        ages = sorted(follow(server))
        ours, theirs = [], []
        for number in range(ROUNDS):
            ours.append(measure(server, folder))
            if peer is not None:
                theirs.append(measure_peer(peer, folder, number + 1))
        server.stop()
    return [*compare(ours, theirs), show_ages(ages)]


def write_texts(folder: Path) -> None:
    """The files that jobs print: one line, and many."""
    (folder / "little").write_text(LINE.format(1, 1))
    with (folder / "much").open("w") as out:
        while out.tell() < MEGABYTES * 1_000_000:
            number = out.tell()
            out.writelines(LINE.format(number + n, (number + n * 7919) % 997) for n in range(10_000))


def measure(server: ServerProcess, folder: Path) -> Seconds:
    """From the trigger until all has been read through the API, for one line and for many."""
    seconds = {}
    for which in WHICH:
        begun = time.perf_counter()
        number = trigger(server, which)
        wait_until(lambda number=number: read_status(server, number) == "success", seconds=120)  # type: ignore[misc]  # mypy knows no defaults of lambdas
        got = read_output(server, number)
        seconds[which] = time.perf_counter() - begun
        assert got == (folder / which).read_bytes()
    return seconds


def measure_peer(peer: Laminar, folder: Path, number: int) -> Seconds:
    """The same for laminar."""
    seconds = {}
    for which in WHICH:
        begun = time.perf_counter()
        peer.run_jobs(which, 1)
        got = peer.read_log(which, number)
        seconds[which] = time.perf_counter() - begun
        assert got.endswith((folder / which).read_bytes())
    return seconds


def follow(server: ServerProcess) -> list[float]:
    """How old each line was, in seconds, when a reader who asks again and again first saw it."""
    number = trigger(server, "drop")
    wait_until(lambda: read_status(server, number) == "running", seconds=30)
    ages: list[float] = []
    while read_status(server, number) == "running":
        lines = read_output(server, number).split()
        now = time.time()
        ages += (now - float(line) for line in lines[len(ages) :])
    return ages


def trigger(server: ServerProcess, which: str) -> int:
    """The number of the one job of a new pipeline."""
    body = {"branch": "main", "parameters": {"which": which}}
    made = server.client.post(f"{server.url}{PROJECT}/pipeline", json=body, headers=HEADERS)
    (workflow,) = ask(server, f"/api/v2/pipeline/{made.raise_for_status().json()['id']}/workflow")["items"]
    (job,) = ask(server, f"/api/v2/workflow/{workflow['id']}/job")["items"]
    return int(job["job_number"])


def read_status(server: ServerProcess, number: int) -> str:
    return str(ask(server, f"{PROJECT}/job/{number}")["status"])


def ask(server: ServerProcess, path: str) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = server.get(path, **HEADERS).raise_for_status().json()
    return found


def read_output(server: ServerProcess, number: int) -> bytes:
    """What the job's only step has printed so far."""
    with closing(HTTPConnection(server.url.removeprefix("http://"))) as connection:
        connection.request("GET", f"{RAW}/{number}/output/0/0", headers=HEADERS)
        found = connection.getresponse()
        return found.read() if found.status == HTTPStatus.OK else b""


def find_rate(rounds: list[Seconds]) -> float:
    """MB a second above what one line takes, in the best rounds of each."""
    return MEGABYTES / (min(each["much"] for each in rounds) - min(each["little"] for each in rounds))


def compare(ours: list[Seconds], theirs: list[Seconds]) -> list[Figure]:
    """MB a second from the trigger to the last byte read."""
    if not theirs:
        return []
    best, peer = find_rate(ours), find_rate(theirs)
    return [
        Figure(
            what=f"{MEGABYTES} MB of lines from one job, stored by the server and read through its API",
            measured=f"{best:.0f} MB/s",
            floor=f"{peer:.0f} MB/s by laminar",
            value=best / peer,
            limit=4,
            unit="x",
            at_least=True,
        )
    ]


def show_ages(ages: list[float]) -> Figure:
    """The 95th percentile."""
    late = pick(ages)
    return Figure(
        what="a line's age when a reader who asks all the time first sees it, p95",
        measured=f"{late * 1000:.0f} ms (half of them within {pick(ages, 0.5) * 1000:.0f} ms)",
        floor="the line's own time",
        value=late * 1000,
        limit=200,
        unit="ms",
    )
