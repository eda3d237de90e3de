"""How an agent joins a server, comes back to it, and leaves."""

import msgspec
from msgspec.msgpack import Decoder

from penstock.agent.remote.link import Ask, Links, UnknownTokenError
from penstock.agent.remote.transport import decode_answer
from penstock.wire.protocol import PREFIX, Farewell, Hello, Welcome

_WELCOME = Decoder(Welcome)


def join_group(links: Links, token: str, hello: Hello) -> Welcome:
    """Become an agent of the group that the token leads to. Raises UnknownTokenError for a token of none."""
    try:
        return decode_answer(_WELCOME, _post(links, "enlist", token, hello))
    except UnknownTokenError as error:
        raise UnknownTokenError(
            "this token leads to no group of agents: it is wrong or was revoked"
        ) from error


def return_to(links: Links, token: str, hello: Hello) -> Welcome:
    """Begin anew as the agent whose token it is. Raises UnknownTokenError when the server forgot it."""
    return decode_answer(_WELCOME, _post(links, "return", token, hello))


def hand_in(links: Links, token: str) -> None:
    """All the agent holds is run elsewhere; it hears so at its next message."""
    _post(links, "handback", token, None)


def take_leave(links: Links, token: str, *, forget: bool) -> None:
    """The agent is gone; with `forget` the server forgets it."""
    _post(links, "leave", token, Farewell(forget=forget))


def _post(links: Links, path: str, token: str, body: object) -> bytes:
    data = b"" if body is None else msgspec.msgpack.encode(body)
    return links.ask(Ask(method="POST", path=PREFIX + path, token=token, body=data))
