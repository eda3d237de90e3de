"""Webhooks of every host: only genuine ones are read, and all say the same thing in the same form."""

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.forge.hooks import payload
from penstock.forge.hooks.event import Hook, Ignored, Ping, PullAction, PullRequest, Push
from penstock.forge.hooks.receive import find_host, read_hook
from penstock.forge.host import Host
from penstock.model.errors import ForbiddenError, InvalidError, LimitExceededError
from tests.support import hooks
from tests.support.hooks import AFTER, BEFORE, NOW, OTHER, PULLS, PUSHES, SECRET, SIGNING, ZERO, Message
from tests.support.shared_data import find_shared

SECRETS = [SECRET, SIGNING]

patient = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


def read(message: Message, *, secrets: list[str] | None = None, now: int = NOW) -> Hook:
    return read_hook(message.headers, message.body, SECRETS if secrets is None else secrets, now=now)


def read_push(message: Message) -> Push:
    (event,) = read(message).events
    assert isinstance(event, Push)
    return event


def read_pull(message: Message) -> PullRequest:
    (event,) = read(message).events
    assert isinstance(event, PullRequest)
    return event


@pytest.mark.parametrize("name", PUSHES)
def test_a_push_reads_the_same_from_every_host(name: str) -> None:
    hook = read(PUSHES[name]())
    assert hook.delivery.host == name.removesuffix("_signed")
    (push,) = hook.events
    assert isinstance(push, Push)
    assert (push.branch, push.tag, push.ref) == ("main", "", "refs/heads/main")
    assert (push.before, push.after, push.created, push.deleted) == (BEFORE, AFTER, False, False)
    assert push.pusher.login == "ann"
    assert push.repository.name == "app"
    assert push.repository.owner.lower() == "acme"
    assert push.head is not None
    assert (push.head.id, push.head.message.strip()[:12]) == (AFTER, "fix the pump")
    assert "ann" in {push.head.author.login, push.head.author.name.lower()}


@pytest.mark.parametrize("name", PULLS)
@pytest.mark.parametrize("fork", [False, True])
def test_a_pull_request_reads_the_same_from_every_host(name: str, *, fork: bool) -> None:
    pull = read_pull(PULLS[name](fork))
    assert (pull.action, pull.number, pull.title) == (PullAction.OPENED, 7, "Mend the pump")
    assert (pull.head.ref, pull.base.ref, pull.fork) == ("mend", "main", fork)
    assert pull.head.sha == ("" if name == "bitbucket" else AFTER)
    assert pull.sender.login == "bob"
    assert pull.url.endswith("/7")
    refs = {
        "gitlab": "refs/merge-requests/7/head",
        "bitbucket": "",
        "bitbucket_server": "refs/pull-requests/7/from",
    }
    assert pull.ref == refs.get(name, "refs/pull/7/head")


@pytest.mark.parametrize("name", PUSHES)
def test_who_does_not_know_the_secret_is_refused(name: str) -> None:
    message = PUSHES[name]()
    with pytest.raises(ForbiddenError, match=r"wrong|not signed"):
        read(message, secrets=["another", "whsec_YW5vdGhlcg=="])
    for secrets in ([], [""], ["", ""]):
        with pytest.raises(ForbiddenError, match=r"no secret|not signed"):
            read(message, secrets=secrets)


@pytest.mark.parametrize("name", PUSHES)
def test_a_message_without_its_signature_is_refused(name: str) -> None:
    message = PUSHES[name]()
    for header in message.headers:
        if "ignature" in header or "oken" in header:
            message = message.with_header(header, None)
    with pytest.raises(ForbiddenError, match="not signed"):
        read(message)


@pytest.mark.parametrize("name", PUSHES)
def test_a_secret_may_be_replaced_while_both_are_known(name: str) -> None:
    assert read(PUSHES[name](), secrets=["new", "whsec_bmV3", *SECRETS]).events


