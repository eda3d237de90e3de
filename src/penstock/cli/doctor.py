"""`penstock doctor`: what would keep a server from working."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.sources import find_settings
from penstock.cli.exit import Exit


def doctor(
    *,
    data: str | None = None,
    settings: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Look at everything a server depends on, and say of each whether it will do.

    Parameters
    ----------
    data
        The data folder.
    settings
        A TOML file with settings.
    json
        Print JSON lines.
    """
    from penstock.bootstrap.doctor import Verdict, examine

    found = find_settings({"data": data}, settings)
    failed = False
    for finding in examine(found.settings, DataFolder(found.data)):
        failed |= finding.verdict is Verdict.FAIL
        if json:
            sys.stdout.buffer.write(msgspec.json.encode(finding) + b"\n")
            continue
        way_out = f"\n      {finding.way_out}" if finding.way_out else ""
        print(f"{finding.verdict:<4}  {finding.subject}: {finding.what}{way_out}", flush=True)
    return Exit.UNAVAILABLE if failed else Exit.SUCCESS
