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


@cache
def make_heavy_key() -> rsa.RSAPrivateKey:
    """A key whose primes are so large that it takes a quarter of a minute to find out that they are prime."""
    first, second, public = 2**4253 - 1, 2**4423 - 1, 65537
    private = pow(public, -1, (first - 1) * (second - 1))
    numbers = rsa.RSAPrivateNumbers(
        first,
        second,
        private,
        rsa.rsa_crt_dmp1(private, first),
        rsa.rsa_crt_dmq1(private, second),
        rsa.rsa_crt_iqmp(first, second),
        rsa.RSAPublicNumbers(public, first * second),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def known_key(number: int = 0, host: str = "") -> SshKey:
    """The key of that number as a project has it."""
    return read_ssh_key(make_key(number), host)
