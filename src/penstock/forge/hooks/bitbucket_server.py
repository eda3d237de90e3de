"""Webhooks of Bitbucket Server and Data Center (Bitbucket Data Center docs: event payload)."""

from collections.abc import Mapping, Sequence

import msgspec

from penstock.forge.hooks.bitbucket import check_bitbucket
from penstock.forge.hooks.event import (
    Delivery,
    Hook,
    HookEvent,
    Ignored,
    Person,
    Ping,
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
from penstock.forge.hooks.signature import hash_body
from penstock.forge.host import Host, pull_request_ref

PING = "diagnostics:ping"

_ACTIONS = {
    "pr:opened": PullAction.OPENED,
    "pr:from_ref_updated": PullAction.SYNCHRONIZE,
    "pr:reopened": PullAction.REOPENED,
    "pr:merged": PullAction.CLOSED,
    "pr:declined": PullAction.CLOSED,
    "pr:deleted": PullAction.CLOSED,
}


class _Link(msgspec.Struct):
    href: str | None = None
    name: str | None = None


class _Links(msgspec.Struct):
    clone: list[_Link] | None = None
    self: list[_Link] | None = None


class _Project(msgspec.Struct):
    key: str


class _Repository(msgspec.Struct):
    id: int
    slug: str
    project: _Project
    links: _Links | None = None


class _Actor(msgspec.Struct, rename="camel"):
    name: str | None = None
    display_name: str | None = None
    email_address: str | None = None
    type: str | None = None


class _Change(msgspec.Struct, rename="camel"):
    ref_id: str
    from_hash: str
    to_hash: str


class _Commit(msgspec.Struct):
    id: str
    message: str | None = None
    author: _Actor | None = None


class _Push(msgspec.Struct, rename="camel"):
    repository: _Repository
    changes: list[_Change]
    actor: _Actor | None = None
    to_commit: _Commit | None = None


class _Ref(msgspec.Struct, rename="camel"):
    display_id: str
    latest_commit: str
    repository: _Repository | None = None


class _Member(msgspec.Struct):
    user: _Actor | None = None


class _Request(msgspec.Struct, rename="camel"):
    id: Number
    from_ref: _Ref
    to_ref: _Ref
    title: str | None = None
    draft: bool | None = None
    author: _Member | None = None
    links: _Links | None = None


class _Pull(msgspec.Struct, rename="camel"):
    pull_request: _Request
    actor: _Actor | None = None
    previous_from_hash: str | None = None


def read_bitbucket_server(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> Hook:
    """What Bitbucket Server says; one push may move several refs. Its trials are signed as well."""
    del now  # Bitbucket signs no time
    name = check_bitbucket(headers, body, secrets)
    delivery = Delivery(
        host=Host.BITBUCKET_SERVER,
        id=clean_text(headers.get("x-request-id")),
        event=clean_text(name),
        key=hash_body(body),
    )
    return Hook(delivery=delivery, events=_read(name, body))


def _read(name: str, body: bytes) -> tuple[HookEvent, ...]:
    if name == "repo:refs_changed":
        push = decode_body(body, _Push)
        return tuple(_convert_change(change, push) for change in push.changes)
    if name in _ACTIONS:
        return (_convert_request(decode_body(body, _Pull), name),)
    if name == PING:
        return (Ping(),)
    return (Ignored(reason=f"nothing is done for {clean_text(name)[:80] or 'an event without a name'}"),)


def _convert_change(change: _Change, body: _Push) -> HookEvent:
    names = split_ref(change.ref_id)
    if names is None:
        return Ignored(reason=f"{clean_text(change.ref_id)} is neither a branch nor a tag")
    branch, tag = names
    after = clean_sha(change.to_hash)
    told = _convert_commit(body.to_commit) if body.to_commit is not None else None
    return Push(
        repository=_convert_repository(body.repository),
        pusher=_convert_actor(body.actor),
        branch=branch,
        tag=tag,
        before=clean_sha(change.from_hash),
        after=after,
        head=told if told is not None and told.id == after else None,
    )


def _convert_request(body: _Pull, name: str) -> HookEvent:
    request = body.pull_request
    base = _convert_side(request.to_ref)
    if base.repository is None:
        return Ignored(reason="a pull request into a repository that is gone")
    pages = request.links.self if request.links is not None else None
    return PullRequest(
        repository=base.repository,
        action=_ACTIONS[name],
        number=request.id,
        head=_convert_side(request.from_ref),
        base=base,
        sender=_convert_actor(body.actor),
        author=_convert_actor(request.author.user if request.author is not None else None),
        title=clean_text(request.title),
        url=clean_url(pages[0].href) if pages else "",
        ref=pull_request_ref(Host.BITBUCKET_SERVER, request.id),
        before=clean_sha(body.previous_from_hash),
        draft=bool(request.draft),
        merged=name == "pr:merged",
    )


def _convert_side(ref: _Ref) -> Side:
    return Side(
        repository=_convert_repository(ref.repository) if ref.repository is not None else None,
        ref=clean_branch(ref.display_id),
        sha=clean_sha(ref.latest_commit),
    )


def _convert_repository(repository: _Repository) -> Repository:
    links = repository.links or _Links()
    pages = [link.href for link in links.self or []]
    return Repository(
        id=str(repository.id),
        full_name=f"{clean_text(repository.project.key)}/{clean_text(repository.slug)}",
        web_url=clean_url(pages[0]) if pages else "",
        clone_urls=tuple(clean_text(link.href) for link in links.clone or [] if link.href),
    )


def _convert_actor(actor: _Actor | None) -> Person:
    if actor is None:
        return Person()
    return Person(
        login=clean_text(actor.name),
        name=clean_text(actor.display_name),
        email=clean_text(actor.email_address),
        kind=clean_text(actor.type),
    )


def _convert_commit(commit: _Commit) -> PushedCommit:
    return PushedCommit(
        id=clean_sha(commit.id),
        message=clean_text(commit.message, LONGEST_MESSAGE),
        author=_convert_actor(commit.author),
    )
