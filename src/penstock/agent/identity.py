"""Answers a job that asks for an identity token: reads what it wants, asks the server."""

import logging
from collections.abc import Callable

import msgspec

from penstock.agent.continuation import insist
from penstock.agent.reply import Reply
from penstock.agent.transport import Transport
from penstock.model.errors import PenstockError, UnavailableError
from penstock.wire.messages import TokenWish

MOST_BYTES = 64 << 10
"""Size of a request."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What `circleci run oidc get` was called with; `claims` is a text that holds JSON."""

    claims: str = ""
    root_issuer: bool = False
    ttl: str = ""


class Claims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The claims a job may choose (CircleCI docs: OIDC tokens with custom claims: only `aud`)."""

    aud: str | tuple[str, ...] = ()


_log = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(Body).decode
_decode_claims = msgspec.json.Decoder(Claims).decode


def answer_wish(transport: Transport, task: str, tell: Callable[[str], None], body: bytes) -> Reply:
    """The token, which `tell` hears of before the job does, or why there is none; never raises.

    One that `tell` does not take, since there were too many, the job does not get.
    """
    try:
        wish = read_wish(body)
        minted = insist(lambda: transport.mint_token(task, wish))
        if minted.status == 200:  # noqa: PLR2004 - as of HTTP
            tell(minted.text)
    except (msgspec.DecodeError, UnicodeError) as error:
        return Reply(status=400, message=f'--claims must be JSON like {{"aud": "name"}}: {error}')
    except UnavailableError as error:
        return Reply(status=503, message=str(error))
    except PenstockError as error:
        return Reply(status=400, message=str(error))
    except Exception as error:  # noqa: BLE001 - the outermost loop of who answers: the job must not wait for ever
        _log.exception("task %s: its wish for an identity token cannot be handled", task)
        return Reply(status=500, message=f"internal error ({type(error).__name__})")
    return Reply(status=minted.status, message=minted.text)


def read_wish(body: bytes) -> TokenWish:
    """What is asked of the server. Raises msgspec.DecodeError or UnicodeError for what makes no sense."""
    if len(body) > MOST_BYTES:
        raise msgspec.DecodeError(f"that is more than {MOST_BYTES >> 10} KiB")
    asked = _decode(body)
    claims = _decode_claims(asked.claims.encode()) if asked.claims.strip() else Claims()
    audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    return TokenWish(audience=audience, root=asked.root_issuer, ttl=asked.ttl)
