"""Requests to the application without a network: what a server process would hand to it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

import msgspec

from penstock.api.common.app import make_app
from penstock.api.common.dialect import Dialect
from penstock.api.common.meter import Meter
from penstock.api.common.route import PUBLIC, Route
from penstock.api.common.server import Limits, Server
from penstock.store.sealing import Sealer


class Reply(msgspec.Struct):
    """What was sent back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever it is
        """The body, decoded."""
        return msgspec.json.decode(self.body)


class Person(msgspec.Struct, frozen=True):
    """A caller who may do what is named."""

    name: str
    actions: tuple[str, ...] = ()

    def may(self, action: str) -> bool:
        """True when the action is among theirs."""
        return action in self.actions


class Site:
    """An application with a dialect of the given routes, or with given dialects."""

    def __init__(
        self,
        routes: Iterable[Route] = (),
        *,
        dialects: Iterable[Dialect] = (),
        people: Mapping[str, Person] | None = None,
        limits: Limits | None = None,
    ) -> None:
        known = people or {}
        self.meter = Meter()
        server = Server(
            parts=None,  # type: ignore[arg-type]  # no handler of these tests needs any
            gateway=None,  # type: ignore[arg-type]  # the same
            meter=self.meter,
            sealer=Sealer([bytes(32)]),
            authenticate=known.get,
            limits=limits or Limits(),
        )
        plain = Dialect(
            name="plain",
            title="Plain",
            prefixes=("/",),
            routes=tuple(routes),
            read_secret=lambda call: call.header("x-token"),
        )
        self.app = make_app(server, tuple(dialects) or (plain,))

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        *,
        cut: bool = False,
        **headers: str,
    ) -> Reply:
        """The reply to one request; `cut` lets the caller go away after the body's pieces."""
        pieces = [body] if isinstance(body, bytes) else list(body)
        messages: list[MutableMapping[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": cut or number < len(pieces)}
            for number, piece in enumerate(pieces, start=1)
        ]
        if cut:
            messages.append({"type": "http.disconnect"})
        target, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
        }
        return asyncio.run(self._send(scope, messages))

    def ask_slowly(self, method: str, path: str, pieces: Iterable[bytes]) -> Reply:
        """The reply to a caller who sends the pieces and then nothing, but stays."""
        messages: list[MutableMapping[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
        ]
        scope = {
            "type": "http",
            "method": method,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [],
        }
        return asyncio.run(self._send(scope, messages))

    async def _send(self, scope: dict[str, Any], messages: list[MutableMapping[str, Any]]) -> Reply:
        sent: list[MutableMapping[str, Any]] = []
        queue = iter(messages)

        async def receive() -> MutableMapping[str, Any]:
            message = next(queue, None)
            if message is None:
                await asyncio.Event().wait()  # a caller who says nothing more
                raise AssertionError
            return message

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start: MutableMapping[str, Any] = sent[0] if sent else {"status": 0, "headers": []}
        return Reply(
            status=start["status"],
            headers={name.decode(): value.decode("latin-1") for name, value in start["headers"]},
            body=b"".join(message.get("body", b"") for message in sent[1:]),
        )


def route(path: str, handler: Callable[..., Any], **more: Any) -> Route:  # noqa: ANN401 - fields of a route
    """A route anybody may call, a GET unless it says otherwise."""
    return Route(**{"method": "GET", "path": path, "handler": handler, "access": PUBLIC, **more})
