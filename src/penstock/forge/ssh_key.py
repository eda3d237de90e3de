"""Reads and makes private SSH keys, and knows them by their fingerprints."""

import base64
import hashlib

from penstock.model.errors import InvalidError
from penstock.model.project import SshKey

_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"


def read_ssh_key(data: bytes, host: str = "") -> SshKey:
    """The key in OpenSSH's own format or PEM. Raises InvalidError when it is none or wants a passphrase."""
    md5, sha256 = find_fingerprints(_find_public(data.strip() + b"\n"))
    private = data.decode().replace("\r\n", "\n").strip() + "\n"
    return SshKey(private=private, md5=md5, sha256=sha256, host=host)


def find_fingerprints(public: bytes) -> tuple[str, str]:
    """What the public half of a key, as SSH writes it on the wire, is known by: `c9:0b:…`, `SHA256:…`."""
    digits = hashlib.md5(public, usedforsecurity=False).hexdigest()
    sha256 = base64.b64encode(hashlib.sha256(public).digest()).decode().rstrip("=")
    return ":".join(digits[place : place + 2] for place in range(0, len(digits), 2)), f"SHA256:{sha256}"


def make_ssh_key() -> tuple[str, bytes]:
    """A new ED25519 key: its private half in OpenSSH's own format, and its public half as on the wire."""
    # Imported late: the library costs 30 ms.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return private.decode(), _find_public(private)


def _find_public(data: bytes) -> bytes:
    """The public half as SSH writes it on the wire.

    Whether the numbers of an RSA key are prime is not asked: for large ones that takes minutes.
    """
    # Imported late: the library costs 30 ms.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
        load_ssh_private_key,
    )

    try:
        if data.startswith(_OPENSSH):
            public = load_ssh_private_key(data, None, unsafe_skip_rsa_key_validation=True).public_key()
        else:
            public = load_pem_private_key(data, None, unsafe_skip_rsa_key_validation=True).public_key()  # type: ignore[assignment] # both know SSH keys
        line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except TypeError as error:
        raise InvalidError("the key has a passphrase: make a copy without one (ssh-keygen -p)") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidError("this is no private SSH key") from error
    return base64.b64decode(line.split()[1])
