"""Private keys are known by the fingerprints that OpenSSH shows, whatever their format."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from penstock.forge.ssh_key import read_ssh_key
from penstock.model.errors import InvalidError
from tests.support.keys import make_heavy_key, make_key, make_rsa_key


@pytest.mark.parametrize(
    "form", [PrivateFormat.OpenSSH, PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8]
)
def test_one_key_has_the_same_fingerprints_in_every_format(form: PrivateFormat) -> None:
    key = make_rsa_key()
    here = read_ssh_key(key.private_bytes(Encoding.PEM, form, NoEncryption()))
    usual = read_ssh_key(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()), "host")
    assert (here.md5, here.sha256, here.host, usual.host) == (usual.md5, usual.sha256, "", "host")


@pytest.mark.parametrize("form", [PrivateFormat.OpenSSH, PrivateFormat.TraditionalOpenSSL])
def test_reading_a_large_key_costs_no_search_for_primes(form: PrivateFormat) -> None:
    data = make_heavy_key().private_bytes(Encoding.PEM, form, NoEncryption())
    begun = time.process_time()
    assert read_ssh_key(data).sha256.startswith("SHA256:")
    assert time.process_time() - begun < 3


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen to ask")
@pytest.mark.parametrize("number", range(3))
def test_fingerprints_are_those_openssh_shows(tmp_path: Path, number: int) -> None:
    file = tmp_path / "key"
    file.write_bytes(make_key(number))
    file.chmod(0o600)
    key = read_ssh_key(make_key(number))
    for hash_name, expected in (("md5", f"MD5:{key.md5}"), ("sha256", key.sha256)):
        shown = subprocess.run(
            ["ssh-keygen", "-l", "-E", hash_name, "-f", file], capture_output=True, text=True, check=True
        )
        assert shown.stdout.split()[1] == expected
        assert key.answers_to(expected)


def test_a_fingerprint_may_be_written_in_several_ways() -> None:
    key = read_ssh_key(make_key())
    for text in (key.md5.upper(), f" {key.md5} ", f"MD5:{key.md5}", key.sha256 + "=", key.sha256[7:]):
        assert key.answers_to(text)
    assert not key.answers_to(read_ssh_key(make_key(1)).md5)


@pytest.mark.parametrize(
    "data", [b"", b"ssh-ed25519 AAAA me", b"-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", b"\xff"]
)
def test_what_is_no_key_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidError, match="no private SSH key"):
        read_ssh_key(data)


def test_a_pem_key_with_a_passphrase_is_refused_with_a_way_out() -> None:
    sealed = BestAvailableEncryption(b"secret")
    data = make_rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)
    with pytest.raises(InvalidError, match="ssh-keygen -p"):
        read_ssh_key(data)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen to make one with")
def test_so_is_one_of_openssh(tmp_path: Path) -> None:
    file = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", file], check=True)
    with pytest.raises(InvalidError, match="ssh-keygen -p"):
        read_ssh_key(file.read_bytes())
