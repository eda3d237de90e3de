"""Page tokens: opaque to callers, good for the list they came from, read with care."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from penstock.model.errors import InvalidError

T = TypeVar("T")
K = TypeVar("K")

PAGE = 20
"""How many pipelines or workflows a page has."""

LONG_PAGE = 1000
"""How many jobs, tests or artifacts a page has: many clients read only the first."""

_MOST_LETTERS = 2000

PageToken = Annotated[str, msgspec.Meta(max_length=_MOST_LETTERS)]


class PageQuery(msgspec.Struct, frozen=True, rename="kebab"):
    """The query of a list."""

    page_token: PageToken = ""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """The envelope of all lists."""

    items: Sequence[T]
    next_page_token: str | None = None


def write_token(place: str, key: Any) -> str:  # noqa: ANN401 - whatever the list pages by
    """The token for the page after `key` in the list `place`."""
    return base64.urlsafe_b64encode(msgspec.json.encode([place, key])).decode().rstrip("=")


def read_token(text: str, place: str, kind: type[K]) -> K | None:
    """The key in a token, None for no token. Raises InvalidError for any other text."""
    if not text:
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        of, raw = msgspec.json.decode(data, type=tuple[str, Any])
        key = msgspec.convert(raw, kind)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise InvalidError("page-token is not valid.") from error
    if of != place or not _is_possible(key):
        raise InvalidError("page-token is not valid.")
    return key


def _is_possible(key: object) -> bool:
    """False for a number that no row can have."""
    numbers = key if isinstance(key, tuple) else (key,)
    return all(0 <= number < 1 << 62 for number in numbers if isinstance(number, int))


def cut_page(
    found: Sequence[T], limit: int, place: str, key_of: Callable[[T], object]
) -> tuple[Sequence[T], str | None]:
    """The first `limit` of what was found, and the token for the rest when more was found."""
    if len(found) <= limit:
        return found, None
    kept = found[:limit]
    return kept, write_token(place, key_of(kept[-1]))
