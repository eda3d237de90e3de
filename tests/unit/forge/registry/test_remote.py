"""The remote registry, asked over HTTP on this machine: what it says, and every way it can fail."""

import json
import socket
from pathlib import Path

import pytest

from penstock.forge.registry import web
from penstock.forge.registry.orb import OrbMissingError
from penstock.forge.registry.remote import RemoteRegistry
from penstock.language.circleci.orbs import OrbReference
from penstock.model.errors import UnavailableError
from tests.support.registry import serve_registry
from tests.support.shared_data import find_shared

ORBS = {"acme/build": {"1.0.0": "one", "1.2.0": "two", "dev:x": "three"}}
WANTED = OrbReference("acme/build", "1")


def read_recorded(path: Path) -> dict[str, dict[str, str]]:
    """The orbs of a recorded listing, by name and version."""
    edges = json.loads(path.read_text())["orbs"]["edges"]
    return {
        edge["node"]["name"]: {each["version"]: each["source"] for each in edge["node"]["versions"]}
        for edge in edges
    }


@pytest.mark.parametrize(
    ("version", "exact", "source"),
    [
        ("1", "1.2.0", "two"),
        ("1.0", "1.0.0", "one"),
        ("volatile", "1.2.0", "two"),
        ("dev:x", "dev:x", "three"),
    ],
)
def test_the_registry_chooses_the_version(version: str, exact: str, source: str) -> None:
    with serve_registry(ORBS) as registry:
        orb = RemoteRegistry(registry.address, "secret").fetch(OrbReference("acme/build", version))
    assert (orb.reference, orb.source) == (f"acme/build@{exact}", source)
    assert (registry.asked, registry.tokens) == ([f"acme/build@{version}"], ["secret"])


def test_recorded_orbs_are_fetched_as_they_were_recorded() -> None:
    orbs = read_recorded(find_shared("circleci/samples/orb-registry/gql_orb_list_details.response.json"))
    with serve_registry(orbs) as registry:
        orb = RemoteRegistry(registry.address).fetch(OrbReference("foo/test", "volatile"))
    assert orb.reference == "foo/test@0.7.0"
    assert orb.source.startswith("version: 2.1\norbs:\n")


def test_an_orb_that_is_not_there_is_missing() -> None:
    with (
        serve_registry(ORBS) as registry,
        pytest.raises(OrbMissingError, match="Cannot find acme/build@7 in"),
    ):
        RemoteRegistry(registry.address).fetch(OrbReference("acme/build", "7"))


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, b"", "answers 500"),
        (200, b"<html>", "does not answer as an orb registry"),
        (200, b'{"data": 3}', "does not answer as an orb registry"),
        (200, b"\xff\xfe", "does not answer as an orb registry"),
        (200, b'{"errors": [{"message": "not today"}]}', "not today"),
        (200, b'{"data": {"orbVersion": {"version": "2.0.0", "source": "x"}}}', "version 2.0.0 for"),
        (302, b"file:///etc/passwd", "answers 302"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_told_of(status: int, body: bytes, message: str) -> None:
    with serve_registry(ORBS) as registry:
        registry.answer = (status, body)
        with pytest.raises(UnavailableError, match=message):
            RemoteRegistry(registry.address).fetch(WANTED)


def test_an_answer_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.forge.registry.remote.LARGEST_ORB", 1000)
    endless = {"acme/build": {"1.0.0": "x" * 100_000}}
    with serve_registry(endless) as registry, pytest.raises(UnavailableError, match="larger than"):
        RemoteRegistry(registry.address).fetch(WANTED)


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "LONGEST_SILENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(UnavailableError, match="does not answer"):
            RemoteRegistry(address).fetch(WANTED)


def test_nobody_there_is_told_of() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(UnavailableError, match="does not answer"):
        RemoteRegistry(f"http://127.0.0.1:{port}/").fetch(WANTED)
