"""Names of branches, tags and commits: which are well-formed, and what a short one may stand for."""

import re

from penstock.model.errors import InvalidError

HEADS = "refs/heads/"
TAGS = "refs/tags/"

_LONGEST = 1024
_BAD = re.compile(r"[\x00-\x20\x7f\ud800-\udfff~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|[./]$|^[/.]")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ZERO = re.compile(r"0{40}|0{64}")


def is_sha(text: str) -> bool:
    """True for the full name of a commit."""
    return _SHA.fullmatch(text) is not None and not is_zero(text)


def is_zero(text: str) -> bool:
    """True for the name that stands for no commit, in pushes that make or delete a ref."""
    return _ZERO.fullmatch(text) is not None


def is_ref(name: str) -> bool:
    """True for a well-formed name that git cannot take for anything else (git: check-ref-format)."""
    return 0 < len(name) <= _LONGEST and not name.startswith("-") and name != "@" and not _BAD.search(name)


def check_sha(text: str) -> str:
    """The name of a commit. Raises InvalidError for anything else."""
    if not is_sha(text):
        raise InvalidError("a commit is named by its 40 (or 64) hexadecimal digits")
    return text


def check_ref(name: str) -> str:
    """The name of a ref. Raises InvalidError when git would not have it."""
    if not is_ref(name):
        raise InvalidError(f"{name[:80]!r} is no name of a branch or tag")
    return name


def expand_ref(name: str) -> tuple[str, ...]:
    """The full names a name may stand for, likeliest first: a branch, a tag, or `pull/7/head`."""
    if check_ref(name).startswith("refs/"):
        return (name,)
    return f"{HEADS}{name}", f"{TAGS}{name}", f"refs/{name}"
