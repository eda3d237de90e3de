"""Says when the keys of a server do not fit its secrets."""

import logging
from pathlib import Path

from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.parts import open_sealer
from penstock.bootstrap.settings import Settings
from penstock.store.database import Database
from penstock.store.resealing import count_locked
from penstock.store.sealing import Sealer

_log = logging.getLogger(__name__)


def open_fitting_sealer(db: Database, settings: Settings, folder: DataFolder) -> Sealer:
    """The keys that seal secrets; when they do not open all there are, the log tells that and the way out."""
    sealer = open_sealer(settings, folder)
    with db.read() as tx:
        locked = count_locked(tx, sealer)
    if locked:
        _log.warning(
            "%d secrets were sealed with keys that are not there, and jobs that need them will fail: "
            "put the old key after the newest into %s",
            locked,
            name_origin(settings, folder),
        )
    return sealer


def name_origin(settings: Settings, folder: DataFolder) -> str:
    """Where the keys are from."""
    return "PENSTOCK_KEY" if settings.key else str(Path(settings.key_file or folder.key))
