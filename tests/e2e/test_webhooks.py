"""Webhooks of a running server: a real run, a receiver over TLS, servers that die or work side by side."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from tests.support.certificates import make_certificate
from tests.support.command import command
from tests.support.databases import PostgresServer
from tests.support.processes import wait_until
from tests.support.receiver import Receiver, receiving
from tests.support.server import ServerProcess, joined_parts, running_server, trigger_config

CONFIG = """
version: 2.1
jobs:
  build: {machine: true, steps: [{run: 'true'}]}
  test: {machine: true, steps: [{run: 'exit 1'}]}
workflows: {main: {jobs: [build, {test: {requires: [build]}}]}}
"""
TOKEN = "t0ken-of-the-administrator"
SECRET = "the secret of the webhook"
PROJECT = ("--project", "gh/acme/app")
NEAR = ("--webhook-networks", "127.0.0.0/8", "--webhook-ports", "0")
LAX = (*NEAR, "--webhook-protocols", "http", "--webhook-protocols", "https")


def serve(folder: Path, *arguments: str, **variables: str) -> Any:  # noqa: ANN401 - a context manager
    return running_server(folder, *arguments, environment={"PENSTOCK_ADMIN_TOKEN": TOKEN, **variables})


def call(server: ServerProcess, *arguments: str, status: int = 0, stdin: str = "") -> str:
    """What `penstock webhook` printed; it ended with that status."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    done = subprocess.run(
        command("webhook", *arguments),
        env=kept | {"PENSTOCK_SERVER": server.url, "PENSTOCK_TOKEN": TOKEN},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stdout + (done.stderr if status else "")


def load(text: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in text.splitlines()]


def create(server: ServerProcess, url: str, *arguments: str) -> str:
    """The id of a new webhook, signed with the secret."""
    told = call(server, "create", url, "--secret-file", "-", "--json", *PROJECT, *arguments, stdin=SECRET)
    return str(load(told)[0]["id"])


def take(receiver: Receiver, count: int) -> list[dict[str, Any]]:
    """The bodies of the next messages, each of which is signed."""
    taken = [receiver.take() for _ in range(count)]
    assert all(each.is_signed(SECRET) for each in taken)
    return [each.json() for each in taken]


def names_of(bodies: Sequence[dict[str, Any]]) -> set[tuple[str, str]]:
    return {
        (each["type"], each["job"]["status"] if "job" in each else each["workflow"]["status"])
        for each in bodies
    }


ENDS = {("job-completed", "success"), ("job-completed", "failed"), ("workflow-completed", "failed")}


