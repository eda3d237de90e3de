"""The calls that commands make, each with the type of its answer."""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from penstock.api.penstock.paging import Page
from penstock.cli.remote.answers import Items
from penstock.cli.remote.connection import Connection
from penstock.model.errors import UnavailableError

T = TypeVar("T")

OWN, CIRCLE = "/api/penstock/v1", "/api/v2"
_MOST_PAGES = 10_000


class Client:
    """A server: its own API by `own`, CircleCI's by `circle`. Raises as `Connection` does."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def url(self) -> str:
        """The server's address."""
        return self.connection.url

    def own(self, method: str, path: str, kind: type[T], body: object = None, **query: Any) -> T:  # noqa: ANN401 - of any type
        """The answer of Penstock's own API."""
        return self._call(method, f"{OWN}/{path}", kind, body, query)

    def circle(self, method: str, path: str, kind: type[T], body: object = None, **query: Any) -> T:  # noqa: ANN401 - the same
        """The answer of CircleCI's API v2."""
        return self._call(method, f"{CIRCLE}/{path}", kind, body, query)

    def tell(self, method: str, path: str, body: object = None) -> None:
        """Do something in Penstock's own API that is answered with nothing."""
        self.connection.ask(method, f"{OWN}/{path}", body)

    def list_own(self, path: str, kind: type[T], **query: Any) -> Iterator[T]:  # noqa: ANN401 - the same
        """All items of a list of Penstock's own API."""
        after = ""
        for _ in range(_MOST_PAGES):
            page = self.own("GET", path, Page[kind], after=after, **query)  # type: ignore[valid-type]  # made at run time
            yield from page.items
            if page.next is None:
                return
            after = page.next

    def list_circle(self, path: str, kind: type[T], **query: str) -> Iterator[T]:
        """All items of a list of CircleCI's API."""
        for _ in range(_MOST_PAGES):
            page = self.circle("GET", path, Items[kind], **query)  # type: ignore[valid-type]  # made at run time
            yield from page.items
            if not page.next_page_token:
                return
            query["page-token"] = page.next_page_token

    def _call(self, method: str, path: str, kind: type[T], body: object, query: dict[str, Any]) -> T:
        given = {name: value for name, value in query.items() if value not in {None, ""}}
        reply = self.connection.ask(method, path, body, query=given)
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            way_out = "is it a Penstock server, and of this version?"
            raise UnavailableError(f"the answer of {self.url} makes no sense; {way_out}") from error
