"""Servers and agents that are killed and paused at random while pipelines are triggered."""

import random
import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol

import httpx

from tests.support.load import Client
from tests.support.processes import wait_until

START_SECONDS = 60.0
ENDED = re.compile(r'msg="task ends" task=(\S+) .*?status=(\w+)')


class Running(Protocol):
    """A process that was started."""

    def log(self) -> str:
        """What it wrote so far."""
        ...

    def signal(self, number: int) -> None:
        """Send it a signal."""
        ...

    def end(self, seconds: float) -> int:
        """Its exit status, once it has ended."""
        ...

    def kill(self) -> None:
        """Kill it."""
        ...


class Node:
    """A process that is started again whenever it was ended."""

    def __init__(self, name: str, start: Callable[[], Running], is_ready: Callable[[Running], bool]) -> None:
        self.name = name
        self._start = start
        self._is_ready = is_ready
        self.lives: list[Running] = []
        self.killed: list[Running] = []

    @property
    def present(self) -> Running:
        """Its present process."""
        return self.lives[-1]

    def begin(self) -> None:
        """A process of it runs."""
        self.lives.append(self._start())

    def await_ready(self) -> None:
        """It does what it is for; the test fails when it does not."""
        wait_until(
            lambda: self._is_ready(self.present),
            seconds=START_SECONDS,
            what=f"{self.name} is ready: {self.present.log()[-2000:]}",
        )

    def kill(self) -> None:
        """No process of it runs; its present one could not say farewell."""
        self.killed.append(self.present)
        self.present.kill()

    def stop(self) -> int:
        """End it as an operator does; its exit status."""
        self.present.signal(signal.SIGTERM)
        return self.present.end(60)


class Tally:
    """What has been done, and what was answered."""

    def __init__(self) -> None:
        self.acts: Counter[str] = Counter()
        self.made: set[str] = set()  # pipelines of triggers that were answered
        self.canceled: set[str] = set()
        self.strange: list[str] = []  # answers there is no reason for

    def __str__(self) -> str:
        """The figures."""
        return f"{len(self.made)} pipelines, {len(self.canceled)} canceled; {dict(self.acts)}"


class Load(threading.Thread):
    """Triggers pipelines at servers chosen at random, and cancels some, until it is stopped."""

    def __init__(self, urls: Sequence[str], dice: random.Random, tally: Tally, pause: float) -> None:
        super().__init__(daemon=True)
        self._urls = urls
        self._dice = dice
        self._tally = tally
        self._pause = pause
        self._over = threading.Event()

    def run(self) -> None:
        """Ask again and again."""
        while not self._over.wait(self._dice.uniform(0.2, 1.8) * self._pause):
            with closing(Client(self._dice.choice(self._urls))) as client:
                try:
                    self._ask(client)
                except httpx.HTTPError:
                    self._tally.acts["unanswered"] += 1

    def stop(self) -> None:
        """Nothing is asked any more."""
        self._over.set()
        self.join(60)

    def _ask(self, client: Client) -> None:
        answer = client.trigger()
        self._note(answer, 201)
        if answer.status_code != 201:
            return
        pipeline = answer.json()["id"]
        self._tally.made.add(pipeline)
        if self._dice.random() < 0.1:
            found = client.http.get(f"/pipeline/{pipeline}/workflow")
            self._note(found, 200)
            for workflow in found.json()["items"] if found.status_code == 200 else ():
                ended = client.http.post(f"/workflow/{workflow['id']}/cancel")
                self._note(ended, 202)
                self._tally.canceled.add(pipeline)

    def _note(self, answer: httpx.Response, expected: int) -> None:
        if answer.status_code == 503:
            self._tally.acts["turned away"] += 1
        elif answer.status_code != expected:
            self._tally.strange.append(f"{answer.request.url}: {answer.status_code} {answer.text[:500]}")


def make_chaos(
    nodes: Sequence[Node], restart: Callable[[float], None], dice: random.Random, seconds: float, tally: Tally
) -> None:
    """For so long nodes were killed, stopped and paused; all run afterwards.

    `restart` takes away what all depend on for some seconds.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        rest = dice.uniform(0.2, 2.0) * max(1, 3 / len(nodes))
        time.sleep(rest)  # this is no wait for anything: it is when the next blow falls
        if dice.random() < 0.1:
            tally.acts["restart database"] += 1
            restart(dice.uniform(0, 1.5))
            continue
        node = dice.choice(nodes)
        act = dice.choices(("kill", "stop", "pause"), (7, 1, 2))[0]
        tally.acts[f"{act} {node.name.rstrip('0123456789')}"] += 1
        match act:
            case "kill":
                node.kill()
            case "stop":
                node.present.signal(signal.SIGTERM)
                if dice.random() < 0.5:
                    time.sleep(dice.uniform(0, 0.3))
                    node.kill()
                node.present.end(60)
            case _:
                node.present.signal(signal.SIGSTOP)
                time.sleep(dice.uniform(0.1, 2))
                node.present.signal(signal.SIGCONT)
                continue
        time.sleep(dice.uniform(0, 1))
        node.begin()
    for node in nodes:
        node.await_ready()


def find_port() -> int:
    """A port nobody listens on, of those that no connection is given by chance while it is free."""
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def read_ends(log: str) -> dict[str, str]:
    """How the tasks that an agent has ended did end, by UUID."""
    return dict(ENDED.findall(log))


def read_ledger(file: Path) -> Counter[tuple[str, int, str]]:
    """How often each copy of each job wrote each word: (job's UUID, index, word)."""
    lines = (line.split() for line in file.read_text().splitlines())
    return Counter((job, int(index), word) for job, index, word in lines)
