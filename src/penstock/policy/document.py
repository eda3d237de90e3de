"""Configs as the documents that policies are asked about."""

import json

from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Map
from penstock.language.common.yaml import load_yaml
from penstock.model.errors import InvalidError

COMPILED = "_compiled_"
"""The key under which a document holds the config as it is processed."""


def read_config(text: str | bytes, file: str = "config") -> dict[str, object]:
    """The config as plain data, `{}` for an empty one. Raises InvalidError for what is no map in YAML."""
    report = Reporter()
    value = load_yaml(text, file, report)
    findings = report.list_findings()
    if value is None and findings:
        first = findings[0]
        raise InvalidError(f"{first.message} ({first.mark.file}, line {first.mark.line})")
    if value is None:
        return {}
    if not isinstance(value, Map):
        raise InvalidError("the config is not a map")
    return value


def make_document(source: str | bytes, compiled: str = "") -> bytes:
    """The document of a config as written and as processed, as JSON. Raises InvalidError."""
    document = read_config(source)
    if compiled:
        document = {**document, COMPILED: read_config(compiled, "compiled config")}
    return write_json(document)


def write_json(value: object) -> bytes:
    """The plain data as JSON. Raises InvalidError for what JSON cannot hold."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise InvalidError(f"the config holds what JSON cannot: {error}") from error
    return text.encode("utf-8", "replace")