@settings(patient, max_examples=40)
@given(data=st.data(), name=st.sampled_from(sorted(set(PUSHES) - {"gitlab"})))
def test_a_changed_body_never_passes(data: st.DataObject, name: str) -> None:
    message = PUSHES[name]()
    place = data.draw(st.integers(0, len(message.body) - 1))
    byte = data.draw(st.integers(1, 255))
    body = bytearray(message.body)
    body[place] ^= byte
    with pytest.raises(ForbiddenError):
        read(Message(message.headers, bytes(body)))


@patient
@given(st.text(max_size=80))
def test_a_made_up_signature_never_passes(text: str) -> None:
    for name, header in (
        ("github", "X-Hub-Signature-256"),
        ("gitea", "X-Gitea-Signature"),
        ("gitlab", "X-Gitlab-Token"),
        ("gitlab_signed", "webhook-signature"),
        ("bitbucket", "X-Hub-Signature"),
    ):
        for value in (text, f"sha256={text}", f"v1,{text}"):
            with pytest.raises(ForbiddenError):
                read(PUSHES[name]().with_header(header, value))


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-timestamp", str(NOW // 1000 + 1)),
        ("webhook-timestamp", "yesterday"),
        ("webhook-timestamp", "9" * 400),
        ("webhook-id", "another"),
        ("webhook-signature", None),
    ],
)
def test_what_a_signature_covers_cannot_be_changed(header: str, value: str | None) -> None:
    with pytest.raises(ForbiddenError):
        read(PUSHES["gitlab_signed"]().with_header(header, value))


def test_a_message_signed_too_long_ago_is_refused() -> None:
    message = PUSHES["gitlab_signed"]()
    assert read(message, now=NOW + 299_000).delivery.sent_at == NOW
    for now in (NOW + 301_000, NOW - 301_000):
        with pytest.raises(ForbiddenError, match="too long ago"):
            read(message, now=now)


def test_a_signing_token_is_no_plain_token() -> None:
    with pytest.raises(ForbiddenError):
        read(PUSHES["gitlab"]().with_header("X-Gitlab-Token", SIGNING))


@pytest.mark.parametrize("name", PUSHES)
def test_the_same_message_has_the_same_key_whatever_unsigned_headers_say(name: str) -> None:
    message = PUSHES[name]()
    key = read(message).delivery.key
    for header in ("X-GitHub-Delivery", "X-Gitea-Delivery", "X-Request-UUID"):
        assert read(message.with_header(header, "another")).delivery.key == key
    assert key


def test_other_messages_have_other_keys() -> None:
    first = read(hooks.from_github("push", hooks.github_push())).delivery
    second = read(hooks.from_github("push", hooks.github_push(before=OTHER))).delivery
    assert first.key != second.key
    assert first.id == "7b6a1c50-0000-11f0-8000-000000000001"


def test_an_old_signature_alone_does_not_pass() -> None:
    message = PUSHES["github"]().with_header("X-Hub-Signature-256", None)
    with pytest.raises(ForbiddenError, match="not signed"):
        read(message.with_header("X-Hub-Signature", "sha1=" + "0" * 40))


@pytest.mark.parametrize(
    ("headers", "host"),
    [
        ({"x-github-event": "push"}, Host.GITHUB),
        ({"x-github-event": "push", "x-gitea-event": "push", "x-gogs-event": "push"}, Host.GITEA),
        ({"x-github-event": "push", "x-forgejo-event": "push"}, Host.GITEA),
        ({"x-gitlab-event": "Push Hook"}, Host.GITLAB),
        ({"x-event-key": "repo:push", "x-request-id": "of a proxy"}, Host.BITBUCKET),
        ({"x-event-key": "pullrequest:created"}, Host.BITBUCKET),
        ({"x-event-key": "pr:opened"}, Host.BITBUCKET_SERVER),
        ({"x-event-key": "diagnostics:ping"}, Host.BITBUCKET_SERVER),
    ],
)
def test_the_host_is_known_by_its_headers(headers: dict[str, str], host: Host) -> None:
    assert find_host(headers) is host


def test_what_no_known_host_sends_is_refused() -> None:
    with pytest.raises(InvalidError, match="no webhook of"):
        read_hook({"Content-Type": "application/json"}, b"{}", SECRETS, now=NOW)


