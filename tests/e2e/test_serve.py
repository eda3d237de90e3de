"""A server from start to end: what it answers, what a stop, a kill and a rival do to it and its jobs."""

import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from penstock.model.summary import WorkflowSummary
from tests.support.certificates import make_certificate
from tests.support.command import command
from tests.support.processes import mark_of, processes_with, wait_until
from tests.support.server import begin_server, joined_parts, running_server, trigger_config

CONFIG = """
version: 2.1
jobs:
  build:
    machine: true
    steps: [{{run: '{command}'}}]
workflows: {{main: {{jobs: [build]}}}}
"""


def config_of(text: str) -> str:
    return CONFIG.format(command=text)


def summary_of(parts: Parts, pipeline: str) -> WorkflowSummary:
    (workflow,) = summarize_pipeline(parts, pipeline).workflows
    return workflow


def await_end(parts: Parts, pipeline: str, seconds: float = 20) -> WorkflowSummary:
    wait_until(lambda: summary_of(parts, pipeline).status.is_terminal, seconds=seconds, what="it ended")
    return summary_of(parts, pipeline)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_tells_that_it_lives_and_stops_when_told(tmp_path: Path, number: int) -> None:
    with running_server(tmp_path / "data") as server:
        assert server.get("/healthz").text == "ok\n"
        assert server.get("/readyz").json() == {"ready": True, "reasons": []}
        assert 'penstock_requests_total{method="GET",route="/healthz",status="200"} 1.0' in (
            server.get("/metrics").text
        )
        server.signal(number)
        assert server.end() == 0
        assert "Traceback" not in server.log()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data/key").stat().st_mode & 0o777 == 0o600


def test_a_server_runs_what_is_triggered(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server, joined_parts(server.folder.root) as parts:
        pipeline = trigger_config(parts, config_of("echo hello"))
        assert await_end(parts, pipeline.uuid).status == "success"
        assert server.stop() == 0


def test_a_running_job_may_end_while_the_server_drains(tmp_path: Path) -> None:
    go = tmp_path / "go"
    with running_server(tmp_path / "data") as server, joined_parts(server.folder.root) as parts:
        pipeline = trigger_config(
            parts, config_of(f"touch {tmp_path}/on; until test -e {go}; do sleep 0.05; done")
        )
        wait_until((tmp_path / "on").exists, what="the job runs")
        server.signal(signal.SIGTERM)
        wait_until(lambda: server.get("/readyz").status_code == 503, what="it is not ready any more")
        assert server.get("/readyz").json()["reasons"] == ["the server is stopping"]
        go.touch()
        assert server.end() == 0
        assert summary_of(parts, pipeline.uuid).status == "success"


@pytest.mark.parametrize("signals", [1, 2])
def test_a_job_that_does_not_end_is_handed_back(tmp_path: Path, signals: int) -> None:
    drain = "0.2" if signals == 1 else "600"
    with (
        running_server(tmp_path / "data", "--drain", drain) as server,
        joined_parts(server.folder.root) as parts,
    ):
        pipeline = trigger_config(parts, first_time_stuck(tmp_path))
        wait_until((tmp_path / "on").exists, what="the job runs")
        for _ in range(signals):
            server.signal(signal.SIGTERM)
            wait_until(lambda: "draining" in server.log(), what="it drains")
        assert server.end() == 0
        assert processes_with(mark_of(tmp_path)) == []
        (job,) = summary_of(parts, pipeline.uuid).jobs
        assert (job.status, job.attempt) == ("queued", 2)
        with running_server(tmp_path / "data"):
            assert await_end(parts, pipeline.uuid).status == "success"


def test_a_killed_server_s_job_is_taken_back_by_the_next(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server, joined_parts(server.folder.root) as parts:
        pipeline = trigger_config(parts, first_time_stuck(tmp_path))
        wait_until((tmp_path / "on").exists, what="the job runs")
        server.kill()
        with running_server(tmp_path / "data"):
            assert await_end(parts, pipeline.uuid, seconds=10).status == "success"
        wait_until(lambda: processes_with(mark_of(tmp_path)) == [], what="the job's processes end")


def first_time_stuck(folder: Path) -> str:
    """A config whose job never ends the first time, and passes when it is tried again."""
    return config_of(f"test -e {folder}/on && exit; touch {folder}/on; sleep {mark_of(folder)}")


def test_a_second_server_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        rival = begin_server(tmp_path / "data")
        assert rival.end() == 2
        assert f"another penstock server (process {server.process.pid}) uses the folder" in rival.log()
        assert server.get("/healthz").status_code == 200


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = serve_badly("--data", str(tmp_path / "data"), "--port", str(port))
    assert done.returncode == 3
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in done.stderr


def test_a_wrong_setting_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "penstock.toml"
    file.write_text('# a comment\nport = "many"\n')
    done = serve_badly("--settings", str(file))
    assert (done.returncode, done.stderr) == (
        2,
        f"penstock: {file}:2: port: Expected 'int', got 'str'\n",
    )


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = serve_badly("--data", str(tmp_path / "file"))
    assert done.returncode == 3
    assert "cannot write to" in done.stderr


def serve_badly(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The end of a server that should not start."""
    return subprocess.run(
        command("serve", *arguments), capture_output=True, text=True, timeout=30, check=False
    )


def test_the_server_speaks_tls_when_it_has_a_certificate(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    tls = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with running_server(tmp_path / "data", *tls) as server:
        assert server.url.startswith("https://")
        assert server.get("/healthz").text == "ok\n"


def test_the_api_is_described_and_its_page_fetches_nothing(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        document = server.get("/system/openapi.json").json()
        assert document["openapi"] == "3.1.0"
        assert set(document["paths"]) == {"/healthz", "/readyz", "/metrics", "/pipelines/{place}"}
        page = server.get("/system/docs")
        assert "/readyz" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert [word for word in ("<script", "src=", "//") if word in page.text] == []


def test_a_connection_without_a_request_in_it_costs_nothing_for_long(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        port = int(server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nX-Long: ")
            with suppress(OSError):
                for _ in range(20):
                    connection.sendall(b"x" * 10_000)
            with suppress(OSError):
                assert connection.recv(100) == b""
        assert server.get("/healthz").status_code == 200


def test_a_broken_request_is_answered_as_such(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server:
        port = int(server.url.rpartition(":")[2])
        for sent in (b"nonsense\r\n\r\n", b"GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(sent)
                assert connection.recv(1000).startswith(b"HTTP/1.1 40")
        assert "Traceback" not in server.log()
