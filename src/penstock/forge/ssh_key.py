"""Reads private SSH keys, to know them by their fingerprints."""

import base64
import hashlib

from penstock.model.errors import InvalidError
from penstock.model.project import SshKey

_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"


def read_ssh_key(data: bytes, host: str = "") -> SshKey:
    """The key in OpenSSH's own format or PEM. Raises InvalidError when it is none or wants a passphrase."""
    public = _find_public(data.strip() + b"\n")
    digits = hashlib.md5(public, usedforsecurity=False).hexdigest()
    sha256 = base64.b64encode(hashlib.sha256(public).digest()).decode().rstrip("=")
    return SshKey(
        private=data.decode().replace("\r\n", "\n").strip() + "\n",
        md5=":".join(digits[place : place + 2] for place in range(0, len(digits), 2)),
        sha256=f"SHA256:{sha256}",
        host=host,
    )


def _find_public(data: bytes) -> bytes:
    """The public half as SSH writes it on the wire."""
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
            public = load_ssh_private_key(data, None).public_key()
        else:
            public = load_pem_private_key(data, None).public_key()  # type: ignore[assignment] # both know SSH keys
        line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except TypeError as error:
        raise InvalidError("the key has a passphrase: make a copy without one (ssh-keygen -p)") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidError("this is no private SSH key") from error
    return base64.b64decode(line.split()[1])
