"""Every address of CircleCI's API that is not about one run: who may call it, what goes in and comes out."""

from penstock.api.circleci.platform import claims
from penstock.api.circleci.platform import claims_payloads as o
from penstock.api.circleci.rows import delete, get, patch
from penstock.api.common.route import Route
from penstock.engine.access import Action

# fmt: off
_CONTEXTS: tuple[Route, ...] = (
)

_GROUPS: tuple[Route, ...] = (
)

_PROJECTS: tuple[Route, ...] = (
)

_KEYS: tuple[Route, ...] = (
)

_SCHEDULES: tuple[Route, ...] = (
)

_WEBHOOKS: tuple[Route, ...] = (
)

_POLICIES: tuple[Route, ...] = (
)

_OF_ORGANIZATION = "v2/org/{organization}/oidc-custom-claims"
_OF_PROJECT = "v2/org/{organization}/project/{project_id}/oidc-custom-claims"
_CLAIMS: tuple[Route, ...] = (
    delete(_OF_ORGANIZATION, claims.delete_claims, Action.CHANGE_ORGANIZATION, o.ClaimsAnswer,
           query=o.ClaimsQuery),
    get(_OF_ORGANIZATION, claims.get_claims, Action.SEE_ORGANIZATION, o.ClaimsAnswer),
    patch(_OF_ORGANIZATION, claims.patch_claims, Action.CHANGE_ORGANIZATION, o.ClaimsAnswer, o.ClaimsBody,
          optional=False),
    delete(_OF_PROJECT, claims.delete_claims, Action.ADMINISTER_PROJECT, o.ClaimsAnswer, query=o.ClaimsQuery),
    get(_OF_PROJECT, claims.get_claims, Action.SEE_PROJECT, o.ClaimsAnswer),
    patch(_OF_PROJECT, claims.patch_claims, Action.ADMINISTER_PROJECT, o.ClaimsAnswer, o.ClaimsBody,
          optional=False),
)

_USAGE: tuple[Route, ...] = (
)
# fmt: on

PLATFORM: tuple[Route, ...] = (
    *_CONTEXTS,
    *_GROUPS,
    *_PROJECTS,
    *_KEYS,
    *_SCHEDULES,
    *_WEBHOOKS,
    *_POLICIES,
    *_CLAIMS,
    *_USAGE,
)
