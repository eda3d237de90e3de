"""Settings as they may be shown: where each value comes from, and nothing secret."""

import re
from typing import Any

import msgspec

from penstock.bootstrap.settings import list_settings
from penstock.bootstrap.sources import Found

HIDDEN = "(set, not shown)"
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^@/]*@")
_IN_QUERY = re.compile(r"(?i)([?&][^=&]*(?:password|secret|token|key|signature)[^=&]*=)[^&]*")


class ShownSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting, its value without what is secret in it, and where the value comes from."""

    name: str
    value: Any
    origin: str


def show_settings(found: Found) -> list[ShownSetting]:
    """All settings in their order; the origin of one that nobody set is `default`."""
    return [
        ShownSetting(
            name=setting.name,
            value=hide_secret(getattr(found.settings, setting.name), secret=setting.secret),
            origin=found.origins.get(setting.name, "default"),
        )
        for setting in list_settings()
    ]


def hide_secret(value: Any, *, secret: bool) -> Any:  # noqa: ANN401 - the value of any setting
    """The value, or what stands for it; of a URL only its password is left out."""
    if secret:
        return HIDDEN if value else value
    if isinstance(value, str):
        return _IN_QUERY.sub(r"\1…", _PASSWORD.sub(r"\1:…@", value))
    return value
