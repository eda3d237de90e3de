"""Webhooks that are not in order: refused with a clear message, and nothing is changed by them."""

import gzip

import pytest

from penstock.engine.hear import Message, hear_hook
from penstock.engine.principal import SERVER
from penstock.engine.projects import delete_project
from penstock.model.errors import ForbiddenError
from penstock.store import outbox
from penstock.store.sealing import Sealer
from tests.support import hooks
from tests.support.hook_site import HookSite

PUSH = hooks.from_github("push", hooks.github_push())
UNKNOWN = "0190a000-0000-7000-8000-000000000000"


def check_untouched(hooked: HookSite) -> None:
    assert hooked.carry() is None
    assert hooked.pipelines() == []
    with hooked.parts.db.read() as tx:
        assert outbox.next_due(tx, ["push"]) is None


def signed(body: bytes) -> hooks.Message:
    headers = dict(PUSH.headers) | {"X-Hub-Signature-256": f"sha256={hooks.sign(body)}"}
    return hooks.Message(headers, body)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (PUSH.with_header("X-Hub-Signature-256", None), 403),
        (PUSH.with_header("X-Hub-Signature-256", ""), 403),
        (PUSH.with_header("X-Hub-Signature-256", "sha256="), 403),
        (PUSH.with_header("X-Hub-Signature-256", "sha1=" + "0" * 40), 403),
        (PUSH.with_header("X-Hub-Signature-256", "sha256=é"), 403),
        (hooks.from_github("push", hooks.github_push(), "another secret"), 403),
        (hooks.from_github("push", hooks.github_push(), ""), 403),
        (hooks.from_gitlab("Push Hook", hooks.gitlab_push(), "wrong"), 403),
        (hooks.from_gitlab("Push Hook", hooks.gitlab_push(), ""), 403),
        (hooks.Message(PUSH.headers, PUSH.body + b" "), 403),
        (PUSH.with_header("X-GitHub-Event", None), 400),
        (signed(b""), 400),
        (signed(b"push"), 400),
        (signed(b"[]"), 400),
        (signed(b"[" * 200_000), 400),
        (signed(b'{"ref": 7}'), 400),
        (signed(b"\xff\xfe{}"), 400),
        (signed(gzip.compress(PUSH.body)), 400),
        (signed(b" " * ((25 << 20) + 1)), 413),
    ],
    ids=lambda each: str(each) if isinstance(each, int) else "",
)
def test_what_is_not_genuine_or_no_webhook_changes_nothing(
    hooked: HookSite, message: hooks.Message, status: int
) -> None:
    reply = hooked.send(message)
    assert reply.status == status, reply.body
    assert reply.json()["message"]
    assert hooks.SECRET.encode() not in reply.body
    check_untouched(hooked)


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/../../config",
        "refs/heads/--upload-pack=touch /tmp/x",
        "refs/heads/a\nb",
        "refs/heads/",
        "-refs/heads/x",
        "refs/heads/x.lock",
        "refs/heads/a\x00b",
        "main",
        "",
    ],
)
def test_refs_that_git_would_not_have_are_refused_or_ignored(hooked: HookSite, ref: str) -> None:
    reply = hooked.send(hooks.from_github("push", hooks.github_push(ref)))
    assert reply.status in {200, 400}
    check_untouched(hooked)


@pytest.mark.parametrize("sha", ["--output=x", "HEAD", "b2" * 19, "../" * 10, "B2" * 20])
def test_commits_have_the_names_of_commits(hooked: HookSite, sha: str) -> None:
    commit = hooks.github_commit(sha)
    reply = hooked.send(hooks.from_github("push", hooks.github_push(after=sha, head_commit=commit)))
    assert reply.status == 400
    check_untouched(hooked)


def test_a_replay_is_refused_under_whatever_name(hooked: HookSite) -> None:
    body = hooks.github_push()
    assert len(hooked.build(hooks.from_github("push", body))) == 1
    again = hooks.from_github("push", body)
    assert hooked.send(again).status == 409
    assert hooked.send(again.with_header("X-GitHub-Delivery", "another")).status == 409
    # Gitea signs the same way: the same body must not count as another host's.
    assert hooked.send(hooks.from_gitea("push", body)).status == 409
    assert hooked.send(again, "gh/acme/app").status == 409
    hooked.carry()
    assert len(hooked.pipelines()) == 1


@pytest.mark.parametrize(
    "name", [UNKNOWN, "gh/acme/unknown", "gh/acme", "x", "a%2Fb%2Fc", "%00", "gh/acme/app/app"]
)
def test_a_project_that_is_not_there_looks_like_one_with_another_secret(hooked: HookSite, name: str) -> None:
    wrong = hooks.from_github("push", hooks.github_push(), "another secret")
    known, unknown = hooked.send(wrong), hooked.send(wrong, name)
    assert (unknown.status, unknown.json()) == (known.status, known.json())
    unsigned = PUSH.with_header("X-Hub-Signature-256", None)
    known, unknown = hooked.send(unsigned), hooked.send(unsigned, name)
    assert (unknown.status, unknown.json()) == (known.status, known.json())
    bare = hooked.site.add_project("bare")  # it has no secret
    assert hooked.send(wrong, bare.slug).json() == hooked.send(wrong).json()
    check_untouched(hooked)


def test_secrets_that_cannot_be_opened_any_more_open_nothing(
    hooked: HookSite, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = hooks.from_github("push", hooks.github_push(), "another secret")
    expected = hooked.send(wrong).json()
    with pytest.raises(ForbiddenError, match="signature of this webhook is wrong"):
        hear_hook(hooked.parts, Sealer([b"z" * 32]), hooked.project.uuid, Message(PUSH.headers, PUSH.body))
    assert "cannot be heard" in caplog.text
    assert "signature of this webhook is wrong" in expected["message"]
    check_untouched(hooked)


def test_a_secret_of_one_project_opens_no_other(hooked: HookSite) -> None:
    other = hooked.site.add_project("other")
    assert hooked.send(PUSH, other.slug).status == 403
    check_untouched(hooked)


def test_only_a_post_is_a_webhook(hooked: HookSite) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert hooked.site.send(method, f"/hooks/{hooked.project.uuid}").status == 405


def test_bodies_that_nobody_vouches_for_have_little_room(hooked: HookSite) -> None:
    room = hooked.site.server.hook_room
    before = room.free
    assert hooked.send(PUSH).status == 202
    room.take(before - 100)
    assert hooked.send(PUSH).status == 503
    room.give(before - 100)
    assert hooked.send(PUSH).status == 409
    cut = hooked.site.ask("POST", f"/hooks/{hooked.project.uuid}", [b"x" * 1000, b"y"], cut=True)
    assert cut.status in {0, 499}
    assert room.free == before


def test_a_deleted_project_hears_nothing_any_more(hooked: HookSite) -> None:
    assert hooked.send(PUSH).status == 202
    delete_project(hooked.parts, SERVER, hooked.project)
    other = hooks.from_github("push", hooks.github_push(forced=True))
    for name in (hooked.project.uuid, "gh/acme/app"):
        assert hooked.send(other, name).status == 403
    check_untouched(hooked)
