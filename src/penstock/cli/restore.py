"""`penstock restore`: a data folder from a backup."""

from pathlib import Path

from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.sources import find_settings
from penstock.cli.exit import Exit


def restore(file: Path, /, *, data: str | None = None, settings: Path | None = None) -> int:
    """Make the data folder of a server from a backup, or fill the database and blob store the settings name.

    Parameters
    ----------
    file
        What `penstock backup` wrote.
    data
        The data folder to make; it must be empty or missing.
    settings
        A TOML file with settings; a `database` or `blobs` it names must be empty. It need not be of the kind
        that was backed up.
    """
    from penstock.bootstrap.restore import read_backup
    from penstock.kit.interrupts import raise_when_interrupted

    raise_when_interrupted()
    found = find_settings({"data": data}, settings)
    folder = DataFolder(found.data)
    manifest, done = read_backup(file, found.settings, folder)
    print(f"{folder.root}: the database and {done.blobs} blobs of {done.bytes} bytes")
    if not manifest.key:
        print(f"The keys are not in this backup: put the key file at {folder.key} before a server starts")
    return Exit.SUCCESS
