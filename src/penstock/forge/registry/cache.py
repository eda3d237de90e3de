"""Orbs that were fetched before: released ones for ever, what a partial version stands for some minutes."""

import hashlib
import time
from pathlib import Path

from penstock.forge.registry.folder import OrbFolder, write_file
from penstock.forge.registry.orb import Orb
from penstock.language.circleci.orbs import OrbReference, parse_reference
from penstock.model.errors import UnavailableError

FRESH = 300.0
"""Seconds an answer that may change is taken without asking again."""


class OrbCache:
    """A folder of fetched orbs, and for every reference the exact one it stood for when it was fetched.

    Losing the folder loses nothing but time; a cache that cannot be written is one that does not remember.
    """

    def __init__(self, root: Path) -> None:
        self._orbs = OrbFolder(root / "orbs")
        self._answers = root / "answers"

    def find(self, reference: str, *, stale: bool = False) -> Orb | None:
        """The orb, if it is known for sure; with `stale` also an answer that may have changed since."""
        answer = self._answers / _hash_name(reference)
        parsed = parse_reference(reference)
        if parsed is not None and parsed.exact:
            return self._orbs.find(parsed)
        try:
            fresh = time.time() - answer.stat().st_mtime < FRESH
            text = answer.read_text() if fresh or stale else None
        except (OSError, UnicodeDecodeError):
            return None
        if text is None:
            return None
        exact, _, source = text.partition("\n")
        pinned = parse_reference(exact)
        return self._orbs.find(pinned) if pinned is not None and pinned.exact else Orb(exact, source)

    def remember(self, reference: str, orb: Orb) -> None:
        """The cache answers with this orb from now on."""
        exact = parse_reference(orb.reference)
        released = exact is not None and exact.exact
        try:
            if exact is not None and released:
                self._keep(exact, orb.source)
            if not released or reference != orb.reference:
                source = "" if released else orb.source
                write_file(self._answers / _hash_name(reference), f"{orb.reference}\n{source}")
        except UnavailableError:
            return  # a full disk must not keep an orb from its user

    def _keep(self, exact: OrbReference, source: str) -> None:
        """A released version never changes, so an earlier copy is as good."""
        if self._orbs.find(exact) is None:
            self._orbs.publish(exact, source)


def _hash_name(reference: str) -> str:
    return hashlib.sha256(reference.encode()).hexdigest()
