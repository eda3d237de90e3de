"""The OpenAPI document of a dialect, made from its table of routes."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from penstock import __version__
from penstock.api.common.dialect import Dialect, Message
from penstock.api.common.route import PUBLIC, Route

_PARAMETER = re.compile(r"\{(\w+)(:\w+)?\}")
_REFERENCE = "#/components/schemas/{name}"
_WIDTHS = {"rest": "a path of any length"}

Document = dict[str, Any]


def describe_dialect(dialect: Dialect, base_url: str) -> Document:
    """The dialect as an OpenAPI 3.1 document, for JSON."""
    schemas = _Schemas(dialect.routes)
    paths: Document = {}
    for route in dialect.routes:
        operation = _describe_route(route, schemas)
        paths.setdefault(_PARAMETER.sub(r"{\1}", route.path), {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": dialect.title, "version": __version__},
        "servers": [{"url": base_url or "/"}],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": dict(dialect.security)},
    }


class _Schemas:
    """The JSON schemas of all types that routes name."""

    def __init__(self, routes: Iterable[Route]) -> None:
        named = [kind for route in routes for kind in (route.body, route.answer) if kind is not None]
        kinds = list(dict.fromkeys([*named, Message]))
        made, self.components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
        self._made = dict(zip(kinds, made, strict=True))

    def find(self, kind: Any) -> Document:  # noqa: ANN401 - a type as written
        """The schema, or a reference to it."""
        found: Document = self._made[kind]
        return found


def _describe_route(route: Route, schemas: _Schemas) -> Document:
    told: Document = {
        "summary": route.summary,
        "operationId": name_operation(route),
        "parameters": [*_list_in_path(route), *_list_in_query(route)],
        "responses": _list_answers(route, schemas),
    }
    if route.access != PUBLIC:
        told["x-access"] = route.access
    if route.raw:
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        told["requestBody"] = {"required": True, "content": content}
    elif route.body is not None:
        content = {route.media: {"schema": schemas.find(route.body)}}
        told["requestBody"] = {"required": not route.optional, "content": content}
    return told


def name_operation(route: Route) -> str:
    """The name of a route that generated clients use: its handler's, which reads as a verb and a noun."""
    first, *rest = str(getattr(route.handler, "__name__", route.path)).split("_")
    return first + "".join(word.capitalize() for word in rest)


def _list_in_path(route: Route) -> list[Document]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            **({"description": _tell_width(width[1:])} if width else {}),
        }
        for name, width in _PARAMETER.findall(route.path)
    ]


def _tell_width(width: str) -> str:
    return _WIDTHS.get(width, f"{width} segments, as they are or percent-encoded as one")


def _list_in_query(route: Route) -> list[Document]:
    if route.query is None:
        return []
    schema = msgspec.json.schema(route.query)
    own = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    return [
        {"name": name, "in": "query", "required": name in own.get("required", ()), "schema": shape}
        for name, shape in own["properties"].items()
    ]


def _list_answers(route: Route, schemas: _Schemas) -> Document:
    good: Document = {"description": "done"}
    if route.answer is not None:
        good["content"] = {route.media: {"schema": schemas.find(route.answer)}}
    content = {route.media: {"schema": schemas.find(Message)}}
    return {str(route.status): good, "default": {"description": "an error", "content": content}}