def test_a_body_that_is_too_large_is_refused_before_anything_is_done_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(payload, "LARGEST_BODY", 100)
    with pytest.raises(LimitExceededError):
        read(PUSHES["github"]())


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"3", b"\xff\xfe", b'{"ref": 3}', b'{"a":' * 100_000, b"[" * 1_000_000,
     b'{"ref": "\\ud800"}', b'{"ref": "refs/heads/main", "before": null}'],
)  # fmt: skip
@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_a_body_that_is_none_is_refused(body: bytes, event: str) -> None:
    headers = {"X-GitHub-Event": event, "X-Hub-Signature-256": f"sha256={hooks.sign(body)}"}
    with pytest.raises(InvalidError):
        read(Message(headers, body))


def test_a_form_is_read_like_its_payload() -> None:
    body = b"payload=" + quote_plus(json.dumps(hooks.github_push())).encode()
    headers = dict(hooks.from_github("push", {}).headers)
    headers |= {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Hub-Signature-256": f"sha256={hooks.sign(body)}",
    }
    assert read_push(Message(headers, body)).after == AFTER
    body = b"other=1"
    headers["X-Hub-Signature-256"] = f"sha256={hooks.sign(body)}"
    with pytest.raises(InvalidError, match="no field `payload`"):
        read(Message(headers, body))


def test_new_deleted_and_forced_refs_are_told_apart() -> None:
    made = read_push(hooks.from_github("push", hooks.github_push(before=ZERO, created=True)))
    gone = read_push(hooks.from_github("push", hooks.github_push(after=ZERO, head_commit=None, commits=[])))
    pushed = read_push(hooks.from_github("push", hooks.github_push(forced=True)))
    assert (made.created, made.deleted, made.before) == (True, False, "")
    assert (gone.created, gone.deleted, gone.head) == (False, True, None)
    assert (pushed.forced, made.forced) == (True, False)


def test_the_commit_of_a_tag_is_told_beside_the_tag() -> None:
    github = read_push(
        hooks.from_github("push", hooks.github_push("refs/tags/v1", after=hooks.TAG_OBJECT, commits=[]))
    )
    gitlab = read_push(
        hooks.from_gitlab("Tag Push Hook", hooks.gitlab_push("refs/tags/v1", after=hooks.TAG_OBJECT))
    )
    bitbucket = read_push(
        hooks.from_bitbucket(
            "repo:push",
            hooks.bitbucket_push({"old": None, "new": hooks.bitbucket_ref("v1", "annotated_tag")}),
        )
    )
    assert github.head is not None
    assert (github.tag, github.branch, github.head.id) == ("v1", "", AFTER)
    assert (gitlab.tag, gitlab.after) == ("v1", AFTER)
    assert (bitbucket.tag, bitbucket.after, bitbucket.created) == ("v1", AFTER, True)


def test_one_push_of_bitbucket_moves_several_refs() -> None:
    changes: tuple[hooks.Body, ...] = (
        {"old": None, "new": hooks.bitbucket_ref("a")},
        {"old": hooks.bitbucket_ref("b"), "new": None},
        {"old": None, "new": None},
    )
    made, gone, nothing = read(hooks.from_bitbucket("repo:push", hooks.bitbucket_push(*changes))).events
    assert isinstance(made, Push)
    assert isinstance(gone, Push)
    assert isinstance(nothing, Ignored)
    assert (made.branch, made.created, gone.branch, gone.deleted) == ("a", True, "b", True)


def test_commits_and_their_files_are_told_oldest_first_where_the_host_tells() -> None:
    github = read_push(PUSHES["github"]())
    bitbucket = read_push(PUSHES["bitbucket"]())
    assert (
        [commit.id for commit in github.commits]
        == [commit.id for commit in bitbucket.commits]
        == [OTHER, AFTER]
    )
    assert github.commits[0].files == ("new.py", "pump.py")
    assert bitbucket.commits[0].files is None
    assert github.complete
    short = read_push(hooks.from_gitea("push", hooks.gitea_push() | {"total_commits": 30}))
    assert not short.complete
    assert not read_push(hooks.from_gitlab("Push Hook", hooks.gitlab_push(total_commits_count=99))).complete


