"""The page that shows an OpenAPI document to people: plain HTML, nothing fetched, no script."""

from collections.abc import Iterator
from html import escape
from typing import Any

import msgspec

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem;
  color: #1b1f24; background: #fff }
code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { overflow: auto; padding: .7rem; background: #f3f4f6; border-radius: .3rem }
details { border: 1px solid #d0d4da; border-radius: .3rem; margin: .4rem 0; padding: .4rem .8rem }
summary { cursor: pointer }
b { display: inline-block; min-width: 4.5rem }
table { border-collapse: collapse } td, th { text-align: left; padding: .1rem 1rem .1rem 0 }
@media (prefers-color-scheme: dark) {
  body { color: #e6e8eb; background: #14171a } pre { background: #22272c } details { border-color: #3a4048 }
  a { color: #8ab4f8 } }
"""

SECURITY = (
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)
"""Headers of the page: whatever were in it, a browser would run nothing and fetch nothing."""

Document = dict[str, Any]


def show_document(document: Document, address: str) -> str:
    """The HTML page of the document, which is at the address."""
    title = escape(document["info"]["title"])
    head = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f'<h1>{title}</h1><p><a href="{escape(address)}">OpenAPI document</a></p>'
    )
    operations = "".join(
        _show_operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    return f"{head}{operations}<h2>Types</h2>{''.join(_show_types(document))}</html>"


def _show_operation(method: str, path: str, operation: Document) -> str:
    name = f"<b>{method.upper()}</b> <code>{escape(path)}</code>"
    parts = [f"<details><summary>{name} {escape(operation['summary'])}</summary>"]
    if "x-access" in operation:
        parts.append(f"<p>Needs: {escape(operation['x-access'])}</p>")
    parts += _show_parameters(operation["parameters"])
    body = operation.get("requestBody")
    if body:
        parts += ["<p>Body</p>", *_show_content(body)]
    for status, answer in operation["responses"].items():
        parts += [f"<p>Answer {escape(status)}: {escape(answer['description'])}</p>", *_show_content(answer)]
    return "".join([*parts, "</details>"])


def _show_parameters(parameters: list[Document]) -> Iterator[str]:
    if parameters:
        rows = "".join(
            f"<tr><td><code>{escape(each['name'])}</code><td>{each['in']}"
            f"<td>{'required' if each['required'] else 'optional'}"
            f"<td>{escape(each.get('description', ''))}<td><code>{_show_json(each['schema'])}</code>"
            for each in parameters
        )
        yield f"<table><tr><th>name<th>in<th><th><th>type{rows}</table>"


def _show_content(holder: Document) -> Iterator[str]:
    for media, content in holder.get("content", {}).items():
        yield f"<p>{escape(media)}</p><pre>{_show_json(content['schema'])}</pre>"


def _show_types(document: Document) -> Iterator[str]:
    for name, schema in document["components"]["schemas"].items():
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield f"<pre>{_show_json(schema)}</pre></details>"


def _show_json(value: object) -> str:
    return escape(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
