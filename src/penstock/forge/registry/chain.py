"""Where an orb is looked for, in order: this server's folder, earlier fetches, a registry or the web."""

import urllib.request
from collections.abc import Callable

import msgspec

from penstock.forge.registry.cache import OrbCache
from penstock.forge.registry.folder import OrbFolder
from penstock.forge.registry.lock import OrbLock
from penstock.forge.registry.orb import LARGEST_ORB, Orb, OrbMissingError
from penstock.forge.registry.remote import RemoteRegistry
from penstock.forge.registry.web import fetch_bytes
from penstock.language.circleci.orbs import OrbReference, is_orb_url, parse_reference
from penstock.model.errors import UnavailableError

MOST_VERSIONS = 5
"""Versions a message lists."""


class OrbChain(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look. Without `remote` nothing is asked over the network for references.

    `urls` are the beginnings of addresses from which orbs may be fetched; none means no orbs by URL.
    """

    local: OrbFolder
    cache: OrbCache
    remote: RemoteRegistry | None = None
    urls: tuple[str, ...] = ()
    lock: OrbLock | None = None

    def find(self, reference: str) -> Orb:
        """The orb a reference or URL stands for.

        Raises a PenstockError whose sentence says where it was looked for and what was wrong there.
        """
        pin = self.lock.find(reference) if self.lock is not None else None
        if self.lock is None or pin is None:
            return self._find(reference)
        orb = self._find(pin.reference)
        self.lock.check(pin, orb)
        return orb

    def _find(self, reference: str) -> Orb:
        parsed = parse_reference(reference)
        if parsed is not None:
            return self.local.find(parsed) or self._find_remote(parsed)
        if is_orb_url(reference):
            return self._find_url(reference)
        raise OrbMissingError(f"'{reference}' is no reference to an orb")

    def _find_remote(self, reference: OrbReference) -> Orb:
        remote = self.remote
        if remote is None:
            if (known := self.cache.find(str(reference), stale=True)) is not None:
                return known
            others = ", ".join(self.local.list_versions(reference.name)[-MOST_VERSIONS:])
            has = f", which has {others}" if others else ""
            raise OrbMissingError(
                f"it is not in the registry of this server{has}, and remote registries are switched off"
            )
        return self._remember(str(reference), lambda: remote.fetch(reference))

    def _find_url(self, address: str) -> Orb:
        if not self._is_allowed(address):
            raise OrbMissingError("its address begins with none that PENSTOCK_ORB_URLS allows")
        return self._remember(address, lambda: self._fetch_url(address))

    def _fetch_url(self, address: str) -> Orb:
        request = urllib.request.Request(address, headers={"User-Agent": "penstock"})  # noqa: S310 - fetch_bytes checks it
        data = fetch_bytes(request, LARGEST_ORB, self._is_allowed)
        try:
            return Orb(address, data.decode())
        except UnicodeDecodeError as error:
            raise UnavailableError(f"{address} is not UTF-8 text") from error

    def _is_allowed(self, address: str) -> bool:
        """True when the address begins with one of the allowed ones, up to a border of its path."""
        if "/../" in address or "@" in address.partition("//")[2].partition("/")[0]:
            return False
        return is_orb_url(address) and any(
            address == allowed or address.startswith(allowed.rstrip("/") + "/") for allowed in self.urls
        )

    def _remember(self, reference: str, fetch: Callable[[], Orb]) -> Orb:
        """What is cached and fresh, else what is fetched; when nobody answers, what was cached long ago."""
        if (known := self.cache.find(reference)) is not None:
            return known
        try:
            orb = fetch()
        except UnavailableError:
            if (known := self.cache.find(reference, stale=True)) is not None:
                return known
            raise
        self.cache.remember(reference, orb)
        return orb
