"""The vendor's OpenAPI document as a judge of answers."""

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from tests.support.shared_data import find_shared

Schema = Any
_FORMATS = FormatChecker(["uuid"])
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
UNSTARTED = ("started_at",)
"""Required as times, but told as null of what has not begun; the vendor's own answers leave them out."""


@_FORMATS.checks("date-time")
def is_instant(value: object) -> bool:
    """True for an instant in the vendor's spelling."""
    return not isinstance(value, str) or _INSTANT.fullmatch(value) is not None


@cache
def _load() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(find_shared("circleci/openapi-v2-2025-10-17.json").read_text())
    return document


def check_answer(method: str, template: str, status: int, answer: object) -> None:
    """The answer is as the document says of the operation and status; fails with what is not."""
    document = _load()
    response = document["paths"][template][method.lower()]["responses"][str(status)]
    schema = _plain(_follow(response, document)["content"]["application/json"]["schema"], document)
    checker = Draft202012Validator(schema, format_checker=_FORMATS)
    problems = [f"{error.json_path}: {error.message}" for error in checker.iter_errors(answer)]
    assert problems == [], (method, template, problems)


def _follow(schema: Schema, document: dict[str, Any]) -> Schema:
    while isinstance(schema, dict) and "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _plain(schema: Schema, document: dict[str, Any], name: str = "") -> Schema:
    """The schema as JSON Schema: references followed, and nullable values told in its words."""
    if isinstance(schema, list):
        return [_plain(each, document) for each in schema]
    if not isinstance(schema, dict):
        return schema
    followed = _follow(schema, document)
    made = {
        key: {inner: _plain(value, document, inner) for inner, value in each.items()}
        if key == "properties"
        else _plain(each, document)
        for key, each in followed.items()
        if key not in {"example", "examples"}
    }
    nullable = followed.get("x-nullable") or followed.get("nullable") or name in UNSTARTED
    return {"anyOf": [made, {"type": "null"}]} if nullable else made
