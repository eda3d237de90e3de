"""Listening sockets, and what connections have from them."""

import resource
import socket
from contextlib import closing

import pytest

from penstock.bootstrap.http import OWN_FILES, STALLED, bound_connections, open_sockets
from penstock.model.errors import UnavailableError


def test_connections_are_given_up_by_the_kernel_when_the_caller_is_gone() -> None:
    [listener] = open_sockets("127.0.0.1", 0)
    with closing(listener), socket.create_connection(listener.getsockname()):
        listener.setblocking(True)  # noqa: FBT003 - its only argument
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == STALLED


def test_an_address_that_is_none_of_ours_is_told() -> None:
    with pytest.raises(UnavailableError, match="cannot listen on"):
        open_sockets("192.0.2.1", 0)


def test_connections_leave_files_for_the_server_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (1024, 1024))
    assert bound_connections(100) == 100
    assert bound_connections(4096) == 1024 - OWN_FILES
