"""Tokens of tasks: signed, short-lived, good for one task only, and read without a query."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from uuid import UUID

PREFIX = "psk_"
PURPOSE = "task tokens"
"""What `Sealer.derive_keys` is asked for."""

_VERSION = b"\x01"
_TIME_BYTES = 6
_BODY_BYTES = 1 + 16 + _TIME_BYTES
_SIGNATURE_BYTES = 32


def sign_task_token(keys: Sequence[bytes], task: str, *, expires_at: int) -> str:
    """A token for the task of that UUID until the instant, signed with the first of the keys."""
    body = _VERSION + UUID(task).bytes + expires_at.to_bytes(_TIME_BYTES)
    return PREFIX + base64.urlsafe_b64encode(body + _sign(keys[0], body)).decode().rstrip("=")


def read_task_token(keys: Sequence[bytes], token: str, *, now: int) -> str | None:
    """The UUID of the task that the token is for; None for one that is forged, damaged or expired."""
    data = _decode(token)
    body, signature = data[:_BODY_BYTES], data[_BODY_BYTES:]
    if len(signature) != _SIGNATURE_BYTES or body[:1] != _VERSION:
        return None
    genuine = [hmac.compare_digest(_sign(key, body), signature) for key in keys]
    if not any(genuine) or int.from_bytes(body[-_TIME_BYTES:]) <= now:
        return None
    return str(UUID(bytes=body[1:-_TIME_BYTES]))


def _sign(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")


def _decode(token: str) -> bytes:
    """What the token holds, b"" for a text that is none in the one spelling there is of it."""
    if not token.startswith(PREFIX):
        return b""
    text = token[len(PREFIX) :]
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    again = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return data if again == text else b""
