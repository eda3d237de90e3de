"""What the identity tokens of CircleCI's jobs claim."""

import pytest

from penstock.language.circleci.identity import describe_job
from penstock.language.common.identity import Bearer

BEARER = Bearer(
    organization="o",
    project="p",
    user="u",
    pipeline="i",
    definition="d",
    workflow="w",
    job="j",
    contexts=("c",),
    origin="github.com/acme/app",
    ref="refs/heads/feature/x",
)
BARE = Bearer(organization="o", project="p", user="u", pipeline="i", definition="d", workflow="w", job="j")


def read_subject(bearer: Bearer) -> str:
    return str(describe_job(bearer).variables["CIRCLE_OIDC_TOKEN_V2"]["sub"])


def test_the_versions_differ_in_their_subject_alone() -> None:
    told = describe_job(BEARER)
    first, second = (dict(told.variables[name]) for name in ("CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2"))
    assert first["sub"] == "org/o/project/p/user/u"
    assert (
        second["sub"] == "org/o/project/p/user/u/vcs-origin/github.com/acme/app/vcs-ref/refs/heads/feature/x"
    )
    assert told.asked == second
    assert first | {"sub": ""} == second | {"sub": ""}
    assert {name.removeprefix("oidc.circleci.com/"): value for name, value in first.items()} == {
        "sub": first["sub"],
        "context-ids": ["c"],
        "job-id": "j",
        "org-id": "o",
        "pipeline-definition-id": "d",
        "pipeline-id": "i",
        "project-id": "p",
        "ssh-rerun": False,
        "vcs-origin": "github.com/acme/app",
        "vcs-ref": "refs/heads/feature/x",
        "workflow-id": "w",
    }


def test_what_is_not_known_is_not_claimed() -> None:
    told = describe_job(BARE)
    claims = told.variables["CIRCLE_OIDC_TOKEN_V2"]
    assert claims["sub"] == "org/o/project/p/user/u"
    assert not [name for name in claims if "vcs" in name]


@pytest.mark.parametrize(
    "branch",
    [
        "x/vcs-ref/refs/heads/main",
        "vcs-ref/refs/heads/main",
        "vcs-ref/vcs-ref/refs/heads/main",
        "a/vcs-origin/b/vcs-ref/c",
    ],
)
def test_no_branch_passes_for_another_one(branch: str) -> None:
    forged = Bearer(
        **{name: getattr(BEARER, name) for name in BEARER.__struct_fields__} | {"ref": f"refs/heads/{branch}"}
    )
    subject = read_subject(forged)
    assert subject.count("/vcs-ref/") == 1
    assert subject.count("/vcs-origin/") == 1
    assert not subject.endswith("/vcs-ref/refs/heads/main")
    assert describe_job(forged).asked["oidc.circleci.com/vcs-ref"] == f"refs/heads/{branch}"
