"""One row of a dialect's table of routes."""

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.api.common.answer import JSON
from penstock.api.common.call import Call, read_json
from penstock.api.common.server import Server

PUBLIC = "public"
"""The access of routes anybody may call; every other is the name of an action a caller must be allowed."""

Handler = Callable[[Server, Call], Any]
"""Does what is asked and returns an `Answer`, or a value that is answered as JSON.

A plain function runs in a thread of the pool; of a `quick` route it may run on the loop.
    A coroutine function runs on the loop and must not block.
"""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """What answers a method and a path, who may call it, and what goes in and out.

    `path` is made of fixed segments and of parameters: `{id}` is one segment, `{slug:3}` three segments or
    one that holds as many or more percent-encoded, `{path:rest}` all that is left. A `body` type is decoded
    from JSON, or as `decode` does it, before the handler is called, a `query` struct from the query string.
    With `raw` the handler reads the body itself, in pieces. `media` is what goes in and out.
    """

    method: str
    path: str
    handler: Handler
    access: str
    summary: str = ""
    query: type[msgspec.Struct] | None = None
    body: Any = None
    decode: Callable[[bytes, Any, int], Any] = read_json  # of the body, its type and the depth of nesting
    media: str = JSON
    optional: bool = False  # the body may be missing or null; the handler gets None then
    answer: Any = None
    status: int = 200
    raw: bool = False
    limit: int | None = None  # bytes of the body; None is the server's own limit
    held: bool = False  # may be answered late on purpose; a coroutine that is cancelled when the caller goes
    quick: bool = False  # reads a bounded number of rows by index, and does nothing else
    quiet: bool = False  # successes are not worth a line in the log
