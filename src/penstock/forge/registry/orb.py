"""An orb that was found, and why one was not."""

import msgspec

from penstock.model.errors import NotFoundError

LARGEST_ORB = 4 << 20
"""Bytes of one orb's source."""


class Orb(msgspec.Struct, frozen=True):
    """The source of an orb, and the exact reference (or URL) that stands for it."""

    reference: str
    source: str


class OrbMissingError(NotFoundError):
    """No such orb there; the sentence says where it was looked for."""
