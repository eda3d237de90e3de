"""`penstock backup`: all a server keeps, as one file."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.sources import find_settings
from penstock.cli.exit import Exit


def backup(
    file: Path,
    /,
    *,
    data: str | None = None,
    settings: Path | None = None,
    with_key: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Write the database and the blobs of a server to a file. The server may run meanwhile.

    Parameters
    ----------
    file
        The file to write; one that is there is replaced when the new one is whole.
    data
        The data folder.
    settings
        A TOML file with settings.
    with_key
        Put the key file in as well: whoever has the backup can then read the secrets.
    """
    from penstock.bootstrap.backup import write_backup
    from penstock.kit.interrupts import raise_when_interrupted

    raise_when_interrupted()
    found = find_settings({"data": data}, settings)
    done = write_backup(found.settings, DataFolder(found.data), file, with_key=with_key)
    print(f"{file}: the database and {done.blobs} blobs of {done.bytes} bytes")
    return Exit.SUCCESS
