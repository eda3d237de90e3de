"""The Docker Engine's HTTP API, a connection per request, over its unix socket or TCP."""

import http.client
import os
import platform
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from penstock.agent.executor.base import LostPlaceError
from penstock.kit.shapes import read_json
from penstock.model.errors import InvalidError, PenstockError, UnavailableError

Shape = TypeVar("Shape")
Query = Mapping[str, str | int]

_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
_VERSION = (1, 47)  # the newest API this code was read against; an engine may know less
_PATIENCE = 60.0  # seconds the engine may think about one request, or be silent within one
_GREETING = 2.0
_PIECE = 1 << 20


class EngineError(PenstockError):
    """The engine refused a request; `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Machine(msgspec.Struct, frozen=True):
    """What the engine's machine has; memory in bytes."""

    processors: int = msgspec.field(name="NCPU")
    memory: int = msgspec.field(name="MemTotal")


class Engine:
    """One engine. All calls may be made from several threads at once.

    Every call raises LostPlaceError when the engine cannot be reached or stays silent, EngineError when it
    refuses.
    """

    def __init__(self, address: str, version: str = "") -> None:
        self.address = address
        self._version = version

    @property
    def socket(self) -> str:
        """The path of its unix socket, empty when it has none."""
        return urlsplit(self.address).path if self.address.startswith("unix:") else ""

    @cached_property
    def machine(self) -> Machine:
        """What the engine's machine has."""
        return self.ask(Machine, "/info")

    def ask(self, shape: type[Shape], path: str, query: Query | None = None, *, body: object = None) -> Shape:
        """The engine's answer to a GET, or to a POST when there is a body."""
        with self.open("GET" if body is None else "POST", path, query, body=body) as response:
            return read_json(response.read(), shape)

    def tell(self, method: str, path: str, query: Query | None = None, *, body: object = None) -> bytes:
        """Make a request whose success is all that matters; returns what was answered."""
        with self.open(method, path, query, body=body) as response:
            return response.read()

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        chunks: Iterable[bytes] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to a request, to be read inside the block; `chunks` are sent as they come."""
        connection = connect_engine(self.address, _PATIENCE)
        given = dict(headers or {})
        if body is not None:
            given["Content-Type"] = "application/json"
        data = chunks if chunks is not None else None if body is None else msgspec.json.encode(body)
        target = self.make_target(path, query)
        try:
            with suppress(BrokenPipeError):  # it answered before it had read all: the answer says why
                connection.request(method, target, data, given, encode_chunked=chunks is not None)
            response = connection.getresponse()
            if response.status >= http.client.BAD_REQUEST:
                raise _read_refusal(response)
            yield response
        except (OSError, http.client.HTTPException) as error:
            raise LostPlaceError(f"the Docker engine at {self.address} does not answer: {error}") from error
        finally:
            connection.close()

    def make_target(self, path: str, query: Query | None = None) -> str:
        """What a request line says: the version of the API, the path and the query."""
        return f"{self._version}{path}" + (f"?{urlencode(query)}" if query else "")

    def read(self, path: str, query: Query | None = None) -> Iterator[bytes]:
        """The body of a GET, piece by piece."""
        with self.open("GET", path, query) as response:
            while piece := response.read(_PIECE):
                yield piece


class _Version(msgspec.Struct, frozen=True, rename="pascal"):
    kernel_version: str = ""


def check_neighbour(engine: Engine) -> None:
    """Raises UnavailableError when the engine is on another machine: no folder can be shared with it.

    A virtual machine, as those of desktops, has a kernel of its own.
    """
    try:
        there, here = engine.ask(_Version, "/version").kernel_version, platform.release()
    except (LostPlaceError, EngineError) as error:
        raise UnavailableError(str(error)) from error
    if there != here:
        raise UnavailableError(
            f"the Docker engine at {engine.address} is on another machine (its kernel is "
            f"{there or 'unknown'}, this one's {here}): folders cannot be shared with it"
        )


def _read_refusal(response: http.client.HTTPResponse) -> PenstockError:
    text = response.read()
    try:
        message = msgspec.json.decode(text, type=dict[str, str])["message"]
    except (msgspec.DecodeError, KeyError):
        message = text.decode(errors="replace") or response.reason
    return EngineError(response.status, message)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def connect_engine(address: str, timeout: float) -> http.client.HTTPConnection:
    """A connection, not yet open. Raises InvalidError for an address of a kind we do not speak."""
    parts = urlsplit(address)
    if parts.scheme == "unix":
        return _UnixConnection(parts.path, timeout)
    if parts.scheme in {"tcp", "http"} and parts.hostname:
        return http.client.HTTPConnection(parts.hostname, parts.port or 2375, timeout=timeout)
    raise InvalidError(
        f"cannot speak to a Docker engine at {address!r}: give unix:///path or tcp://host:port"
    )


def find_address(environment: Mapping[str, str]) -> str:
    """Where an engine should listen: DOCKER_HOST, else a socket that exists; empty when there is none."""
    if given := environment.get("DOCKER_HOST"):
        return given
    own = f"{environment['XDG_RUNTIME_DIR']}/docker.sock" if "XDG_RUNTIME_DIR" in environment else ""
    found = next((path for path in (*_SOCKETS, own) if path and Path(path).is_socket()), "")
    return f"unix://{found}" if found else ""


def open_engine(environment: Mapping[str, str] | None = None) -> Engine:
    """The engine of this machine. Raises UnavailableError with the reason when none answers."""
    address = find_address(os.environ if environment is None else environment)
    if not address:
        raise UnavailableError("there is no Docker engine here: no DOCKER_HOST and no socket")
    connection = connect_engine(address, _GREETING)
    try:
        connection.request("GET", "/_ping")
        response = connection.getresponse()
        response.read()
        known = response.headers.get("Api-Version", "1.40")
        if response.status != http.client.OK:
            raise UnavailableError(f"the Docker engine at {address} is not well: HTTP {response.status}")
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"no Docker engine answers at {address}: {error}") from error
    finally:
        connection.close()
    version = min(tuple(map(int, known.split("."))), _VERSION)
    return Engine(address, "/v" + ".".join(map(str, version)))
