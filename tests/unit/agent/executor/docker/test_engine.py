import json
import platform
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from penstock.agent.executor.docker.engine import Engine, check_neighbour, find_address, open_engine
from penstock.model.errors import InvalidError, UnavailableError


def test_the_variable_comes_before_the_usual_socket() -> None:
    assert find_address({"DOCKER_HOST": "tcp://127.0.0.1:1"}) == "tcp://127.0.0.1:1"


def test_a_rootless_engine_is_found_in_the_users_folder(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{tmp_path}/docker.sock")
        assert find_address({"XDG_RUNTIME_DIR": str(tmp_path)}).endswith("/docker.sock")


@pytest.mark.parametrize("address", ["unix:///no/such/socket", "tcp://127.0.0.1:1"])
def test_an_engine_that_does_not_answer_is_named(address: str) -> None:
    with pytest.raises(UnavailableError, match=f"no Docker engine answers at {address}"):
        open_engine({"DOCKER_HOST": address})


def test_an_address_of_another_kind_is_refused_with_what_to_give() -> None:
    with pytest.raises(InvalidError, match="give unix:///path or tcp://host:port"):
        open_engine({"DOCKER_HOST": "ssh://me@there"})


class _Engine(BaseHTTPRequestHandler):
    kernel = ""

    def do_GET(self) -> None:  # the name is that of the base class
        data = json.dumps({"KernelVersion": self.kernel, "Version": "1"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    server = HTTPServer(("127.0.0.1", 0), _Engine)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Engine(f"tcp://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_engine_with_the_kernel_of_this_machine_is_on_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Engine, "kernel", platform.release())
    check_neighbour(engine)


def test_an_engine_on_another_machine_is_refused(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Engine, "kernel", "6.10.14-elsewhere")
    with pytest.raises(UnavailableError, match=r"on another machine \(its kernel is 6\.10\.14-elsewhere"):
        check_neighbour(engine)
