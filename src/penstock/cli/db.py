"""`penstock db`: the database of a server."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.sources import find_settings
from penstock.cli.exit import Exit
from penstock.cli.streams import complain
from penstock.model.errors import NotFoundError

if TYPE_CHECKING:
    from penstock.bootstrap.settings import Settings

_MOST_SHOWN = 20


def db(
    action: Literal["upgrade", "version", "reseal"],
    /,
    *,
    data: str | None = None,
    database: str | None = None,
    settings: Path | None = None,
) -> int:
    """Bring the tables of a server's database to the form this penstock needs, or tell which one they have.

    Or seal all its secrets with the newest of its keys.

    Parameters
    ----------
    action
        `upgrade`, `version` or `reseal`.
    data
        The data folder.
    database
        The database's URL, when it is not in the data folder.
    settings
        A TOML file with settings.
    """
    from penstock.bootstrap.parts import locate_database
    from penstock.store.database import Database, find_version

    found = find_settings({"data": data, "database": database}, settings)
    folder = DataFolder(found.data)
    url = locate_database(found.settings, folder)
    if action == "reseal":
        return _reseal(found.settings, folder, url)
    before = find_version(url)
    if action == "version":
        print(before or "none")
        return Exit.SUCCESS
    if not found.settings.database:
        folder.make()
    Database.open(url).close()
    after = find_version(url)
    print(f"schema {after}, as before" if before == after else f"schema {before or 'none'} is now {after}")
    return Exit.SUCCESS


def _reseal(settings: "Settings", folder: DataFolder, url: str) -> int:
    """Seal every secret with the newest key; those that cannot be opened are named, and stay as they are."""
    from penstock.bootstrap.parts import open_sealer
    from penstock.store.database import Database, find_version
    from penstock.store.resealing import reseal_all

    if find_version(url) is None:
        raise NotFoundError("there is no database yet, so there are no secrets")
    sealer = open_sealer(settings, folder)
    with closing(Database.open(url)) as database:
        done = reseal_all(database, sealer)
    print(f"{done.resealed} sealed again, {done.current} sealed with the newest key before")
    if not done.lost:
        return Exit.SUCCESS
    for place in done.lost[:_MOST_SHOWN]:
        complain(f"no key that is there opens {place}")
    complain(f"{len(done.lost)} secrets stay as they were: add the old key, or set them anew")
    return Exit.UNAVAILABLE
