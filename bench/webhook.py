"""What receivers that never answer cost others: pipelines beside them, and webhooks of another project."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figure import Figure
from penstock.engine.principal import SERVER
from penstock.engine.summary import summarize_pipeline
from penstock.engine.trigger import ProjectRef, reserve_pipeline
from penstock.engine.unit import Parts
from penstock.engine.webhook_log import ping_webhook
from penstock.engine.webhooks import NewWebhook, create_webhook
from penstock.model.project import Project
from penstock.model.webhook import WebhookEvent
from penstock.notify.address import Reach, read_network
from penstock.store.sealing import Sealer
from tests.support.processes import wait_until
from tests.support.receiver import Receiver, receiving
from tests.support.server import joined_parts, running_server, trigger_config

CONFIG = """
version: 2.1
jobs: {build: {machine: true, steps: [run: "true"]}}
workflows: {main: {jobs: [build]}}
"""

WEBHOOKS = 1000
PIPELINES = 30
ROUNDS = 3
HOSTS = 250
"""Addresses of this machine that the webhooks lead to: no bound for one host is of any help."""

NEAR = ("--webhook-networks", "127.0.0.0/8", "--webhook-ports", "0", "--webhook-protocols", "http")
REACH = Reach(protocols=frozenset({"http"}), ports=frozenset({0}), networks=(read_network("127.0.0.0/8"),))
BOTH = (WebhookEvent.JOB_COMPLETED, WebhookEvent.WORKFLOW_COMPLETED)


def run() -> list[Figure]:
    """The same pipelines without and with the webhooks on one server; then another project's webhook."""
    with TemporaryDirectory(prefix="penstock-bench-") as folder, hanging() as port, receiving() as receiver:
        arguments = ("--slots", "2", "--executor", "host", *NEAR)
        with (
            running_server(Path(folder, "data"), *arguments) as server,
            joined_parts(server.folder.root) as parts,
        ):
            sealer = Sealer.load(server.folder.root / "key", {})
            run_pipelines(parts)  # nothing is the first of its kind any more
            quiet = min(run_pipelines(parts) for _ in range(ROUNDS))
            prepare_other(parts, sealer, receiver)
            hang(parts, sealer, port)
            loaded = min(run_pipelines(parts) for _ in range(ROUNDS))
            delays = sorted(measure_delay(parts, receiver) for _ in range(20))
    return [
        Figure(
            what=f"{PIPELINES} pipelines while {WEBHOOKS:,} webhooks wait for receivers that never answer",
            measured=f"{loaded:.2f} s",
            floor=f"{quiet:.2f} s without webhooks",
            value=loaded / quiet,
            limit=1.25,
            unit="x",
        ),
        Figure(
            what="the end of another project's job until its webhook is received, beside these, p95",
            measured=f"{delays[18] * 1000:.0f} ms, half of them in {delays[10] * 1000:.0f} ms",
            floor="1 s",
            value=delays[18],
            limit=1.0,
            unit="s",
        ),
    ]


@contextlib.contextmanager
def hanging() -> Iterator[int]:
    """The port of a receiver that takes every connection and says nothing."""
    held: list[socket.socket] = []
    with socket.create_server(("0.0.0.0", 0), backlog=1024) as server:  # noqa: S104 - all of 127.0.0.0/8

        def hold() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept()[0])

        threading.Thread(target=hold, daemon=True).start()
        yield int(server.getsockname()[1])
    for each in held:
        each.close()


def hang(parts: Parts, sealer: Sealer, port: int) -> None:
    """A thousand webhooks lead to it, the measured project's among them; each has something to send."""
    numbers = count()
    measured = find_project(parts, "app")
    for owner in range(WEBHOOKS // 5):
        project = measured if owner == 0 else find_project(parts, f"p{owner}")
        for _ in range(5):
            number = next(numbers)
            url = f"http://127.0.{1 + number % HOSTS}.1:{port}/{number}"
            new = NewWebhook(name=str(number), events=BOTH, url=url)
            made = create_webhook(parts, sealer, SERVER, project, new, reach=REACH)
            ping_webhook(parts, SERVER, made.uuid)


def prepare_other(parts: Parts, sealer: Sealer, receiver: Receiver) -> None:
    """Another project has a webhook that works."""
    new = NewWebhook(name="well", events=BOTH[:1], url=receiver.url)
    made = create_webhook(parts, sealer, SERVER, find_project(parts, "other"), new, reach=REACH)
    ping_webhook(parts, SERVER, made.uuid)
    receiver.take()


def find_project(parts: Parts, name: str) -> Project:
    """The project, made when it is not there."""
    return reserve_pipeline(parts, ProjectRef(organization="gh/acme", name=name)).project


def run_pipelines(parts: Parts) -> float:
    """Seconds until all have ended."""
    begun = time.monotonic()
    made = [trigger_config(parts, CONFIG).uuid for _ in range(PIPELINES)]
    wait_until(lambda: has_ended(parts, made[-1]), seconds=120, pause=0.01)
    wait_until(lambda: all(has_ended(parts, each) for each in made), seconds=120, pause=0.01)
    return time.monotonic() - begun


def measure_delay(parts: Parts, receiver: Receiver) -> float:
    """Seconds from the end of a job of the other project to the arrival of what tells of it."""
    made = trigger_config(parts, CONFIG, "other")
    while True:
        body = receiver.take(60).json()
        if body.get("pipeline", {}).get("id") == made.uuid:
            return time.time() - datetime.fromisoformat(body["happened_at"]).timestamp()


def has_ended(parts: Parts, pipeline: str) -> bool:
    """True when its only workflow has ended."""
    return summarize_pipeline(parts, pipeline).workflows[0].status.is_terminal
