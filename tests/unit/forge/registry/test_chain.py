"""Where orbs are looked for: the folder, what was fetched, the registry; pinned on request."""

import os
from pathlib import Path

import pytest

from penstock.forge.registry.cache import FRESH, OrbCache
from penstock.forge.registry.chain import OrbChain
from penstock.forge.registry.folder import OrbFolder, parse_published
from penstock.forge.registry.lock import OrbLock, Pin, hash_source
from penstock.forge.registry.orb import Orb, OrbMissingError
from penstock.forge.registry.remote import RemoteRegistry
from penstock.model.errors import InvalidError, UnavailableError
from tests.support.registry import Registry, serve_registry

ORBS = {"acme/build": {"1.0.0": "one", "1.2.0": "two", "dev:x": "three"}}


def make_chain(folder: Path, registry: Registry | None, lock: OrbLock | None = None) -> OrbChain:
    return OrbChain(
        local=OrbFolder(folder / "orbs"),
        cache=OrbCache(folder / "cache"),
        remote=RemoteRegistry(registry.address) if registry is not None else None,
        lock=lock,
    )


def make_old(folder: Path) -> None:
    """All answers in the cache were given long ago."""
    for path in (folder / "cache/answers").iterdir():
        os.utime(path, (0, path.stat().st_mtime - 2 * FRESH))


def test_the_registry_of_this_machine_comes_first(tmp_path: Path) -> None:
    with serve_registry(ORBS) as registry:
        chain = make_chain(tmp_path, registry)
        chain.local.publish(parse_published("acme/build@1.1.0"), "mine")
        assert chain.find("acme/build@1") == Orb("acme/build@1.1.0", "mine")
    assert registry.asked == []


def test_a_version_that_is_not_there_is_told_of_with_those_that_are(tmp_path: Path) -> None:
    chain = make_chain(tmp_path, None)
    chain.local.publish(parse_published("acme/build@1.1.0"), "mine")
    with pytest.raises(OrbMissingError, match=r"which has 1\.1\.0, and remote registries"):
        chain.find("acme/build@2")


@pytest.mark.parametrize("reference", ["acme/build@1", "acme/build@1.0.0", "acme/build@dev:x"])
def test_what_was_fetched_is_not_asked_for_again(tmp_path: Path, reference: str) -> None:
    with serve_registry(ORBS) as registry:
        orb = make_chain(tmp_path, registry).find(reference)
        assert make_chain(tmp_path, registry).find(reference) == orb
    assert registry.asked == [reference]


def test_an_old_answer_is_asked_for_again_and_a_released_version_never(tmp_path: Path) -> None:
    with serve_registry(ORBS) as registry:
        chain = make_chain(tmp_path, registry)
        chain.find("acme/build@1")
        chain.find("acme/build@1.0.0")
        registry.orbs = {"acme/build": {"1.3.0": "new"}}
        make_old(tmp_path)
        assert chain.find("acme/build@1").source == "new"
        assert chain.find("acme/build@1.0.0").source == "one"
    assert registry.asked == ["acme/build@1", "acme/build@1.0.0", "acme/build@1"]


def test_without_a_network_old_answers_count(tmp_path: Path) -> None:
    with serve_registry(ORBS) as registry:
        chain = make_chain(tmp_path, registry)
        orb = chain.find("acme/build@1")
    make_old(tmp_path)
    assert chain.find("acme/build@1") == orb
    assert make_chain(tmp_path, None).find("acme/build@1") == orb
    with pytest.raises(UnavailableError, match="does not answer"):
        chain.find("acme/build@2")
    with pytest.raises(OrbMissingError, match="switched off"):
        make_chain(tmp_path, None).find("acme/build@2")


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    with serve_registry(ORBS) as registry:
        chain = make_chain(tmp_path, registry)
        assert chain.find("acme/build@1") == chain.find("acme/build@1")
    assert len(registry.asked) == 2


def test_a_lock_file_is_written_once_and_then_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "orbs.lock"
    with serve_registry(ORBS) as registry:
        chain = make_chain(tmp_path, registry, OrbLock(path))
        orb = chain.find("acme/build@1")
        OrbLock(path).write({"acme/build@1": orb})
        make_old(tmp_path)
        registry.orbs = {"acme/build": {**ORBS["acme/build"], "1.9.0": "newest"}}
        locked = make_chain(tmp_path, registry, OrbLock(path))
        assert locked.find("acme/build@1") == orb
        assert make_chain(tmp_path, registry).find("acme/build@1").source == "newest"
        with pytest.raises(InvalidError, match="delete the file"):
            locked.find("acme/build@2")


def test_a_source_that_was_changed_under_its_version_is_refused(tmp_path: Path) -> None:
    lock = OrbLock(tmp_path / "orbs.lock")
    lock.pins = {"acme/build@dev:x": Pin("acme/build@dev:x", hash_source("other"))}
    with serve_registry(ORBS) as registry, pytest.raises(InvalidError, match="another source"):
        make_chain(tmp_path, registry, lock).find("acme/build@dev:x")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"orbs": {"a": 3}}'])
def test_a_broken_lock_file_is_told_of(tmp_path: Path, text: str) -> None:
    (tmp_path / "orbs.lock").write_text(text)
    with pytest.raises(InvalidError, match="no lock file"):
        OrbLock(tmp_path / "orbs.lock")


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://example.com/orbs/a.yml", True), ("https://example.com/orbs", True),
        ("https://example.com/orbs-of-others/a.yml", False), ("https://example.com/orbs/../x.yml", False),
        ("https://example.com.evil.org/orbs/a.yml", False), ("https://evil@example.com/orbs/a.yml", False),
        ("http://example.com/orbs/a.yml", False),
    ],
)  # fmt: skip
def test_only_allowed_addresses_are_fetched(tmp_path: Path, address: str, *, allowed: bool) -> None:
    cache = OrbCache(tmp_path)
    cache.remember(address, Orb(address, "commands: {}"))
    chain = OrbChain(local=OrbFolder(tmp_path), cache=cache, urls=("https://example.com/orbs",))
    if allowed:
        assert chain.find(address).source == "commands: {}"
        return
    with pytest.raises(OrbMissingError):
        chain.find(address)
