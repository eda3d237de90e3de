"""Opens the real parts the engine works with."""

from pathlib import Path

import msgspec

from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.home import DATABASE, Home
from penstock.bootstrap.settings import Settings
from penstock.engine.feed import Feed
from penstock.engine.memory import Memory
from penstock.engine.signal import Signal
from penstock.engine.signer import Signer
from penstock.engine.unit import Parts
from penstock.engine.variables import GivenVariables, StoredVariables, Variables
from penstock.kit.clock import SystemClock
from penstock.model.errors import RefusedError, UnavailableError
from penstock.store.blobs import Blobs
from penstock.store.database import Database
from penstock.store.sealing import KEY_VARIABLE, Sealer

WAY_OUT = "PENSTOCK_HOME names another data folder"


def open_parts(home: Home, variables: Variables | None = None) -> Parts:
    """The parts of a data folder, its database made or upgraded when needed.

    Raises UnavailableError when the folder cannot be written to or is full, or when its database is of
    another program or of a newer one.
    """
    try:
        database = Database.open(home.database)
    except (UnavailableError, RefusedError) as error:
        raise UnavailableError(f"{home.root / DATABASE}: {error}. {WAY_OUT}") from error
    return _join(database, home.blobs, variables or GivenVariables())


def open_server_parts(settings: Settings, folder: DataFolder, base_url: str = "") -> Parts:
    """The parts of a server, its database made or upgraded when needed.

    Raises UnavailableError, RefusedError or InvalidError when one of them cannot be had.
    """
    sealer = open_sealer(settings, folder)
    database = Database.open(locate_database(settings, folder))
    try:
        blobs = settings.blobs or str(folder.blobs)
        parts = _join(database, blobs, StoredVariables(database, sealer), base_url)
        return msgspec.structs.replace(
            parts, lease=settings.agent_lease, signer=Signer(database, sealer, parts.clock)
        )
    except BaseException:
        database.close()
        raise


def locate_database(settings: Settings, folder: DataFolder) -> str:
    """The URL of the server's database."""
    return settings.database or f"sqlite:///{folder.database}"


def open_sealer(settings: Settings, folder: DataFolder) -> Sealer:
    """The keys that seal secrets; a key file that is missing is made."""
    file = Path(settings.key_file) if settings.key_file else folder.key
    return Sealer.load(file, {KEY_VARIABLE: settings.key})


def _join(database: Database, blobs: str, variables: Variables, base_url: str = "") -> Parts:
    return Parts(
        db=database,
        blobs=Blobs.connect(blobs),
        clock=SystemClock(),
        variables=variables,
        feed=Feed(),
        signal=Signal(),
        memory=Memory(),
        base_url=base_url,
    )
