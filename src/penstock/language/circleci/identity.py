"""What the identity tokens of CircleCI's jobs claim (CircleCI docs: OpenID Connect tokens)."""

from typing import Any

import msgspec

from penstock.language.common.identity import Bearer, Identities

_PREFIX = "oidc.circleci.com/"
_MARKS = {"/vcs-origin/": "%2Fvcs-origin%2F", "/vcs-ref/": "%2Fvcs-ref%2F"}


def describe_job(bearer: Bearer) -> Identities:
    """The tokens every job finds in its environment, and the one it may ask for.

    They differ in `sub`: that of the second version tells where the change came from, if that is known.
    """
    first, second = describe_subject(bearer), describe_change(bearer)
    claims = list_claims(bearer)
    return Identities(
        variables={
            "CIRCLE_OIDC_TOKEN": {"sub": first, **claims},
            "CIRCLE_OIDC_TOKEN_V2": {"sub": second, **claims},
        },
        asked={"sub": second, **claims},
    )


def describe_subject(bearer: Bearer) -> str:
    """`sub` of the first version: who runs the job, and where."""
    return f"org/{bearer.organization}/project/{bearer.project}/user/{bearer.user}"


def describe_change(bearer: Bearer) -> str:
    """`sub` of the second version: also of which repository, and of what in it."""
    subject = describe_subject(bearer)
    if not (bearer.origin and bearer.ref):
        return subject
    return f"{subject}/vcs-origin/{_keep_apart(bearer.origin)}/vcs-ref/{_keep_apart(bearer.ref)}"


def list_claims(bearer: Bearer) -> dict[str, Any]:
    """The vendor's own claims; what is not known is not claimed."""
    claims = {
        "context-ids": list(bearer.contexts),
        "job-id": bearer.job,
        "org-id": bearer.organization,
        "pipeline-definition-id": bearer.definition,
        "pipeline-id": bearer.pipeline,
        "project-id": bearer.project,
        "ssh-rerun": bearer.ssh,
        "vcs-origin": bearer.origin or msgspec.UNSET,
        "vcs-ref": bearer.ref or msgspec.UNSET,
        "workflow-id": bearer.workflow,
    }
    return {f"{_PREFIX}{name}": value for name, value in claims.items() if value is not msgspec.UNSET}


def _keep_apart(text: str) -> str:
    """The text without what only this program writes: a branch must not pass for another one.

    Rules compare `sub` with patterns like `*/vcs-ref/refs/heads/main`.
    """
    for mark, quoted in _MARKS.items():
        while mark in text:
            text = text.replace(mark, quoted)
    return text
