"""Two routes for each dialect: its OpenAPI document, and the page that shows it."""

from functools import cache

from penstock.api.common.answer import Answer, answer_json
from penstock.api.common.call import Call
from penstock.api.common.dialect import Dialect
from penstock.api.common.openapi import describe_dialect
from penstock.api.common.page import SECURITY, show_document
from penstock.api.common.route import PUBLIC, Route
from penstock.api.common.server import Server


def make_manual(dialect: Dialect) -> tuple[Route, Route]:
    """`/<dialect>/openapi.json` and `/<dialect>/docs`; each is made once, when first asked for."""
    address = f"/{dialect.name}/openapi.json"

    @cache
    def make_document(base_url: str) -> Answer:
        return answer_json(describe_dialect(dialect, base_url))

    @cache
    def make_page(base_url: str) -> Answer:
        page = show_document(describe_dialect(dialect, base_url), address)
        return Answer(body=page.encode(), media="text/html; charset=utf-8", headers=SECURITY)

    def give_document(server: Server, _call: Call) -> Answer:
        return make_document(server.base_url)

    def give_page(server: Server, _call: Call) -> Answer:
        return make_page(server.base_url)

    return (
        Route(method="GET", path=address, handler=give_document, access=PUBLIC, quiet=True),
        Route(method="GET", path=f"/{dialect.name}/docs", handler=give_page, access=PUBLIC, quiet=True),
    )
