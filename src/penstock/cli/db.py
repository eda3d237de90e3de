"""`penstock db`: the database of a server."""

from pathlib import Path
from typing import Literal

from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.sources import find_settings
from penstock.cli.exit import Exit


def db(
    action: Literal["upgrade", "version"],
    /,
    *,
    data: str | None = None,
    database: str | None = None,
    settings: Path | None = None,
) -> int:
    """Bring the tables of a server's database to the form this penstock needs, or tell which one they have.

    Parameters
    ----------
    action
        `upgrade` or `version`.
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
