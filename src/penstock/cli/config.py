"""`penstock config`: the settings a server would have."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter

from penstock.bootstrap.shown import ShownSetting, show_settings
from penstock.bootstrap.sources import find_settings
from penstock.cli.exit import Exit


def config(
    action: Literal["show"],
    /,
    *,
    data: str | None = None,
    settings: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Print every setting of a server, its value, and where the value comes from. Secrets are not shown.

    Parameters
    ----------
    action
        `show`.
    data
        The data folder, which may hold a settings file.
    settings
        A TOML file with settings.
    json
        Print one JSON array.
    """
    del action  # there is only one
    shown = show_settings(find_settings({"data": data}, settings))
    if json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(shown)) + b"\n")
        return Exit.SUCCESS
    width = max(len(each.name) for each in shown)
    for each in shown:
        print(f"{each.name:<{width}} = {_show_value(each)}  # {each.origin}")
    return Exit.SUCCESS


def _show_value(shown: ShownSetting) -> str:
    """The value as TOML would have it; a setting that has none is empty."""
    return "" if shown.value is None else msgspec.json.encode(shown.value).decode()
