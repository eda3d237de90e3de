"""The command line at servers that lie, break off or are something else."""

import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.canned import saying, with_body
from tests.support.command import Outcome, command

EVIL = "x\x1b[2J\x1b]0;owned\x07\r\n\u202e\x9b31my"
ID = "01a1fec8-cbfb-7233-8d8e-697f9f43dac6"
PROJECT = {
    "id": ID,
    "slug": EVIL,
    "name": EVIL,
    "address": "circleci/a/b",
    "organization": EVIL,
    "organization_id": ID,
    "url": EVIL,
    "default_branch": EVIL,
    "created_at": 1,
    "settings": {},
}
JOB = {
    "id": ID,
    "number": 1,
    "key": EVIL,
    "name": EVIL,
    "kind": "build",
    "status": "failed",
    "reason": "",
    "attempt": 1,
    "parallelism": 1,
    "message": EVIL,
    "step": EVIL,
    "started_at": 1,
    "stopped_at": 2,
}
PICTURE = {
    "version": "1",
    "id": ID,
    "number": 1,
    "project": EVIL,
    "project_id": ID,
    "status": "created",
    "ended": False,
    "outcome": "failed",
    "branch": EVIL,
    "tag": "",
    "sha": "",
    "subject": EVIL,
    "actor": EVIL,
    "created_at": 1,
    "stopped_at": None,
    "errors": [EVIL],
    "workflows": [
        {
            "id": ID,
            "name": EVIL,
            "status": "failed",
            "reason": "",
            "repeated": False,
            "created_at": 1,
            "stopped_at": 2,
            "jobs": [JOB],
        }
    ],
}


def call(folder: Path, url: str, *arguments: str) -> Outcome:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    own = {"PENSTOCK_SERVER": url, "PENSTOCK_TOKEN": "t", "XDG_CONFIG_HOME": str(folder), "NO_PROXY": "*"}
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=kept | own,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def told(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    return with_body(msgspec.json.encode(value))


def is_clean(done: Outcome) -> bool:
    """True when nothing printed steers a terminal, and no traceback is among it."""
    text = (done.out + done.err).replace("\n", "")
    return text.isprintable() and "Traceback" not in text and "internal error" not in text


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("project", "list"), told({"items": [PROJECT], "next": None})),
        (("project", "show", "x"), told(PROJECT)),
        (("watch", ID, "--timeout", "1ms"), told(PICTURE)),
        (("approve", "x", "--pipeline", ID), told(PICTURE)),
        (("rerun", ID, "--workflow", EVIL), told(PICTURE)),
        (("cancel", ID, "--job", "x"), told(PICTURE)),
        (("project", "list"), with_body(msgspec.json.encode({"message": EVIL}), status="400 Bad Request")),
        (("trigger", "x"), told({"items": [EVIL]})),
    ],
)
def test_what_a_server_says_steers_nothing(tmp_path: Path, arguments: tuple[str, ...], answer: bytes) -> None:
    with saying(answer) as server:
        done = call(tmp_path, server.url, *arguments)
    assert is_clean(done), done


@pytest.mark.parametrize(
    "answer",
    [
        with_body(b"<html>not JSON"),
        with_body(b"[]"),
        with_body(b'{"items": 5}'),
        with_body(b"[" * 100_000),
        with_body(b'{"items": [' + b'{"id": 1},' * 3),
        with_body(b"\xff\xfe\x00"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
)
@pytest.mark.parametrize(
    "arguments", [("project", "list"), ("token", "list"), ("agent", "list"), ("trigger", "gh/acme/app")]
)
def test_nonsense_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], answer: bytes) -> None:
    with saying(answer) as server:
        done = call(tmp_path, server.url, *arguments)
    assert (done.status, done.out, done.err.count("\n")) == (3, "", 1), done
    assert server.url in done.err
    assert is_clean(done)


def test_a_list_that_never_ends_is_left_by_whom_it_bores(tmp_path: Path) -> None:
    with saying(told({"items": [PROJECT], "next": "more"})) as server:
        own = {"PENSTOCK_SERVER": server.url, "PENSTOCK_TOKEN": "t", "NO_PROXY": "*"}
        with subprocess.Popen(
            command("project", "list", "--json"),
            cwd=tmp_path,
            env=os.environ | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as endless:
            assert endless.stdout is not None
            assert endless.stderr is not None
            assert endless.stdout.readline().startswith(b"{")
            endless.stdout.close()
            assert endless.wait(30) == 141
            assert endless.stderr.read() == b""


def test_an_artifact_is_written_nowhere_else(tmp_path: Path) -> None:
    for path in ("../../evil", "/etc/evil", "a/../../evil", ".", EVIL):
        file = {"path": path, "node_index": 0, "url": "http://elsewhere.example.com/x"}
        answer = {
            "items": [file], "id": ID, "name": EVIL, "number": 1, "parallelism": 1, "project": {"id": ID},
            **{name: value for name, value in PROJECT.items() if name not in {"id", "name"}},
        }  # fmt: skip
        with saying(told(answer)) as server:
            done = call(tmp_path, server.url, "artifacts", ID, "--download", "out")
        assert is_clean(done), done
        assert all(b"elsewhere" not in asked for asked in server.asked)
        outside = [each.name for each in tmp_path.iterdir()]
        assert outside in ([], ["out"])
