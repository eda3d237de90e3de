"""One request as a handler sees it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import cache
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec

from penstock.kit.shapes import learn
from penstock.model.errors import InvalidError

_NESTING = re.compile(rb"""[\[\]{}]|"(?:[^"\\]++|\\.)*+\"?""", re.DOTALL)
"""Brackets, and whole strings so that those in them are passed over."""

RawHeaders = list[tuple[bytes, bytes]]


class Caller(Protocol):
    """Whoever calls, as the guard of a route and the log see it."""

    @property
    def name(self) -> str:
        """How the log calls them."""
        ...

    def may(self, action: str) -> bool:
        """True when the caller may ever do the action; on what, the use case decides."""
        ...


class Call(msgspec.Struct, kw_only=True):
    """A request. What the route declares is filled in before the handler is called."""

    request_id: str
    method: str
    path: str  # as it was sent
    query_string: bytes
    raw_headers: RawHeaders
    peer: str = ""
    scheme: str = "http"
    params: dict[str, str] = {}
    template: str = ""  # the path of the route that was found
    quiet: bool = False  # a success is not worth a line in the log
    held: bool = False  # the answer may be held back on purpose
    caller: Caller | None = None
    query: Any = None  # the route's query struct
    payload: Any = None  # the route's body type
    body: bytes = b""
    weight: int = 0  # bytes of the body that are held in memory
    pieces: Iterator[bytes] = iter(())  # of a raw route; to be read in the handler's thread
    split: list[tuple[str, str]] | None = None  # of the query string, once it was asked for
    stream: AsyncIterator[bytes] | None = None  # the same, for a coroutine
    run: Callable[..., Awaitable[Any]] | None = None
    """For coroutines: calls a plain function with arguments in a thread of the pool."""

    def header(self, name: str) -> str:
        """The first header of that name (in lower case), "" when there is none."""
        wanted = name.encode()
        return next((value.decode("latin-1") for key, value in self.raw_headers if key == wanted), "")

    def pairs(self) -> list[tuple[str, str]]:
        """The names and values of the query string, in order. Raises InvalidError past 1,000 of them."""
        if self.split is None:
            self.split = self._split()
        return self.split

    def _split(self) -> list[tuple[str, str]]:
        if not self.query_string:
            return []
        try:
            return parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True, max_num_fields=1000)
        except ValueError as error:
            raise InvalidError("the query string cannot be read") from error


def read_query(call: Call, shape: type[msgspec.Struct]) -> Any:  # noqa: ANN401 - an instance of the shape
    """The query string as the struct; of a name that comes twice the last counts, others are ignored.

    Raises InvalidError, which names the parameter.
    """
    pairs = call.pairs()
    several = _find_lists(shape)
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name in several:
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    try:
        return msgspec.convert(given, learn(shape), strict=False)
    except msgspec.ValidationError as error:
        raise InvalidError(f"the query string: {_in_words(error)}") from error


def read_json(body: bytes, shape: Any, depth: int) -> Any:  # noqa: ANN401 - whatever the shape is
    """The JSON body as the type. Raises InvalidError with the place of what is wrong in it."""
    if is_deeper(body, depth):
        raise InvalidError(f"the body: JSON nested deeper than {depth} levels")
    try:
        return msgspec.json.decode(body, type=learn(shape))
    except msgspec.ValidationError as error:
        raise InvalidError(f"the body: {_in_words(error)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidError("the body is not JSON") from error


def is_deeper(body: bytes, depth: int) -> bool:
    """True when lists and objects of the JSON text are nested deeper.

    Brackets in strings are not counted; most bodies have too few brackets for a look at their nesting.
    """
    if body.count(b"[") + body.count(b"{") <= depth:
        return False
    level = 0
    for found in _NESTING.finditer(body):
        match found[0][:1]:
            case b"[" | b"{":
                level += 1
            case b"]" | b"}":
                level -= 1
            case _:
                pass
        if level > depth:
            return True
    return False


@cache
def _find_lists(shape: type[msgspec.Struct]) -> frozenset[str]:
    """The names of the parameters that may come several times."""
    fields = msgspec.structs.fields(shape)
    return frozenset(field.encode_name for field in fields if _is_list(field.type))


def _is_list(kind: Any) -> bool:  # noqa: ANN401 - a type as written
    return getattr(kind, "__origin__", kind) in {tuple, list}


def _in_words(error: msgspec.ValidationError) -> str:
    return str(error).replace("`", "'")
