"""How bodies look: msgpack both ways, an error as a sentence."""

from typing import Any

import msgspec

from penstock.api.common.answer import Answer
from penstock.api.common.dialect import list_headers
from penstock.api.common.faults import UnauthorizedError, find_status
from penstock.kit.shapes import learn
from penstock.model.errors import InvalidError, PenstockError, RefusedError
from penstock.wire.protocol import MEDIA, Fault


class ProtocolError(RefusedError):
    """The agent and this server do not understand each other; the sentence says who is to be upgraded."""


_UPGRADE = 426  # RFC 9110, 15.5.22


def pack(value: Any, status: int = 200) -> Answer:  # noqa: ANN401 - whatever msgspec encodes
    """The value as msgpack."""
    return Answer(status=status, body=msgspec.msgpack.encode(value), media=MEDIA)


def read_packed(body: bytes, shape: Any, _depth: int) -> Any:  # noqa: ANN401 - whatever the shape is
    """The body as the type. Raises InvalidError with the place of what is wrong in it."""
    try:
        return msgspec.msgpack.decode(body, type=learn(shape))
    except msgspec.ValidationError as error:
        raise InvalidError(f"the body: {str(error).replace('`', chr(39))}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidError("the body is not msgpack") from error


def read_bytes(body: bytes, _shape: object, _depth: int) -> bytes:
    """The body as it is."""
    return body


def show_error(error: PenstockError) -> Answer:
    """The error as a `Fault` with its usual status."""
    status = _UPGRADE if isinstance(error, ProtocolError) else find_status(error)
    headers = () if isinstance(error, UnauthorizedError) else list_headers(error)
    answer = pack(Fault(message=str(error)), status)
    return Answer(status=status, body=answer.body, media=MEDIA, headers=headers)
