"""Webhooks of GitLab (GitLab docs: webhook events)."""

from collections.abc import Mapping, Sequence

import msgspec

from penstock.forge.hooks.event import (
    Delivery,
    Hook,
    HookEvent,
    Ignored,
    Person,
    PullAction,
    PullRequest,
    Push,
    PushedCommit,
    Repository,
    Side,
)
from penstock.forge.hooks.payload import (
    LONGEST_MESSAGE,
    Number,
    clean_branch,
    clean_sha,
    clean_text,
    clean_url,
    decode_body,
    list_touched,
    split_ref,
)
from penstock.forge.hooks.signature import SIGNING_PREFIX, check_standard, check_token, hash_body
from penstock.forge.host import Host, pull_request_ref

_ACTIONS = {
    "open": PullAction.OPENED,
    "reopen": PullAction.REOPENED,
    "close": PullAction.CLOSED,
    "merge": PullAction.CLOSED,
}
_PUSHES = {"Push Hook", "Tag Push Hook"}


class _Project(msgspec.Struct):
    id: int
    path_with_namespace: str
    web_url: str | None = None
    git_http_url: str | None = None
    git_ssh_url: str | None = None
    url: str | None = None
    default_branch: str | None = None


class _Author(msgspec.Struct):
    name: str | None = None
    email: str | None = None


class _Commit(msgspec.Struct):
    id: str
    message: str | None = None
    url: str | None = None
    author: _Author | None = None
    added: list[str] | None = None
    modified: list[str] | None = None
    removed: list[str] | None = None


class _Push(msgspec.Struct):
    ref: str
    before: str
    after: str
    project: _Project
    checkout_sha: str | None = None
    total_commits_count: int = 0
    commits: list[_Commit] | None = None
    user_id: int | None = None
    user_name: str | None = None
    user_username: str | None = None
    user_email: str | None = None
    user_avatar: str | None = None


class _User(msgspec.Struct):
    name: str | None = None
    username: str | None = None
    email: str | None = None
    avatar_url: str | None = None


class _Request(msgspec.Struct):
    iid: Number
    source_branch: str
    target_branch: str
    source_project_id: int | None = None
    action: str | None = None
    title: str | None = None
    url: str | None = None
    oldrev: str | None = None
    source: _Project | None = None
    last_commit: _Commit | None = None
    draft: bool | None = None
    work_in_progress: bool | None = None


class _Switch(msgspec.Struct):
    previous: bool | None = None
    current: bool | None = None


class _Label(msgspec.Struct):
    title: str | None = None


class _Labels(msgspec.Struct):
    previous: list[_Label] | None = None
    current: list[_Label] | None = None


class _Changes(msgspec.Struct):
    draft: _Switch | None = None
    labels: _Labels | None = None


class _Merge(msgspec.Struct):
    project: _Project
    object_attributes: _Request
    user: _User | None = None
    changes: _Changes | None = None


