"""Addresses that give a file of an export to whoever has them, for a while: signed, read without a query."""

import hmac
from collections.abc import Sequence

PURPOSE = "usage downloads"
"""What `Sealer.derive_keys` is asked for."""

LIFE = 24 * 3_600_000
"""Milliseconds an address opens."""


def sign_part(keys: Sequence[bytes], export: str, part: int, *, expires_at: int) -> str:
    """The signature of a part's address, with the first of the keys."""
    return _sign(keys[0], export, part, expires_at)


def is_signed(keys: Sequence[bytes], export: str, part: int, *, expires_at: int, signature: str) -> bool:
    """True when one of the keys signed exactly this; when it expires is not looked at."""
    given = signature.encode("utf-8", "replace")
    genuine = [hmac.compare_digest(_sign(key, export, part, expires_at).encode(), given) for key in keys]
    return any(genuine)


def _sign(key: bytes, export: str, part: int, expires_at: int) -> str:
    return hmac.digest(key, f"{export}/{part}/{expires_at}".encode(), "sha256").hex()
