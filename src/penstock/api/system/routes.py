"""The addresses of a server that its operators' tools ask."""

import msgspec

from penstock.api.common.answer import Answer, answer_json, answer_text
from penstock.api.common.call import Call
from penstock.api.common.dialect import Dialect
from penstock.api.common.faults import UnauthorizedError
from penstock.api.common.meter import MEDIA
from penstock.api.common.route import PUBLIC, Route
from penstock.api.common.server import Server
from penstock.api.system.directions import show_directions


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests should be sent here, and why not."""

    ready: bool
    reasons: tuple[str, ...] = ()


async def tell_health(_server: Server, _call: Call) -> Answer:
    """The process answers."""
    return answer_text("ok\n")


def tell_readiness(server: Server, _call: Call) -> Answer:
    """200 when everything the server depends on answers and it means to stay, else 503 with the reasons."""
    reasons = tuple(server.find_reasons())
    return answer_json(Readiness(not reasons, reasons), 503 if reasons else 200)


def show_figures(server: Server, call: Call) -> Answer:
    """The figures in Prometheus' text format. Raises UnauthorizedError."""
    if not server.figures_for_all:
        scheme, _, given = call.header("authorization").partition(" ")
        if scheme.lower() != "bearer" or server.authenticate(given.strip()) is None:
            raise UnauthorizedError("a valid token is needed here")
    return Answer(body=server.meter.show(), media=MEDIA)


ROUTES = (
    Route(
        method="GET",
        path="/healthz",
        handler=tell_health,
        access=PUBLIC,
        quiet=True,
        summary="Is the process alive?",
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=tell_readiness,
        access=PUBLIC,
        quiet=True,
        summary="Should it get requests?",
        answer=Readiness,
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=show_figures,
        access=PUBLIC,
        quiet=True,
        summary="Figures for Prometheus",
    ),
    Route(
        method="GET",
        path="/pipelines/{place:rest}",
        handler=show_directions,
        access=PUBLIC,
        summary="Where links to pipelines and jobs lead: the commands that show them",
    ),
)

SYSTEM = Dialect(name="system", title="The server itself", prefixes=("/",), routes=ROUTES)
