"""An answer to a request, before it is sent."""

from collections.abc import Iterator
from typing import Any

import msgspec

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

Headers = tuple[tuple[str, str], ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Status, headers and body; a body that comes in pieces is sent as it comes, and closed at the end."""

    status: int = 200
    body: bytes | Iterator[bytes] = b""
    media: str = JSON
    headers: Headers = ()


def answer_json(value: Any, status: int = 200, headers: Headers = ()) -> Answer:  # noqa: ANN401 - whatever msgspec encodes
    """The value as JSON."""
    return Answer(status=status, body=msgspec.json.encode(value), headers=headers)


def answer_text(text: str, status: int = 200) -> Answer:
    """The text, plain."""
    return Answer(status=status, body=text.encode(), media=TEXT)
