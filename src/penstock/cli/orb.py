"""`penstock orb`: the orbs this machine has itself, without asking anybody."""

import sys
from pathlib import Path
from typing import Literal

from penstock.bootstrap.orbs import find_registry
from penstock.cli.exit import Exit
from penstock.forge.registry.bundle import FIRST_VERSION, import_bundle, read_orb
from penstock.forge.registry.folder import parse_published
from penstock.model.errors import InvalidError

_WANTED = {"publish": 2, "import": 1, "list": 0}
_CALLS = {
    "publish": "penstock orb publish NAMESPACE/NAME@VERSION FILE",
    "import": "penstock orb import FOLDER",
    "list": "penstock orb list",
}


def orb(action: Literal["publish", "import", "list"], /, *values: str, version: str = FIRST_VERSION) -> int:
    """Publish an orb to the registry of this machine, import a folder of orbs, or list what there is.

    Exits with 2 when an orb was refused.

    Parameters
    ----------
    action
        `publish NAMESPACE/NAME@VERSION FILE`, `import FOLDER` or `list`. FILE may be a folder with @orb.yml.
    values
        What the action needs.
    version
        With import, the version of orbs whose file says none.
    """
    if len(values) != _WANTED[action]:
        raise InvalidError(f"the call is: {_CALLS[action]}")
    registry = find_registry()
    match action:
        case "publish":
            reference = parse_published(values[0])
            registry.publish(reference, read_orb(Path(values[1])))
            print(f"{reference} is published")
        case "import":
            return _import(Path(values[0]), version)
        case "list":
            for reference in registry.list_orbs():
                print(reference)
    return Exit.SUCCESS


def _import(folder: Path, version: str) -> int:
    """Says what was imported, and what not and why."""
    parse_published(f"any/orb@{version}")
    done, faults = import_bundle(folder, find_registry(), version)
    for reference in done:
        print(reference)
    for fault in faults:
        print(f"penstock: {fault}", file=sys.stderr)
    return Exit.USAGE if faults else Exit.SUCCESS
