"""The ASGI application: takes a request through the steps from its first byte to the last of its answer."""

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping, Sequence
from typing import Any

import msgspec

from penstock.api.common.answer import Answer, answer_json
from penstock.api.common.body import Body, Budget, CutOffError, is_large
from penstock.api.common.call import Call, Caller, read_query
from penstock.api.common.compress import compress
from penstock.api.common.dialect import Dialect, list_speakers, show_plainly
from penstock.api.common.faults import (
    InternalError,
    UnauthorizedError,
    WrongMethodError,
)
from penstock.api.common.journal import note_request, pick_request_id
from penstock.api.common.layout import lay_out
from penstock.api.common.manual import make_manual
from penstock.api.common.pool import Pool
from penstock.api.common.route import PUBLIC, Route
from penstock.api.common.router import Router
from penstock.api.common.server import Server
from penstock.engine.recent import Recent
from penstock.kit.trace import REQUEST
from penstock.model.errors import ForbiddenError, PenstockError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = logging.getLogger(__name__)

_NO_BODY = {204, 304}

_NOTHING = {b"", b"null"}
"""What says that there is no body where it may be missing."""

CUT_OFF = 499
"""What is counted for a request whose caller went away, since there is no status for that."""


class Target(msgspec.Struct, frozen=True):
    """A route, and the dialect it belongs to."""

    dialect: Dialect
    route: Route
    is_async: bool


