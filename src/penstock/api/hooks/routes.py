"""The address for webhooks of git hosts, one for each project."""

import msgspec

from penstock.api.common.answer import Answer, answer_json
from penstock.api.common.call import Call
from penstock.api.common.dialect import Dialect
from penstock.api.common.route import PUBLIC, Route
from penstock.api.common.server import Server
from penstock.engine.hear import Heard, Message, hear_hook
from penstock.engine.push import Order
from penstock.forge.hooks.payload import LARGEST_BODY

PREFIX = "/hooks/"


class Promised(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pipeline that is to come."""

    id: str
    branch: str = ""
    tag: str = ""
    revision: str = ""


class Ignored(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something the webhook tells of for which there will be no pipeline."""

    reason: str
    detail: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from a webhook; hosts show it in their list of deliveries."""

    pipelines: tuple[Promised, ...]
    ignored: tuple[Ignored, ...]


async def take_hook(server: Server, call: Call) -> Answer:
    """Take in a webhook: 202 when pipelines will come of it, 200 when none.

    It must be signed with a secret of the project. A host waits ten seconds at most, so the commit is
    fetched after the answer; what is promised here is kept even when the server dies at once. Anybody may
    send a body: until it is whole it takes room, and no thread.
    """
    if call.run is None or call.stream is None:
        raise AssertionError("a raw route of a coroutine has these")
    pieces: list[bytes] = []
    try:
        async for piece in call.stream:
            server.hook_room.take(len(piece))
            pieces.append(piece)
        answer: Answer = await call.run(_hear, server, call, b"".join(pieces))
    finally:
        server.hook_room.give(sum(map(len, pieces)))
    return answer


def _hear(server: Server, call: Call, body: bytes) -> Answer:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in call.raw_headers}
    heard = hear_hook(server.parts, server.sealer, call.params["project"], Message(headers, body))
    return answer_json(show_outcome(heard), 202 if heard.orders else 200)


def show_outcome(heard: Heard) -> Outcome:
    """The outcome as it is answered."""
    return Outcome(
        pipelines=tuple(_show_order(order) for order in heard.orders),
        ignored=tuple(Ignored(reason=each.why, detail=each.detail) for each in heard.declined),
    )


def _show_order(order: Order) -> Promised:
    revision = order.facts.revision
    return Promised(id=order.pipeline, branch=revision.branch, tag=revision.tag, revision=revision.sha)


ROUTES = (
    Route(
        method="POST",
        path="/hooks/{project:rest}",
        handler=take_hook,
        access=PUBLIC,
        summary="Take in a webhook of GitHub, GitLab, Gitea, Forgejo or Bitbucket",
        raw=True,
        limit=LARGEST_BODY,
        answer=Outcome,
        status=202,
    ),
)

HOOKS = Dialect(name="hooks", title="Webhooks of git hosts", prefixes=(PREFIX,), routes=ROUTES)
