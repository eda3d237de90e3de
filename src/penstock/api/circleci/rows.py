"""The columns of the tables of CircleCI's API, and the usual kinds of rows."""

from typing import Any

import msgspec

from penstock.api.circleci.paging import Page, PageQuery
from penstock.api.common.route import Handler, Route

Query = type[msgspec.Struct] | None


def row(  # noqa: PLR0913 - the columns of the table
    method: str,
    path: str,
    handler: Handler,
    access: str,
    answer: Any,  # noqa: ANN401 - any type
    body: Any = None,  # noqa: ANN401 - any type
    *,
    query: Query = None,
    status: int = 200,
    limit: int | None = None,
    optional: bool = True,
    quick: bool = False,
) -> Route:
    """A row. A body may be missing, as all its fields may, unless it is said otherwise."""
    return Route(
        method=method,
        path=path,
        handler=handler,
        access=access,
        answer=answer,
        body=body,
        query=query,
        status=status,
        limit=limit,
        optional=optional and body is not None,
        quick=quick,
        summary=(handler.__doc__ or "").partition("\n")[0].rstrip("."),
    )


def get(
    path: str,
    handler: Handler,
    access: str,
    answer: Any,  # noqa: ANN401 - any type
    query: Query = None,
    *,
    quick: bool = False,
) -> Route:
    """A row that answers one thing."""
    return row("GET", f"/api/{path}", handler, access, answer, query=query, quick=quick)


def get_list(
    path: str,
    handler: Handler,
    access: str,
    item: Any,  # noqa: ANN401 - any type
    query: Query = PageQuery,
    *,
    quick: bool = False,
) -> Route:
    """A row that answers a page of things."""
    return row("GET", f"/api/{path}", handler, access, Page[item], query=query, quick=quick)


def post(path: str, handler: Handler, access: str, answer: Any, body: Any = None, **more: Any) -> Route:  # noqa: ANN401 - as of `row`
    """A row that makes something, or does something."""
    return row("POST", f"/api/{path}", handler, access, answer, body, **more)


def put(path: str, handler: Handler, access: str, answer: Any, body: Any, **more: Any) -> Route:  # noqa: ANN401 - as of `row`
    """A row that sets something."""
    return row("PUT", f"/api/{path}", handler, access, answer, body, **more)


def patch(path: str, handler: Handler, access: str, answer: Any, body: Any, **more: Any) -> Route:  # noqa: ANN401 - as of `row`
    """A row that changes something."""
    return row("PATCH", f"/api/{path}", handler, access, answer, body, **more)


def delete(path: str, handler: Handler, access: str, answer: Any, body: Any = None, **more: Any) -> Route:  # noqa: ANN401 - as of `row`
    """A row that takes something away."""
    return row("DELETE", f"/api/{path}", handler, access, answer, body, **more)
