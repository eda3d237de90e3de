"""Sealing: what is sealed opens with its key in its place, and with nothing else."""

import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.errors import InvalidError, RefusedError, UnavailableError
from penstock.store.sealing import (
    KEY_VARIABLE,
    Sealer,
    hash_token,
    make_key,
    make_token,
    parse_keys,
    verify_token,
)

OLD, NEW = b"o" * 32, b"n" * 32


@given(plain=st.binary(max_size=300), place=st.text(max_size=30))
def test_what_is_sealed_opens_in_its_place(plain: bytes, place: str) -> None:
    sealer = Sealer([OLD])
    sealed = sealer.seal(plain, place.replace("\ud800", ""))
    assert sealer.open(sealed, place.replace("\ud800", "")) == plain
    assert len(sealed) == len(plain) + 37


@given(position=st.integers(min_value=0), mask=st.integers(1, 255))
def test_a_changed_byte_is_noticed(position: int, mask: int) -> None:
    sealed = bytearray(Sealer([OLD]).seal(b"plain", "a/1/b"))
    sealed[position % len(sealed)] ^= mask
    with pytest.raises(RefusedError):
        Sealer([OLD]).open(bytes(sealed), "a/1/b")


@given(length=st.integers(0, 41))
def test_a_cut_value_is_noticed(length: int) -> None:
    sealed = Sealer([OLD]).seal(b"plain", "a/1/b")
    with pytest.raises(RefusedError):
        Sealer([OLD]).open(sealed[:length], "a/1/b")


def test_a_value_opens_only_in_its_place() -> None:
    sealed = Sealer([OLD]).seal(b"plain", "a/1/b")
    with pytest.raises(RefusedError, match="moved"):
        Sealer([OLD]).open(sealed, "a/2/b")


def test_the_same_value_is_sealed_differently_each_time() -> None:
    sealer = Sealer([OLD])
    assert sealer.seal(b"plain", "a") != sealer.seal(b"plain", "a")


def test_old_keys_still_open_and_the_newest_seals() -> None:
    sealed = Sealer([OLD]).seal(b"plain", "a")
    both = Sealer([NEW, OLD])
    assert both.open(sealed, "a") == b"plain"
    assert not both.is_current(sealed)
    fresh = both.seal(b"plain", "a")
    assert both.is_current(fresh)
    assert Sealer([NEW]).open(fresh, "a") == b"plain"


def test_a_missing_key_is_told_from_a_damaged_value() -> None:
    with pytest.raises(RefusedError, match="add the old key"):
        Sealer([NEW]).open(Sealer([OLD]).seal(b"plain", "a"), "a")


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, b""]])
def test_a_key_has_32_bytes(keys: list[bytes]) -> None:
    with pytest.raises(InvalidError, match="32 bytes"):
        Sealer(keys)


def test_keys_are_read_as_base64_or_hex_in_their_order() -> None:
    text = f" {OLD.hex()},\n{'bm5u' * 10}bm4=\n"
    assert parse_keys(text, "x") == [OLD, NEW]
    assert len(parse_keys(make_key(), "x")[0]) == 32


@pytest.mark.parametrize("text", ["", " ,", "c2hvcnQ=", "é" * 44, OLD.hex()[:-1], OLD.hex() + " junk"])
def test_a_text_that_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(InvalidError, match=r"^the place must hold keys") as caught:
        parse_keys(text, "the place")
    assert not text.strip(" ,") or text.strip() not in str(caught.value)


def test_the_variable_comes_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    sealer = Sealer.load(path, {KEY_VARIABLE: OLD.hex()})
    assert Sealer([OLD]).open(sealer.seal(b"plain", "a"), "a") == b"plain"
    assert not path.exists()


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "key"
    sealed = Sealer.load(path, {}).seal(b"plain", "a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Sealer.load(path, {KEY_VARIABLE: " "}).open(sealed, "a") == b"plain"
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_threads_that_make_the_key_file_agree_on_one_key(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def seal(_: int) -> bytes:
        start.wait(10)
        return Sealer.load(tmp_path / "key", {}).seal(b"plain", "a")

    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(seal, range(8)))
    sealer = Sealer.load(tmp_path / "key", {})
    assert [sealer.open(value, "a") for value in sealed] == [b"plain"] * 8


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_text(make_key())
    path.chmod(mode)
    with pytest.raises(RefusedError, match="chmod 600"):
        Sealer.load(path, {})


def _make_folder(path: Path) -> None:
    path.mkdir()


def _make_file_above(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")


@pytest.mark.parametrize("spoil", [_make_folder, _make_file_above])
def test_a_key_file_that_cannot_be_used_is_named(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    path = tmp_path / "data" / "key"
    path.parent.mkdir()
    spoil(path)
    with pytest.raises(UnavailableError, match="data/key"):
        Sealer.load(path, {})


def test_a_token_is_known_by_its_hash() -> None:
    token = make_token()
    assert len(token) == 40
    assert token.isalnum()
    assert make_token("pst_").startswith("pst_")
    assert verify_token(token, hash_token(token))
    assert not verify_token(token + "x", hash_token(token))
    assert not verify_token("", hash_token(token))
    assert token not in hash_token(token)
