"""The addresses by which the world checks identity tokens (OpenID Connect Discovery 1.0, RFC 7517)."""

from collections.abc import Mapping

import msgspec

from penstock.api.common.answer import Answer, answer_json
from penstock.api.common.call import Call
from penstock.api.common.dialect import Dialect
from penstock.api.common.faults import UnknownPathError
from penstock.api.common.route import PUBLIC, Route
from penstock.api.common.server import Server
from penstock.engine.identity import ROOT, find_issuer
from penstock.kit.ids import is_id
from penstock.model.errors import UnavailableError

KEYS = "/.well-known/jwks-pub.json"
CONFIGURATION = "/.well-known/openid-configuration"
_ORGANIZATION = f"{ROOT}/org/{{id}}"

CLAIMS = (
    "aud",
    "exp",
    "iat",
    "iss",
    "sub",
    "oidc.circleci.com/context-ids",
    "oidc.circleci.com/job-id",
    "oidc.circleci.com/org-id",
    "oidc.circleci.com/pipeline-definition-id",
    "oidc.circleci.com/pipeline-id",
    "oidc.circleci.com/project-id",
    "oidc.circleci.com/ssh-rerun",
    "oidc.circleci.com/vcs-origin",
    "oidc.circleci.com/vcs-ref",
    "oidc.circleci.com/workflow-id",
)

_AN_HOUR = (("cache-control", "public, max-age=3600"),)
_MINUTES = (("cache-control", "public, max-age=300"),)  # a key that signs at once is to be known soon


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """What an issuer says of itself."""

    issuer: str
    jwks_uri: str
    response_types_supported: tuple[str, ...] = ("id_token",)
    subject_types_supported: tuple[str, ...] = ("public",)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    scopes_supported: tuple[str, ...] = ("openid",)
    claims_supported: tuple[str, ...] = CLAIMS


class KeySet(msgspec.Struct, frozen=True):
    """JSON Web Keys."""

    keys: tuple[Mapping[str, str], ...]


async def describe_issuer(server: Server, call: Call) -> Answer:
    """What the issuer of one organization, or of all, says of itself."""
    issuer = _find_issuer(server, call)
    found = Discovery(issuer=issuer, jwks_uri=issuer + KEYS)
    return answer_json(found, headers=_AN_HOUR)


def list_keys(server: Server, call: Call) -> Answer:
    """The keys that sign identity tokens, did sign those that are still good, or will sign soon."""
    _find_issuer(server, call)
    signer = server.parts.signer
    if signer is None:
        raise UnavailableError("this server signs no identity tokens")
    found = KeySet(tuple(key.public for key in signer.publish()))
    return answer_json(found, headers=_MINUTES)


def _find_issuer(server: Server, call: Call) -> str:
    """The issuer that is asked about; whether there is such an organization is nobody's business."""
    organization = call.params.get("id", "").lower()
    if organization and not is_id(organization):
        raise UnknownPathError("there is nothing at this address")
    return find_issuer(server.parts.base_url, organization)


ROUTES = tuple(
    Route(
        method="GET",
        path=place + path,
        handler=handler,
        access=PUBLIC,
        quiet=True,
        summary=(handler.__doc__ or "").partition("\n")[0].rstrip("."),
        answer=answer,
    )
    for place in (ROOT, _ORGANIZATION)
    for path, handler, answer in (
        (CONFIGURATION, describe_issuer, Discovery),
        (KEYS, list_keys, KeySet),
    )
)

OIDC = Dialect(name="oidc", title="Issuers of identity tokens", prefixes=(f"{ROOT}/",), routes=ROUTES)
