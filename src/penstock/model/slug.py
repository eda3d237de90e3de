"""How the world spells organizations and projects; all dialects read their spellings here.

A slug is `<host>/<owner>/<name>`. Hosts have a long and a short spelling; the short one is stored. An owner
may have several parts (`gl/group/team`), and `local/<name>` has none. Under the host `circleci` stand ids
instead of names, and an id alone names its bearer too (CircleCI API v2: project-slug).
"""

import re
from functools import lru_cache

import msgspec

from penstock.kit.ids import is_id
from penstock.kit.short_ids import expand_id
from penstock.model.errors import InvalidError

STANDALONE = "circleci"
"""The host of organizations that live on no git host."""

LOCAL = "local"
"""The organization of projects without a host."""

MOST_LETTERS = 400
_SHORT = {"github": "gh", "bitbucket": "bb", "gitlab": "gl"}
_LONG = {short: long for long, short in _SHORT.items()}
_ID_PARTS = 3
_HOST = re.compile(r"[a-z0-9][a-z0-9.:_-]{0,199}")
_PART = re.compile(r"(?!\.{1,2}$)[^\s/\\%?#\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,200}")


class ById(msgspec.Struct, frozen=True):
    """An organization or a project by its UUID."""

    uuid: str


class BySlug(msgspec.Struct, frozen=True):
    """An organization or a project by its slug in the spelling that is stored."""

    slug: str


class ByIds(msgspec.Struct, frozen=True):
    """A project by its UUID, which counts only together with that of its organization."""

    organization: str
    project: str


@lru_cache(1024)
def parse_project(text: str) -> ById | BySlug | ByIds:
    """What a text says about which project is meant; `%2F` stands for a slash.

    Raises InvalidError when it is no slug and no id.
    """
    if is_id(text):
        return ById(text.lower())
    parts = _split(text, "project")
    if parts[0] == STANDALONE and len(parts) == _ID_PARTS:
        owner, own = _read_id(parts[1]), _read_id(parts[2])
        if owner and own:
            return ByIds(organization=owner, project=own)
    least = 2 if parts[0] == LOCAL else _ID_PARTS
    if len(parts) < least:
        raise InvalidError("a project slug has the form vcs-slug/org-name/repo-name")
    return BySlug("/".join(parts))


def parse_organization(text: str) -> ById | BySlug:
    """What a text says about which organization is meant; `%2F` stands for a slash.

    Raises InvalidError when it is no slug and no id.
    """
    if is_id(text):
        return ById(text.lower())
    if text == LOCAL:
        return BySlug(LOCAL)
    parts = _split(text, "organization")
    if len(parts) < _ID_PARTS - 1:
        raise InvalidError("an organization slug has the form vcs-slug/org-name")
    if parts[0] == STANDALONE and (uuid := _read_id("/".join(parts[1:]))):
        return ById(uuid)
    return BySlug("/".join(parts))


def check_name(text: str) -> str:
    """The text, which can be one part of a slug; raises InvalidError when it cannot."""
    if not _PART.fullmatch(text):
        raise InvalidError("a name may have up to 200 characters; no blanks and none of / \\ % ? #")
    return text


def lengthen_slug(slug: str) -> str:
    """The slug with the long spelling of its host, as CircleCI's webhooks and addresses have it."""
    host, slash, rest = slug.partition("/")
    return f"{_LONG.get(host, host)}{slash}{rest}"


def host_of(slug: str) -> str:
    """The short spelling of the host that a stored slug names."""
    return slug.partition("/")[0]


def shorten_host(text: str) -> str:
    """The short spelling of a host in any one; raises InvalidError for what is no name of a host."""
    return _split(text, "host")[0]


def _split(text: str, what: str) -> list[str]:
    """The parts of a slug, its host in the stored spelling."""
    parts = re.split(r"/|%2[fF]", text) if len(text) <= MOST_LETTERS else []
    host = parts[0].lower() if parts else ""
    if not _HOST.fullmatch(host) or not all(_PART.fullmatch(part) for part in parts):
        raise InvalidError(f"not a {what} slug")
    return [_SHORT.get(host, host), *parts[1:]]


def _read_id(text: str) -> str | None:
    return text.lower() if is_id(text) else expand_id(text)