@pytest.mark.parametrize(
    ("action", "changes", "more", "expected"),
    [
        ("open", {}, {}, PullAction.OPENED),
        ("reopen", {}, {}, PullAction.REOPENED),
        ("update", {}, {"oldrev": OTHER}, PullAction.SYNCHRONIZE),
        ("update", {"draft": {"previous": True, "current": False}}, {}, PullAction.READY),
        ("update", {"labels": {"previous": [], "current": [{"title": "bug"}]}}, {}, PullAction.LABELED),
        ("update", {"title": {"previous": "a", "current": "b"}}, {}, None),
        ("approved", {}, {}, None),
        ("close", {}, {}, PullAction.CLOSED),
        ("merge", {}, {}, PullAction.CLOSED),
    ],
)
def test_what_gitlab_calls_an_update_is_told_apart(
    action: str, changes: hooks.Body, more: dict[str, str], expected: PullAction | None
) -> None:
    body = hooks.gitlab_merge(action, changes=changes, more=more)
    (event,) = read(hooks.from_gitlab("Merge Request Hook", body)).events
    if expected is None:
        assert isinstance(event, Ignored)
        return
    assert isinstance(event, PullRequest)
    assert (event.action, event.merged) == (expected, action == "merge")
    assert event.before == (OTHER if expected is PullAction.SYNCHRONIZE else "")
    assert event.label == ("bug" if expected is PullAction.LABELED else "")


@pytest.mark.parametrize(
    ("event", "action", "merged"),
    [
        ("pr:opened", PullAction.OPENED, False),
        ("pr:from_ref_updated", PullAction.SYNCHRONIZE, False),
        ("pr:merged", PullAction.CLOSED, True),
        ("pr:declined", PullAction.CLOSED, False),
    ],
)
def test_bitbucket_server_names_what_happened_in_its_header(
    event: str, action: PullAction, *, merged: bool
) -> None:
    pull = read_pull(hooks.from_bitbucket(event, hooks.server_pull(event)))
    assert (pull.action, pull.merged) == (action, merged)


def test_a_fork_that_is_gone_counts_as_a_fork() -> None:
    body = copy.deepcopy(hooks.github_pull("synchronize", before=OTHER))
    assert isinstance(body["pull_request"], dict)
    body["pull_request"]["head"]["repo"] = None
    pull = read_pull(hooks.from_github("pull_request", body))
    assert (pull.fork, pull.head.repository, pull.before) == (True, None, OTHER)


def test_work_in_progress_is_a_draft() -> None:
    body = copy.deepcopy(hooks.github_pull())
    assert isinstance(body["pull_request"], dict)
    body["pull_request"]["title"] = "WIP: not yet"
    assert read_pull(hooks.from_gitea("pull_request", body)).draft
    assert not read_pull(hooks.from_github("pull_request", body)).draft


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (hooks.from_github("ping", {"zen": "…", "hook_id": 1}), Ping),
        (hooks.from_bitbucket("diagnostics:ping", {"test": True}), Ping),
        (hooks.from_github("issue_comment", {"action": "created"}), Ignored),
        (hooks.from_github("pull_request", hooks.github_pull("assigned")), Ignored),
        (hooks.from_github("push", hooks.github_push("refs/notes/x")), Ignored),
        (hooks.from_gitea("release", {}), Ignored),
        (hooks.from_gitlab("Note Hook", {}), Ignored),
        (hooks.from_bitbucket("issue:created", {}), Ignored),
    ],
)
def test_what_means_nothing_to_us_is_ignored_with_a_reason(message: Message, kind: type) -> None:
    (event,) = read(message).events
    assert isinstance(event, kind)
    if isinstance(event, Ignored):
        assert event.reason