def read_gitlab(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> Hook:
    """What GitLab says.

    Secrets that begin with `whsec_` are signing tokens; the others are compared with `X-Gitlab-Token`, which
    proves who sends, not what: prefer a signing token.
    """
    signing = [secret for secret in secrets if secret.startswith(SIGNING_PREFIX)]
    identity = headers.get("idempotency-key") or headers.get("x-gitlab-event-uuid", "")
    sent = None
    if signing and "webhook-signature" in headers:
        identity = headers.get("webhook-id", "")
        sent = check_standard(headers, body, signing, now)
    else:
        plain = [secret for secret in secrets if not secret.startswith(SIGNING_PREFIX)]
        check_token(headers.get("x-gitlab-token", ""), plain)
    name = headers.get("x-gitlab-event", "")
    delivery = Delivery(
        host=Host.GITLAB,
        id=clean_text(identity),
        event=clean_text(name),
        key=clean_text(identity) or hash_body(body),
        sent_at=sent,
    )
    return Hook(delivery=delivery, events=(_read(name, body),))


def _read(name: str, body: bytes) -> HookEvent:
    if name in _PUSHES:
        return _convert_push(decode_body(body, _Push))
    if name == "Merge Request Hook":
        return _convert_request(decode_body(body, _Merge))
    return Ignored(reason=f"nothing is done for {clean_text(name)[:80] or 'an event without a name'}")


def _convert_push(body: _Push) -> HookEvent:
    names = split_ref(body.ref)
    if names is None:
        return Ignored(reason=f"{clean_text(body.ref)} is neither a branch nor a tag")
    branch, tag = names
    commits = tuple(map(_convert_commit, body.commits or []))
    after = clean_sha(body.after)
    checkout = clean_sha(body.checkout_sha) or after  # of an annotated tag `after` names the tag
    return Push(
        repository=_convert_project(body.project),
        pusher=Person(
            login=clean_text(body.user_username),
            name=clean_text(body.user_name),
            email=clean_text(body.user_email),
            avatar_url=clean_url(body.user_avatar),
            id="" if body.user_id is None else str(body.user_id),
        ),
        branch=branch,
        tag=tag,
        before=clean_sha(body.before),
        after=checkout if after else "",
        commits=commits,
        complete=body.total_commits_count <= len(commits),
        head=next((commit for commit in commits if commit.id == checkout), None),
    )


def _convert_request(body: _Merge) -> HookEvent:
    request = body.object_attributes
    action = _find_action(request, body.changes or _Changes())
    if action is None:
        return Ignored(reason=f"nothing is done when a merge request sees {clean_text(request.action)[:80]}")
    last = _convert_commit(request.last_commit) if request.last_commit is not None else None
    user = body.user or _User()
    return PullRequest(
        repository=_convert_project(body.project),
        action=action,
        number=request.iid,
        head=Side(
            repository=_convert_project(request.source) if request.source is not None else None,
            ref=clean_branch(request.source_branch),
            sha=last.id if last is not None else "",
        ),
        base=Side(repository=_convert_project(body.project), ref=clean_branch(request.target_branch)),
        sender=Person(
            login=clean_text(user.username),
            name=clean_text(user.name),
            email=clean_text(user.email),
            avatar_url=clean_url(user.avatar_url),
        ),
        author=last.author if last is not None else Person(),
        title=clean_text(request.title),
        url=clean_url(request.url),
        ref=pull_request_ref(Host.GITLAB, request.iid),
        before=clean_sha(request.oldrev),
        label=_find_label(body.changes),
        draft=bool(request.draft or request.work_in_progress),
        merged=request.action == "merge",
    )


def _find_action(request: _Request, changes: _Changes) -> PullAction | None:
    """An `update` is new commits, a finished draft or another label, or something we do nothing for."""
    if request.action != "update":
        return _ACTIONS.get(request.action or "")
    if request.oldrev:
        return PullAction.SYNCHRONIZE
    if changes.draft is not None and changes.draft.previous and not changes.draft.current:
        return PullAction.READY
    return PullAction.LABELED if _find_label(changes) else None


def _find_label(changes: _Changes | None) -> str:
    """The first label that was not there before."""
    labels = changes.labels if changes is not None else None
    if labels is None:
        return ""
    before = {label.title for label in labels.previous or []}
    added = (label.title for label in labels.current or [] if label.title not in before)
    return clean_text(next(added, ""))


def _convert_project(project: _Project) -> Repository:
    urls = (project.git_http_url, project.git_ssh_url) if project.git_http_url else (project.url,)
    return Repository(
        id=str(project.id),
        full_name=clean_text(project.path_with_namespace),
        web_url=clean_url(project.web_url),
        clone_urls=tuple(clean_text(url) for url in urls if url),
        default_branch=clean_text(project.default_branch),
    )


def _convert_commit(commit: _Commit) -> PushedCommit:
    author = commit.author or _Author()
    return PushedCommit(
        id=clean_sha(commit.id),
        message=clean_text(commit.message, LONGEST_MESSAGE),
        author=Person(name=clean_text(author.name), email=clean_text(author.email)),
        url=clean_url(commit.url),
        files=list_touched(commit.added, commit.removed, commit.modified),
    )
