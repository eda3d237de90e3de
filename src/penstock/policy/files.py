"""The texts of policies, as far as nobody has read them: how much they may be, and what they are known by."""

from collections.abc import Mapping
from hashlib import sha256, sha512

from penstock.model.errors import LimitExceededError

MOST_BYTES = 5 << 19
"""Bytes of all policies of a bundle, 2.5 MiB."""

MOST_POLICIES = 1000
"""How many there may be."""


def hash_policy(content: str) -> str:
    """128 hex digits that only this text has."""
    return sha512(content.encode("utf-8", "surrogatepass")).hexdigest()


def name_bundle(policies: Mapping[str, str]) -> str:
    """A name that only a bundle of these policies has."""
    parts = [f"{name} {hash_policy(text)}" for name, text in sorted(policies.items())]
    return sha256("\n".join(parts).encode()).hexdigest()


def check_size(files: Mapping[str, str]) -> None:
    """Raises LimitExceededError for more than a bundle may be."""
    size = sum(len((name + text).encode("utf-8", "surrogatepass")) for name, text in files.items())
    if size > MOST_BYTES:
        raise LimitExceededError(f"The policies have {size} bytes together, and may have {MOST_BYTES}.")
    if len(files) > MOST_POLICIES:
        raise LimitExceededError(f"There are {len(files)} policies, and may be {MOST_POLICIES}.")
