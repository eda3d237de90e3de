"""Answers a job that continues its pipeline: reads what it posted, asks the server, says what came of it."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from penstock.agent.reply import Reply
from penstock.agent.transport import Transport
from penstock.kit.ids import new_id
from penstock.model.errors import PenstockError, UnavailableError
from penstock.wire.messages import Continue

MOST_BYTES = 8 << 20
"""Size of a request; the server's bound for the config inside is lower, but JSON may write it longer."""

T = TypeVar("T")

PATIENCE = 10
PAUSE = 1.0
"""How often a server that does not answer is asked again, and the seconds between."""


class Body(msgspec.Struct, frozen=True, rename="kebab"):
    """The body of a request (CircleCI API v2: continuePipeline)."""

    continuation_key: str
    configuration: str
    parameters: dict[str, str | int | bool] | None = None


_log = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(Body).decode


def answer_request(transport: Transport, task: str, body: bytes) -> Reply:
    """What became of the request; never raises for what the job or the server did wrong."""
    if len(body) > MOST_BYTES:
        return Reply(status=413, message=f"The request is larger than {MOST_BYTES >> 20} MiB.")
    try:
        asked = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Reply(status=400, message=f"The request is malformed: {error}")
    wish = Continue(
        request=new_id(),
        key=asked.continuation_key,
        configuration=asked.configuration,
        parameters=asked.parameters or {},
    )
    try:
        done = insist(lambda: transport.continue_pipeline(task, wish))
    except UnavailableError as error:
        return Reply(status=503, message=str(error))
    except PenstockError as error:
        return Reply(status=400, message=str(error))
    except Exception as error:  # noqa: BLE001 - the outermost loop of who answers: the job must not wait for ever
        _log.exception("task %s: its request to continue cannot be handled", task)
        return Reply(status=500, message=f"internal error ({type(error).__name__})")
    return Reply(status=done.status, message=done.message)


def insist(ask: Callable[[], T]) -> T:
    """The server's answer. Raises UnavailableError when it stays away; asking twice must do no harm."""
    pause = threading.Event()
    for _ in range(PATIENCE):
        try:
            return ask()
        except UnavailableError:
            pause.wait(PAUSE)
    return ask()
