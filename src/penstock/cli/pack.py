"""`penstock pack`: a folder of YAML files as one text."""

import sys
from pathlib import Path

from penstock.cli.exit import Exit
from penstock.forge.registry.bundle import read_folder
from penstock.language.circleci.pack import pack_folder
from penstock.model.errors import InvalidError


def pack(folder: Path, /) -> int:
    """Print the config, or the orb, that a folder of YAML files makes.

    Exits with 2 when a file cannot be part of one.

    Parameters
    ----------
    folder
        The folder; one with @orb.yml is packed as an orb.
    """
    if not folder.is_dir():
        raise InvalidError(f"there is no folder {folder}")
    sys.stdout.write(pack_folder(read_folder(folder)))
    return Exit.SUCCESS
