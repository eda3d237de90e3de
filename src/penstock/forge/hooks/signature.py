"""Whether a webhook is genuine: signatures and tokens, compared in constant time."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from penstock.model.errors import ForbiddenError

SIGNING_PREFIX = "whsec_"
TOLERANCE = 300_000
"""Milliseconds a signed time may be away from ours (Standard Webhooks)."""

_SECONDS = re.compile(r"[0-9]{1,12}")
_UNSIGNED = "this webhook is not signed: give the host the secret of this project"
_WRONG = "the signature of this webhook is wrong: is the host's secret the one of this project?"


def hash_body(body: bytes) -> str:
    """The SHA-256 of a body, as hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def check_secrets(secrets: Sequence[str]) -> list[bytes]:
    """The secrets as keys; an empty one is none. Raises ForbiddenError when there is none."""
    keys = [secret.encode() for secret in secrets if secret]
    if not keys:
        raise ForbiddenError("this project takes no webhooks: it has no secret for them")
    return keys


def check_digest(signature: str, body: bytes, secrets: Sequence[str], *, prefix: str = "") -> None:
    """Returns when the signature is the HMAC-SHA256 of the body with one of the secrets.

    Raises ForbiddenError otherwise; `prefix` is what stands before the digits.
    """
    keys = check_secrets(secrets)
    if not signature:
        raise ForbiddenError(_UNSIGNED)
    given = signature.removeprefix(prefix).encode(errors="replace")
    fits = any(hmac.compare_digest(_digest(key, body), given) for key in keys)
    if not signature.startswith(prefix) or not fits:
        raise ForbiddenError(_WRONG)


def _digest(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).hexdigest().encode()


def check_token(token: str, secrets: Sequence[str]) -> None:
    """Returns when the token is one of the secrets. Raises ForbiddenError otherwise."""
    keys = check_secrets(secrets)
    if not token:
        raise ForbiddenError(_UNSIGNED)
    given = token.encode(errors="replace")
    if not any(hmac.compare_digest(key, given) for key in keys):
        raise ForbiddenError("the token of this webhook is wrong")


def check_standard(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> int:
    """When a message was signed, in milliseconds (Standard Webhooks: HMAC of id, time and body).

    `secrets` are those beginning with `whsec_`. Raises ForbiddenError when no signature fits, or the time is
    too far from `now`.
    """
    keys = [_decode(secret) for secret in secrets]
    identity, time = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    content = f"{identity}.{time}.".encode(errors="replace") + body
    wanted = [base64.b64encode(hmac.digest(key, content, "sha256")) for key in keys if key]
    given = headers.get("webhook-signature", "").split()[:16]
    versions = [each.removeprefix("v1,").encode(errors="replace") for each in given if each.startswith("v1,")]
    if not any(hmac.compare_digest(one, other) for one in wanted for other in versions):
        raise ForbiddenError(_WRONG)
    sent = int(time) * 1000 if _SECONDS.fullmatch(time) else 0
    if abs(now - sent) > TOLERANCE:
        raise ForbiddenError("this webhook was signed too long ago, or a clock is wrong")
    return sent


def _decode(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SIGNING_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
