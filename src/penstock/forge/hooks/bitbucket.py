"""Webhooks of Bitbucket Cloud (Bitbucket docs: event payloads)."""

import re
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
    split_ref,
)
from penstock.forge.hooks.signature import check_digest, hash_body
from penstock.forge.host import Host
from penstock.forge.refs import is_sha

_ACTIONS = {
    "pullrequest:created": PullAction.OPENED,
    "pullrequest:updated": PullAction.SYNCHRONIZE,  # also when only the title changed: it does not say
    "pullrequest:fulfilled": PullAction.CLOSED,
    "pullrequest:rejected": PullAction.CLOSED,
}
_RAW = re.compile(r"(?P<name>[^<]*?)\s*<(?P<email>[^>]*)>")


class _Link(msgspec.Struct):
    href: str | None = None


class _Links(msgspec.Struct):
    html: _Link | None = None
    avatar: _Link | None = None


class _Actor(msgspec.Struct):
    nickname: str | None = None
    display_name: str | None = None
    type: str | None = None
    links: _Links | None = None


class _Repository(msgspec.Struct):
    uuid: str
    full_name: str
    links: _Links | None = None


class _Author(msgspec.Struct):
    raw: str | None = None
    user: _Actor | None = None


class _Commit(msgspec.Struct):
    hash: str
    message: str | None = None
    author: _Author | None = None
    links: _Links | None = None


class _Ref(msgspec.Struct):
    type: str
    name: str
    target: _Commit


class _Change(msgspec.Struct):
    new: _Ref | None = None
    old: _Ref | None = None
    forced: bool = False
    truncated: bool = False
    commits: list[_Commit] | None = None


class _Changes(msgspec.Struct):
    changes: list[_Change]


class _Push(msgspec.Struct):
    repository: _Repository
    push: _Changes
    actor: _Actor | None = None


class _Name(msgspec.Struct):
    name: str


class _End(msgspec.Struct):
    branch: _Name
    commit: _Commit | None = None
    repository: _Repository | None = None


class _Request(msgspec.Struct):
    id: Number
    source: _End
    destination: _End
    title: str | None = None
    draft: bool | None = None
    author: _Actor | None = None
    links: _Links | None = None


class _Pull(msgspec.Struct):
    repository: _Repository
    pullrequest: _Request
    actor: _Actor | None = None


def read_bitbucket(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> Hook:
    """What Bitbucket Cloud says; one push may move several refs."""
    del now  # Bitbucket signs no time
    name = check_bitbucket(headers, body, secrets)
    delivery = Delivery(
        host=Host.BITBUCKET,
        id=clean_text(headers.get("x-request-uuid")),
        event=clean_text(name),
        key=hash_body(body),
    )
    return Hook(delivery=delivery, events=_read(name, body))


def check_bitbucket(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> str:
    """The event's name. Raises ForbiddenError unless it is signed, with SHA-256 whatever the header says."""
    check_digest(headers.get("x-hub-signature", ""), body, secrets, prefix="sha256=")
    return headers.get("x-event-key", "")


def _read(name: str, body: bytes) -> tuple[HookEvent, ...]:
    if name == "repo:push":
        push = decode_body(body, _Push)
        return tuple(_convert_change(change, push) for change in push.push.changes)
    if name in _ACTIONS:
        return (_convert_request(decode_body(body, _Pull), name),)
    return (Ignored(reason=f"nothing is done for {clean_text(name)[:80] or 'an event without a name'}"),)


def _convert_change(change: _Change, body: _Push) -> HookEvent:
    ref = change.new or change.old
    if ref is None or ref.type not in {"branch", "tag", "named_branch", "annotated_tag"}:
        return Ignored(reason="a change of something that is neither a branch nor a tag")
    tagged = ref.type.endswith("tag")
    split_ref(f"refs/tags/{ref.name}" if tagged else f"refs/heads/{ref.name}")
    commits = tuple(map(_convert_commit, reversed(change.commits or [])))
    return Push(
        repository=_convert_repository(body.repository),
        pusher=_convert_actor(body.actor),
        branch="" if tagged else ref.name,
        tag=ref.name if tagged else "",
        before=clean_sha(change.old.target.hash) if change.old is not None else "",
        after=clean_sha(change.new.target.hash) if change.new is not None else "",
        forced=change.forced,
        commits=commits,
        complete=not change.truncated,
        head=_convert_commit(change.new.target) if change.new is not None else None,
    )


def _convert_request(body: _Pull, name: str) -> HookEvent:
    request = body.pullrequest
    return PullRequest(
        repository=_convert_repository(body.repository),
        action=_ACTIONS[name],
        number=request.id,
        head=_convert_end(request.source),
        base=_convert_end(request.destination),
        sender=_convert_actor(body.actor),
        author=_convert_actor(request.author),
        title=clean_text(request.title),
        url=_find_page(request.links),
        draft=bool(request.draft),
        merged=name == "pullrequest:fulfilled",
    )


def _convert_end(end: _End) -> Side:
    """An end of a pull request; its commit counts only when its name is whole: Bitbucket shortens it."""
    sha = end.commit.hash if end.commit is not None else ""
    repository = _convert_repository(end.repository) if end.repository is not None else None
    return Side(repository=repository, ref=clean_branch(end.branch.name), sha=sha if is_sha(sha) else "")


def _convert_repository(repository: _Repository) -> Repository:
    page, name = _find_page(repository.links), clean_text(repository.full_name)
    urls = (f"{page}.git", f"git@bitbucket.org:{name}.git") if page else ()
    return Repository(id=clean_text(repository.uuid), full_name=name, web_url=page, clone_urls=urls)


def _convert_actor(actor: _Actor | None) -> Person:
    if actor is None:
        return Person()
    avatar = actor.links.avatar if actor.links is not None else None
    return Person(
        login=clean_text(actor.nickname or actor.display_name),
        name=clean_text(actor.display_name),
        avatar_url=clean_url(avatar.href) if avatar is not None else "",
        kind=clean_text(actor.type),
    )


def _convert_commit(commit: _Commit) -> PushedCommit:
    author = commit.author or _Author()
    raw = _RAW.fullmatch(clean_text(author.raw))
    login = author.user.nickname if author.user is not None else ""
    return PushedCommit(
        id=clean_sha(commit.hash),
        message=clean_text(commit.message, LONGEST_MESSAGE),
        author=Person(
            login=clean_text(login),
            name=raw["name"] if raw else clean_text(author.raw),
            email=raw["email"] if raw else "",
        ),
        url=_find_page(commit.links),
    )


def _find_page(links: _Links | None) -> str:
    return clean_url(links.html.href) if links is not None and links.html is not None else ""
