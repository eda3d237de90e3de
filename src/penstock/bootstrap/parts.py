"""Opens the real parts the engine works with."""

from penstock.bootstrap.home import Home
from penstock.engine.feed import Feed
from penstock.engine.memory import Memory
from penstock.engine.signal import Signal
from penstock.engine.unit import Parts
from penstock.engine.variables import GivenVariables, Variables
from penstock.kit.clock import SystemClock
from penstock.store.blobs import Blobs
from penstock.store.database import Database


def open_parts(home: Home, variables: Variables | None = None) -> Parts:
    """The parts of a data folder, its database made or upgraded when needed.

    Raises UnavailableError when the folder cannot be written to or is full.
    """
    return Parts(
        db=Database.open(home.database),
        blobs=Blobs.connect(home.blobs),
        clock=SystemClock(),
        variables=variables or GivenVariables(),
        feed=Feed(),
        signal=Signal(),
        memory=Memory(),
    )
