import socket
from pathlib import Path

import pytest

from penstock.agent.executor.docker.engine import find_address, open_engine
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
