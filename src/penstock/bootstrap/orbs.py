"""Supplies a config with the orbs it wants, from wherever the settings say orbs come from."""

import os
from pathlib import Path

import msgspec

from penstock.bootstrap.home import find_home
from penstock.forge.registry.cache import OrbCache
from penstock.forge.registry.chain import OrbChain
from penstock.forge.registry.folder import OrbFolder
from penstock.forge.registry.lock import OrbLock
from penstock.forge.registry.orb import Orb
from penstock.forge.registry.remote import PUBLIC, RemoteRegistry
from penstock.language.circleci.imports import DEEPEST_ORBS, list_missing_orbs
from penstock.language.common.context import Context
from penstock.model.errors import ConflictError, InvalidError, NotFoundError, UnavailableError

MOST_ORBS = 100
MOST_BYTES = 32 << 20
"""Of all orbs of one config together."""

OFF = "off"


def find_registry() -> OrbFolder:
    """The registry of this machine, in its data folder."""
    return OrbFolder(find_home().orbs)


def make_chain(lock: Path | None = None) -> OrbChain:
    """Where orbs are looked for, as the environment says.

    PENSTOCK_ORB_REGISTRY is the address of a registry or `off`, PENSTOCK_ORB_TOKEN what it wants as
    authorization, PENSTOCK_ORB_URLS the beginnings of addresses orbs may come from, separated by commas.
    """
    address = os.environ.get("PENSTOCK_ORB_REGISTRY") or PUBLIC
    if address != OFF and not address.startswith(("https://", "http://")):
        raise InvalidError(f"PENSTOCK_ORB_REGISTRY is neither 'off' nor an http address: {address}")
    urls = os.environ.get("PENSTOCK_ORB_URLS", "").split(",")
    home = find_home()
    return OrbChain(
        local=OrbFolder(home.orbs),
        cache=OrbCache(home.fetched),
        remote=None if address == OFF else RemoteRegistry(address, os.environ.get("PENSTOCK_ORB_TOKEN", "")),
        urls=tuple(url.strip() for url in urls if url.strip()),
        lock=OrbLock(lock) if lock is not None else None,
    )


def supply_orbs(source: bytes, context: Context, lock: Path | None = None) -> Context:
    """The context with the orbs the config wants, and for each that cannot be had why not.

    With a lock file the orbs are those it names; one that is not there yet is written when all were found.
    """
    missing = list_missing_orbs(source, context)
    if not missing and lock is None:
        return context
    return fetch_orbs(source, context, make_chain(lock), missing)


def fetch_orbs(source: bytes, context: Context, chain: OrbChain, missing: tuple[str, ...]) -> Context:
    """As `supply_orbs`, from a chain; `missing` are the orbs known to be missing.

    Orbs want orbs, so this goes in rounds until nothing new is wanted; it is bounded in rounds, in the
    number of orbs and in their size.
    """
    found: dict[str, Orb] = {}
    faults = dict(context.faults)
    for _ in range(DEEPEST_ORBS):
        wanted = [reference for reference in missing if reference not in faults]
        if not wanted:
            break
        for reference in wanted:
            try:
                found[reference] = _find_bounded(reference, found, chain)
            except (NotFoundError, UnavailableError, InvalidError, ConflictError) as error:
                faults[reference] = str(error)
        context = _add_orbs(context, found, faults)
        missing = list_missing_orbs(source, context)
    if chain.lock is not None and not faults:
        chain.lock.write(found)
    return context


def _find_bounded(reference: str, found: dict[str, Orb], chain: OrbChain) -> Orb:
    """The orb, unless the config wants too many or too large ones."""
    if len(found) >= MOST_ORBS:
        raise InvalidError(f"the config and its orbs want more than {MOST_ORBS} orbs")
    orb = chain.find(reference)
    if len(orb.source) + sum(len(other.source) for other in found.values()) > MOST_BYTES:
        raise InvalidError(f"the orbs of the config are larger than {MOST_BYTES >> 20} MiB together")
    return orb


def _add_orbs(context: Context, found: dict[str, Orb], faults: dict[str, str]) -> Context:
    return msgspec.structs.replace(
        context,
        orbs={**context.orbs, **{orb.reference: orb.source for orb in found.values()}},
        pins={**context.pins, **{reference: orb.reference for reference, orb in found.items()}},
        faults=faults,
    )