class App:
    """Answers requests: always with an answer of the path's dialect, and never by raising."""

    def __init__(self, server: Server, dialects: Sequence[Dialect]) -> None:
        self._server = server
        self._pool = Pool(server.limits.threads, server.limits.waiting)
        self._budget = Budget(server.limits.memory)
        self._speakers = sorted(
            (pair for dialect in dialects for pair in list_speakers(dialect)), key=lambda pair: -len(pair[0])
        )
        self._fresh: Recent[tuple[str, bytes], tuple[int | None, Caller | None, Answer]] = Recent(256)
        self._router = Router(
            (route.method, route.path, Target(dialect, route, inspect.iscoroutinefunction(route.handler)))
            for dialect in dialects
            for route in (*dialect.routes, *make_manual(dialect))
        )

    def close(self) -> None:
        """Wait for the handlers that run; none is begun any more."""
        self._pool.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of connections are refused."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            return
        begun = time.perf_counter()
        call = _make_call(scope)
        REQUEST.set(call.request_id)
        self._server.meter.open_requests += 1
        status = 0
        try:
            answer = await self._answer(call, receive)
            status = answer.status
            await self._send(call, answer, receive, send)
        except CutOffError:
            status = CUT_OFF
        except Exception:
            _log.exception("request %s: its answer broke off", call.request_id)
            raise  # so that the connection is cut: the caller must not take a part for the whole
        finally:
            self._server.meter.open_requests -= 1
            note_request(call, status, time.perf_counter() - begun, self._server.meter)

    async def _answer(self, call: Call, receive: Receive) -> Answer:
        """The answer, or what the dialect of the path says of the error."""
        try:
            return await self._work(call, receive)
        except PenstockError as error:
            return self._show(call, error)
        except CutOffError:
            raise
        except Exception:  # noqa: BLE001 - the outermost loop over requests: the caller gets an answer
            _log.exception("request %s failed: %s %s", call.request_id, call.method, call.path)
            return self._show(call, InternalError("internal error, which is a fault of Penstock"))
        finally:
            self._budget.give(call.weight)

    async def _work(self, call: Call, receive: Receive) -> Answer:
        try:
            match = self._router.find(call.method, call.path)
        except WrongMethodError as error:
            if call.method == "OPTIONS":
                return Answer(status=204, headers=(("allow", ", ".join(error.allowed)),))
            raise
        target, call.params = match.target, match.params
        route = target.route
        call.template, call.quiet, call.held = route.path, route.quiet, route.held
        if route.access != PUBLIC and (target.is_async or is_large(call)):
            await self._pool.run(self._guard, target, call)
        if route.raw or route.body is not None:
            await self._read(route, call, receive)
        if target.is_async:
            call.run = self._pool.run
            self._decode(route, call)
            work = route.handler(self._server, call)
            return _complete(route, await (_hold(work, receive) if route.held else work))
        if route.quick and (caller := self._server.recall(target.dialect.read_secret(call))) is not None:
            call.caller = caller
            return self._handle_known(target, call)
        answer: Answer = await self._pool.run(self._handle, target, call)
        return answer

    async def _read(self, route: Route, call: Call, receive: Receive) -> None:
        """The body is there, or for a raw route ready to be read."""
        limits = self._server.limits
        limit = limits.body if route.limit is None else route.limit
        body = Body(call, receive, limit, limits.patience, self._budget)
        if route.raw:
            call.pieces, call.stream = body.pieces(asyncio.get_running_loop()), body.stream()
        else:
            call.body = await body.read()

    def _handle(self, target: Target, call: Call) -> Answer:
        """All of a plain handler's work, in a thread of the pool."""
        self._guard(target, call)
        self._decode(target.route, call)
        return _complete(target.route, target.route.handler(self._server, call))

    def _handle_known(self, target: Target, call: Call) -> Answer:
        """A quick handler's work, on the loop; what it answered last while nothing has changed since."""
        REQUEST.set(call.request_id)
        self._check_rights(target, call)
        version = self._server.parts.db.version()
        key = (call.path, call.query_string)
        known = self._fresh.get(key)
        if known is not None and known[0] == version and known[1] == call.caller:
            return known[2]
        self._decode(target.route, call)
        answer = _complete(target.route, target.route.handler(self._server, call))
        self._fresh.put(key, (version, call.caller, answer))
        return answer

    def _guard(self, target: Target, call: Call) -> None:
        """The caller is known and may call the route; raises UnauthorizedError or ForbiddenError."""
        access = target.route.access
        if access == PUBLIC:
            return
        call.caller = identify(self._server, target.dialect, call)
        self._check_rights(target, call)

    def _check_rights(self, target: Target, call: Call) -> None:
        if call.caller is None:
            raise UnauthorizedError("a valid token is needed here")
        if not call.caller.may(target.route.access):
            raise ForbiddenError("your token does not allow this")

    def _decode(self, route: Route, call: Call) -> None:
        if route.query is not None:
            call.query = read_query(call, route.query)
        if route.body is not None and not (route.optional and call.body.strip() in _NOTHING):
            call.payload = route.decode(call.body, route.body, self._server.limits.depth)

    def _show(self, call: Call, error: PenstockError) -> Answer:
        """What the dialect of the path says of the error; the longest prefix counts."""
        for prefix, show in self._speakers:
            if call.path.startswith(prefix):
                return show(error)
        return show_plainly(error)

    async def _send(self, call: Call, answer: Answer, receive: Receive, send: Send) -> None:
        """Send the answer; a body in pieces is read in the pool, and closed however that ends."""
        answer = lay_out(call, answer)
        whole = isinstance(answer.body, bytes)
        body, extra = compress(call, answer) if whole else (b"", ())
        headers = [(b"x-request-id", call.request_id.encode())]
        if answer.status not in _NO_BODY:
            headers.append((b"content-type", answer.media.encode()))
            if whole:
                headers.append((b"content-length", str(len(body)).encode()))
        headers += [(name.encode(), value.encode("latin-1")) for name, value in (*answer.headers, *extra)]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if isinstance(answer.body, bytes):
            await send({"type": "http.response.body", "body": b"" if call.method == "HEAD" else body})
            return
        pieces = iter(()) if call.method == "HEAD" else answer.body
        gone = asyncio.ensure_future(_await_leave(receive))
        try:
            await self._send_pieces(pieces, gone, send)
        finally:
            gone.cancel()
            close = getattr(answer.body, "close", None)
            if close is not None:
                await asyncio.to_thread(close)

    async def _send_pieces(self, pieces: Iterator[bytes], gone: "asyncio.Future[None]", send: Send) -> None:
        """Send until there are no more; raises CutOffError when nobody is there to read them."""
        while (piece := await self._pool.run(next, pieces, None)) is not None:
            if gone.done():
                raise CutOffError
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def make_app(server: Server, dialects: Sequence[Dialect]) -> App:
    """The application that answers for the server in these dialects.

    Raises ValueError when two routes have the same method and path.
    """
    return App(server, dialects)


def identify(server: Server, dialect: Dialect, call: Call) -> Caller | None:
    """Who has the secret the request carries, or the login and password; None when nobody has."""
    secret = dialect.read_secret(call)
    caller = dialect.find_caller(server, secret) if secret else None
    if caller is None and (pair := dialect.read_login(call)) is not None:
        return server.log_in(*pair, call.peer)
    return caller


async def _hold(work: Coroutine[Any, Any, Any], receive: Receive) -> Any:  # noqa: ANN401 - what the work returns
    """What the work returned; it is cancelled when the caller goes away, and CutOffError raised."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_await_leave(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise CutOffError
    finally:
        gone.cancel()
        working.cancel()


async def _await_leave(receive: Receive) -> None:
    """Return when the caller has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _make_call(scope: Scope) -> Call:
    headers = scope["headers"]
    client = scope.get("client")
    return Call(
        request_id=pick_request_id(headers),
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query_string=scope["query_string"],
        raw_headers=headers,
        peer=client[0] if client else "",
        scheme=scope.get("scheme", "http"),
    )


def _complete(route: Route, result: object) -> Answer:
    """What a handler returned as an answer."""
    if isinstance(result, Answer):
        return result
    if result is None:
        return Answer(status=route.status)
    return answer_json(result, route.status)
