"""Private SSH keys for tests, and what they are known by."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from penstock.forge.ssh_key import read_ssh_key
from penstock.model.project import SshKey


@cache
def make_key(number: int = 0) -> bytes:
    """A key in OpenSSH's format, another one for each number."""
    del number
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


@cache
def make_rsa_key() -> rsa.RSAPrivateKey:
    """A key that can be written in every format."""
    return rsa.generate_private_key(65537, 2048)


def known_key(number: int = 0, host: str = "") -> SshKey:
    """The key of that number as a project has it."""
    return read_ssh_key(make_key(number), host)