def test_the_ends_of_a_real_run_reach_a_receiver_over_tls(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    trust = {"SSL_CERT_FILE": str(tmp_path / "cert.pem")}
    with (
        receiving(tmp_path) as receiver,
        serve(tmp_path / "data", *NEAR, "--slots", "1", **trust) as server,
        joined_parts(server.folder.root) as parts,
    ):
        trigger_config(parts, CONFIG)
        create(server, f"{receiver.url}/in?x=1", "--name", "chat")
        first = call(server, "ping", "chat", *PROJECT)
        assert "200 after" in first
        ping = receiver.take()
        assert ping.is_signed(SECRET)
        assert (ping.path, ping.headers["circleci-event-type"]) == ("/in?x=1", "ping")
        assert ping.headers["host"] == f"localhost:{receiver.port}"
        wait_until(lambda: len(receiver.every) >= 1, what="what ran before has come")
        made = trigger_config(parts, CONFIG)
        bodies: list[dict[str, Any]] = []
        while len(bodies) < 3:
            [body] = take(receiver, 1)
            bodies += [body] if body["pipeline"]["id"] == made.uuid else []
        assert names_of(bodies) == ENDS
        assert bodies[-1]["workflow"]["url"].startswith(f"{server.url}/pipelines/github/acme/app/")
        _inspect(server, bodies[-1], receiver)


def _inspect(server: ServerProcess, body: dict[str, Any], receiver: Receiver) -> None:
    """The log knows the message, shows it, and sends it again."""
    wait_until(
        lambda: (
            {each["state"] for each in load(call(server, "deliveries", "chat", "--json", *PROJECT))}
            == {"delivered"}
        ),
        what="all is noted",
    )
    shown = load(call(server, "deliveries", "chat", body["id"], "--json", *PROJECT))[0]
    assert msgspec.json.decode(shown["body"]) == body
    assert (shown["delivery"]["status"], shown["delivery"]["answer"]) == (200, "thanks")
    assert "200 after" in call(server, "redeliver", "chat", body["id"], *PROJECT)
    assert receiver.take().json() == body
    assert SECRET not in call(server, "show", "chat", *PROJECT) + server.log()
    table = call(server, "list", *PROJECT)
    assert "workflow-completed,job-completed" in table


def test_a_webhook_is_looked_after_from_the_command_line(tmp_path: Path) -> None:
    with (
        receiving() as receiver,
        serve(tmp_path / "data", *LAX, "--slots", "0") as server,
        joined_parts(server.folder.root) as parts,
    ):
        trigger_config(parts, CONFIG)
        uuid = create(server, receiver.url, "--event", "job-completed")
        changed = load(call(server, "update", uuid, "--name", "x", "--no-verify-tls", "--json"))[0]
        assert (changed["name"], changed["verify-tls"], changed["events"]) == ("x", False, ["job-completed"])
        assert "--url" in call(server, "update", uuid, status=2)
        assert "no webhook 'y'" in call(server, "show", "y", *PROJECT, status=2)
        receiver.status = 404
        assert "404 after" in call(server, "ping", "x", *PROJECT, status=1)
        assert "any" in call(server, "show", "x", *PROJECT)
        assert load(call(server, "update", uuid, "--remove-secret", "--json"))[0]["signing-secret"] == ""
        call(server, "ping", uuid, status=1)
        assert "circleci-signature" not in receiver.every[-1].headers
        assert "private or special" not in call(server, "deliveries", uuid)
        call(server, "delete", "x", *PROJECT)
        assert call(server, "list", "--json", *PROJECT) == ""
        receiver.url = receiver.url.replace("http://", "https://user@")
        refused = call(server, "create", receiver.url, *PROJECT, status=2)
        assert "no user or password" in refused
        assert "cannot be read" in call(server, "create", "https://[x", *PROJECT, status=2)


def test_private_addresses_are_refused_unless_the_operator_allows_them(tmp_path: Path) -> None:
    with (
        receiving() as receiver,
        serve(tmp_path / "data", "--webhook-ports", "0", "--webhook-protocols", "http") as server,
        joined_parts(server.folder.root) as parts,
    ):
        trigger_config(parts, CONFIG)
        assert "webhook_networks" in call(server, "create", receiver.url, *PROJECT, status=2)
        uuid = create(server, f"http://localhost:{receiver.port}/")
        assert "private or special" in call(server, "ping", uuid, status=1)
        assert receiver.every == []


def test_what_was_promised_is_sent_after_a_kill(tmp_path: Path) -> None:
    data, arguments = tmp_path / "data", (*LAX, "--slots", "1")
    with receiving() as receiver:
        with serve(data, *arguments) as server, joined_parts(server.folder.root) as parts:
            await_end(parts, trigger_config(parts, CONFIG).uuid)
            receiver.gate.clear()
            create(server, receiver.url)
            made = trigger_config(parts, CONFIG)
            begun = receiver.take().json()
            await_end(parts, made.uuid)
            server.kill()
        assert len(receiver.every) == 1
        receiver.gate.set()
        with serve(data, *arguments):
            bodies = take(receiver, 2)
        assert names_of([begun, *bodies]) == ENDS
        assert {each["pipeline"]["id"] for each in bodies} == {made.uuid}


def await_end(parts: Parts, pipeline: str) -> None:
    wait_until(
        lambda: summarize_pipeline(parts, pipeline).workflows[0].status.is_terminal,
        seconds=30,
        what="it ended",
    )


@pytest.mark.postgres
def test_two_servers_send_each_message_once(tmp_path: Path, postgresql: PostgresServer) -> None:
    url = postgresql.new_database()
    shared = ("--database", url, "--blobs", str(tmp_path / "blobs"), "--slots", "1", *LAX)
    key = {"PENSTOCK_KEY": "ab" * 32}
    with (
        receiving() as receiver,
        serve(tmp_path / "one", *shared, **key) as one,
        serve(tmp_path / "two", *shared, **key),
        joined_parts(tmp_path / "mine", url) as parts,
    ):
        trigger_config(parts, CONFIG)
        create(one, receiver.url)
        made = {trigger_config(parts, CONFIG).uuid for _ in range(8)}
        wait_until(
            lambda: sum(each.json()["pipeline"]["id"] in made for each in tuple(receiver.every)) >= 24,
            seconds=60,
            what="all was sent",
        )
        ids = [each.json()["id"] for each in receiver.every]
        assert len(ids) == len(set(ids))
