"""Where settings come from: options of the command, then the environment, then a file, then the defaults."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.bootstrap.settings import (
    Setting,
    Settings,
    check_together,
    default_data,
    list_settings,
)
from penstock.model.errors import InvalidError

FILE_VARIABLE = "PENSTOCK_SETTINGS"
FILE = "penstock.toml"
SYSTEM_FILE = Path("/etc/penstock/penstock.toml")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, and of each where its value comes from."""

    settings: Settings
    origins: Mapping[str, str]

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.settings.data)


def find_settings(
    flags: Mapping[str, Any],
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    system_file: Path = SYSTEM_FILE,
) -> Found:
    """The settings that count: of each the flag, else the variable, else the line in the file.

    The file is the given one, else the one PENSTOCK_SETTINGS names, else `penstock.toml` in the data
    folder, else the system's. Raises InvalidError, which says which value is wrong, why, and where it is.
    """
    known = {setting.name: setting for setting in list_settings()}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, value in flags.items():
        if value is not None:
            values[name] = _convert(known[name], value, known[name].flag, strict=False)
            origins[name] = known[name].flag
    for setting in known.values():
        text = environment.get(setting.variable, "")
        if text and setting.name not in values:
            values[setting.name] = _read_variable(setting, text)
            origins[setting.name] = setting.variable
    chosen = _choose_file(file, values.get("data", ""), environment, system_file)
    if chosen is not None:
        for name, (value, place) in read_file(chosen).items():
            if name not in values:
                values[name], origins[name] = value, place
    values.setdefault("data", str(default_data(environment)))
    values["data"] = str(Path(values["data"]).expanduser().absolute())
    return Found(settings=check_together(Settings(**values)), origins=origins)


def find_slips(environment: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each variable that looks like that of a setting with a slip in its name."""
    known = {setting.name: setting for setting in list_settings()}
    prefix = "PENSTOCK_"
    names = sorted(name.removeprefix(prefix) for name in environment if name.startswith(prefix))
    return [
        f"there is no setting for the variable {prefix}{name}{suggestion}"
        for name in names
        if name.lower() not in known and (suggestion := _suggest(name.lower(), known, cutoff=0.85))
    ]


def read_file(file: Path) -> dict[str, tuple[Any, str]]:
    """The values of a TOML file with the place of each. Raises InvalidError with file and line."""
    try:
        text = file.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise InvalidError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidError(f"cannot read {file}: it is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidError(f"{file}: {error}") from error
    known = {setting.name: setting for setting in list_settings()}
    found = {}
    for name, value in table.items():
        place = f"{file}:{_find_line(text, name)}"
        if name not in known:
            raise InvalidError(f"{place}: there is no setting {name!r}{_suggest(name, known)}")
        found[name] = (_convert(known[name], value, place, strict=True), place)
    return found


def _choose_file(
    given: Path | None, data: str, environment: Mapping[str, str], system_file: Path
) -> Path | None:
    """The file to read; one that is named must exist, others need not."""
    named = given or (Path(environment[FILE_VARIABLE]) if environment.get(FILE_VARIABLE) else None)
    if named is not None:
        return named
    folder = Path(data).expanduser() if data else default_data(environment)
    return next((path for path in (folder / FILE, system_file) if path.is_file()), None)


def _read_variable(setting: Setting, text: str) -> Any:  # noqa: ANN401 - a value of the setting's type
    parts = [part.strip() for part in text.split(",") if part.strip()] if setting.is_list else text
    return _convert(setting, parts, setting.variable, strict=False)


def _convert(setting: Setting, value: Any, place: str, *, strict: bool) -> Any:  # noqa: ANN401 - the same
    try:
        return msgspec.convert(value, setting.kind, strict=strict)
    except msgspec.ValidationError as error:
        reason = str(error).replace("`", "'").removesuffix(" - at '$'")
        raise InvalidError(f"{place}: {setting.name}: {reason}") from error


def _find_line(text: str, name: str) -> int:
    """The line on which a top-level name is, 1 when it cannot be told."""
    pattern = re.compile(rf"""\s*\[?\s*["']?{re.escape(name)}["']?\s*[=.\]]""")
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if pattern.match(line)), 1)


def _suggest(name: str, known: Mapping[str, Setting], cutoff: float = 0.6) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name.replace("-", "_"), known, n=1, cutoff=cutoff)
    return f"; did you mean {close[0]!r}?" if close else ""
