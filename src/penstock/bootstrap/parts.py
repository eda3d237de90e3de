"""Opens the real parts the engine works with."""

from penstock.bootstrap.home import DATABASE, Home
from penstock.engine.feed import Feed
from penstock.engine.memory import Memory
from penstock.engine.signal import Signal
from penstock.engine.unit import Parts
from penstock.engine.variables import GivenVariables, Variables
from penstock.kit.clock import SystemClock
from penstock.model.errors import RefusedError, UnavailableError
from penstock.store.blobs import Blobs
from penstock.store.database import Database

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
    return Parts(
        db=database,
        blobs=Blobs.connect(home.blobs),
        clock=SystemClock(),
        variables=variables or GivenVariables(),
        feed=Feed(),
        signal=Signal(),
        memory=Memory(),
    )
