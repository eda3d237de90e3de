"""Reads a webhook's body into typed records, within bounds, and makes its texts fit to be stored."""

from typing import Annotated, TypeVar
from urllib.parse import parse_qs

import msgspec

from penstock.forge.refs import HEADS, TAGS, is_ref, is_sha, is_zero
from penstock.kit.shapes import read_json
from penstock.model.errors import InvalidError, LimitExceededError

LARGEST_BODY = 25 << 20
"""Bytes; GitHub sends none that is larger (GitHub docs: webhook payload cap)."""

LONGEST_MESSAGE = 16 << 10
_LONGEST = 1024
_MOST_FIELDS = 16
_FORM = "application/x-www-form-urlencoded"

_T = TypeVar("_T")

Number = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""The number of a pull request."""


def check_size(body: bytes) -> None:
    """Raises LimitExceededError for a body no host sends."""
    if len(body) > LARGEST_BODY:
        raise LimitExceededError(f"a webhook's body is at most {LARGEST_BODY >> 20} MiB")


def unwrap_form(content_type: str, body: bytes) -> bytes:
    """The JSON of a body, which may be the field `payload` of a form. Raises InvalidError without one."""
    if content_type.partition(";")[0].strip().lower() != _FORM:
        return body
    try:
        fields = parse_qs(body.decode(), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise InvalidError("the form of this webhook cannot be read") from error
    if "payload" not in fields:
        raise InvalidError("the form of this webhook has no field `payload`")
    return fields["payload"][0].encode()


def decode_body(body: bytes, kind: type[_T]) -> _T:
    """The record. Raises InvalidError that names the place for what is no JSON or has other types."""
    try:
        return read_json(body, kind)
    except RecursionError as error:
        raise InvalidError("the body of this webhook is nested too deeply") from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InvalidError(f"the body of this webhook is not what the host documents: {error}") from error


def clean_text(text: str | None, longest: int = _LONGEST) -> str:
    """The text without what databases do not take, NULs and halves of characters; "" for none.

    It has at most `longest` characters.
    """
    cut = (text or "")[:longest].replace("\0", "")
    return cut if cut.isascii() else cut.encode(errors="replace").decode()


def clean_url(text: str | None) -> str:
    """An address of the web, or "" for anything else: it becomes a link."""
    url = clean_text(text)
    return url if url.startswith(("https://", "http://")) else ""


def clean_branch(name: str | None) -> str:
    """The name of a branch. Raises InvalidError when it can be none."""
    if not name or not is_ref(name):
        raise InvalidError(f"{clean_text(name)[:80]!r} is no name of a branch")
    return name


def split_ref(ref: str) -> tuple[str, str] | None:
    """Branch and tag of a full name, one of them empty; None for refs of other kinds."""
    if not is_ref(ref):
        raise InvalidError(f"{clean_text(ref)[:80]!r} is no name of a ref")
    if ref.startswith(HEADS):
        return ref.removeprefix(HEADS), ""
    return ("", ref.removeprefix(TAGS)) if ref.startswith(TAGS) else None


def clean_sha(text: str | None) -> str:
    """The name of a commit; "" for none or all zeros. Raises InvalidError for anything else."""
    if not text or is_zero(text):
        return ""
    if not is_sha(text):
        raise InvalidError("a commit of this webhook is not named by its hexadecimal digits")
    return text


def list_touched(*lists: list[str] | None) -> tuple[str, ...] | None:
    """The files that a commit added, removed or changed, sorted; None when the host told of none."""
    told = [files for files in lists if files is not None]
    return tuple(sorted({clean_text(name, 4096) for files in told for name in files})) if told else None