def test_texts_are_fit_to_be_stored_and_shown() -> None:
    body = copy.deepcopy(hooks.github_pull())
    assert isinstance(body["pull_request"], dict)
    body["pull_request"] |= {"title": "a\0b" + "x" * 5000, "html_url": "javascript:alert(1)"}
    pull = read_pull(hooks.from_github("pull_request", body))
    assert pull.title.startswith("abx")
    assert len(pull.title) <= 1024
    assert pull.url == ""
    odd = hooks.from_github("push", hooks.github_push()).with_header("X-GitHub-Delivery", "a\ud800b")
    assert read(odd).delivery.id == "a?b"


@pytest.mark.parametrize(
    "ref", ["refs/heads/--upload-pack=x", "refs/heads/a..b", "refs/heads/", "-x", "", "main\n"]
)
def test_a_name_of_a_ref_git_could_misread_is_refused_or_ignored(ref: str) -> None:
    try:
        (event,) = read(hooks.from_github("push", hooks.github_push(ref))).events
    except InvalidError:
        return
    assert isinstance(event, Push)
    assert event.branch.startswith("--")  # below refs/heads/ it is harmless, and git takes it
    assert event.ref.startswith("refs/heads/")


def test_recorded_bodies_are_read() -> None:
    folder = find_shared("kraken/webhook-payloads")
    read_so: dict[str, type] = {}
    for name, event, send in (
        ("github-push", "push", hooks.from_github),
        ("gitea-push", "push", hooks.from_gitea),
        ("gitea-pr-open-with-commits", "pull_request", hooks.from_gitea),
        ("gitea-pr-sync", "pull_request", hooks.from_gitea),
        ("gitlab-push", "Push Hook", hooks.from_gitlab),
        ("gitlab-mr-open", "Merge Request Hook", hooks.from_gitlab),
        ("gitlab-mr-update", "Merge Request Hook", hooks.from_gitlab),
    ):
        (found,) = read(send(event, json.loads((folder / f"{name}.json").read_text()))).events
        read_so[name] = type(found)
    assert {name for name, kind in read_so.items() if kind is Push} == {
        "github-push",
        "gitea-push",
        "gitlab-push",
    }
    assert list(read_so.values()).count(PullRequest) == 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
KINDS = {
    "push": (hooks.from_github, hooks.github_push()),
    "pull_request": (hooks.from_github, hooks.github_pull(fork=True)),
    "pull_request_sync": (hooks.from_gitea, hooks.github_pull("synchronized")),
    "Push Hook": (hooks.from_gitlab, hooks.gitlab_push()),
    "Merge Request Hook": (hooks.from_gitlab, hooks.gitlab_merge("update")),
    "repo:push": (hooks.from_bitbucket, hooks.bitbucket_push()),
    "pullrequest:updated": (hooks.from_bitbucket, hooks.bitbucket_pull()),
    "repo:refs_changed": (hooks.from_bitbucket, hooks.server_push()),
    "pr:opened": (hooks.from_bitbucket, hooks.server_pull()),
}


def list_places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in members:
        yield from list_places(inner, (*path, key))


def replace_at(value: object, path: tuple[str | int, ...], new: object) -> object:
    if not path:
        return new
    if isinstance(value, list):
        return [replace_at(each, path[1:], new) if at == path[0] else each for at, each in enumerate(value)]
    assert isinstance(value, dict)
    return {key: replace_at(each, path[1:], new) if key == path[0] else each for key, each in value.items()}


@settings(patient, max_examples=300)
@given(kind=st.sampled_from(sorted(KINDS)), body=JSON)
def test_any_json_is_read_or_refused(kind: str, body: object) -> None:
    with suppress(InvalidError):
        assert read(KINDS[kind][0](kind, body)).delivery.event == kind


@settings(patient, max_examples=500)
@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_a_body_with_something_else_in_one_place_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    send, body = KINDS[kind]
    place = data.draw(st.sampled_from(list(list_places(body))))
    changed = replace_at(body, place, data.draw(JSON))
    try:
        events = read(send(kind, changed)).events
    except InvalidError:
        return
    assert all(isinstance(event, Push | PullRequest | Ignored) for event in events)
