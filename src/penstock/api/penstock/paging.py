"""Pages of lists: each tells where the next one begins."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec

from penstock.model.errors import InvalidError

T = TypeVar("T")

MOST = 1000
_LARGEST = 1 << 62


class PageQuery(msgspec.Struct, frozen=True):
    """The query of a list: `after` is the `next` of the page before."""

    after: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 100


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items of a list; `next` is None on the last page."""

    items: Sequence[T]
    next: str | None = None


def cut_page(found: Sequence[T], limit: int, key_of: Callable[[T], object]) -> tuple[Sequence[T], str | None]:
    """The first `limit` of what was found, and where the next page begins when more was found."""
    if len(found) <= limit:
        return found, None
    return found[:limit], str(key_of(found[limit - 1]))


def read_number(after: str) -> int:
    """The row id in an `after`, 0 for the beginning. Raises InvalidError for what is none."""
    if not after:
        return 0
    if not (after.isascii() and after.isdecimal() and int(after[:20]) < _LARGEST):
        raise InvalidError("after: give the `next` of the page before")
    return int(after)
