"""References to orbs, and which of an orb's versions one means (CircleCI docs: orb versioning)."""

import re
from collections.abc import Iterable

import msgspec

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_REFERENCE = re.compile(rf"({_NAME}/{_NAME})@(volatile|dev:[A-Za-z0-9_./-]*|\d+(?:\.\d+){{0,2}})")
_ORB = re.compile(rf"{_NAME}/{_NAME}")
_EXACT = re.compile(r"(\d+)\.(\d+)\.(\d+)")

URL = "https://"


class OrbReference(msgspec.Struct, frozen=True):
    """`namespace/orb@version`, where the version may be a part of one, `volatile` or `dev:label`."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def exact(self) -> bool:
        """True when the reference means the same source for ever."""
        return _EXACT.fullmatch(self.version) is not None

    @property
    def published(self) -> bool:
        """True for a version somebody can publish: an exact or a development one."""
        return self.exact or (len(self.version) > len("dev:") and self.version.startswith("dev:"))


def parse_reference(text: str) -> OrbReference | None:
    """The reference, or None for a text that is none (a URL is none either)."""
    match = _REFERENCE.fullmatch(text)
    return OrbReference(match[1], match[2]) if match else None


def is_orb_name(text: str) -> bool:
    """True for `namespace/orb`."""
    return _ORB.fullmatch(text) is not None


def is_orb_url(text: str) -> bool:
    """True for an orb by its address, which must be a safe one."""
    return text.startswith(URL) and len(text) > len(URL) and not re.search(r"[\s\x00-\x1f]", text)


def choose_version(wanted: str, versions: Iterable[str]) -> str | None:
    """The newest version that `1`, `1.2` or `volatile` stands for; of an exact or dev one only itself."""
    known = list(versions)
    if wanted in known:
        return wanted
    prefix = "" if wanted == "volatile" else f"{wanted}."
    fitting = [version for version in known if version.startswith(prefix) and _EXACT.fullmatch(version)]
    return max(fitting, key=rank_version, default=None)


def rank_version(version: str) -> tuple[int, ...]:
    """What versions are sorted by; development ones come first."""
    match = _EXACT.fullmatch(version)
    return tuple(map(int, match.groups())) if match else (-1,)
