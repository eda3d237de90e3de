"""The bodies GitHub sends, and Gitea and Forgejo after its model, as far as we use them."""

from collections.abc import Mapping

import msgspec

from penstock.forge.hooks.event import (
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
    list_touched,
    split_ref,
)
from penstock.forge.host import Host, pull_request_ref

_MOST_COMMITS = 2048
"""More than that are not told of (GitHub docs: push event)."""


class User(msgspec.Struct):
    """`sender`, `pusher`, an author; each host fills other fields."""

    login: str | None = None
    username: str | None = None
    name: str | None = None
    full_name: str | None = None
    email: str | None = None
    avatar_url: str | None = None
    type: str | None = None


class Repo(msgspec.Struct):
    """`repository`, and the `repo` of a pull request's ends."""

    id: int
    full_name: str
    html_url: str | None = None
    clone_url: str | None = None
    ssh_url: str | None = None
    default_branch: str | None = None


class Commit(msgspec.Struct):
    """A commit of a push."""

    id: str
    message: str | None = None
    url: str | None = None
    author: User | None = None
    added: list[str] | None = None
    removed: list[str] | None = None
    modified: list[str] | None = None


class PushBody(msgspec.Struct):
    """The body of `push`."""

    ref: str
    before: str
    after: str
    repository: Repo
    forced: bool = False
    commits: list[Commit] | None = None
    head_commit: Commit | None = None
    total_commits: int | None = None
    pusher: User | None = None
    sender: User | None = None


class Branch(msgspec.Struct):
    """An end of a pull request."""

    ref: str
    sha: str
    repo: Repo | None = None


class Pull(msgspec.Struct):
    """The pull request of a body."""

    head: Branch
    base: Branch
    title: str | None = None
    html_url: str | None = None
    user: User | None = None
    draft: bool | None = None
    merged: bool | None = None


class Label(msgspec.Struct):
    """A label put on a pull request."""

    name: str | None = None


class PullBody(msgspec.Struct):
    """The body of `pull_request`."""

    action: str
    number: Number
    pull_request: Pull
    repository: Repo
    before: str | None = None
    label: Label | None = None
    sender: User | None = None


def convert_push(body: PushBody) -> HookEvent:
    """The push; other refs than branches and tags are ignored."""
    names = split_ref(body.ref)
    if names is None:
        return Ignored(reason=f"{clean_text(body.ref)} is neither a branch nor a tag")
    branch, tag = names
    commits = body.commits or []
    return Push(
        repository=convert_repository(body.repository),
        pusher=merge_people(body.sender, body.pusher),
        branch=branch,
        tag=tag,
        before=clean_sha(body.before),
        after=clean_sha(body.after),
        forced=body.forced,
        commits=tuple(map(_convert_commit, commits)),
        complete=len(commits) >= body.total_commits
        if body.total_commits is not None
        else len(commits) < _MOST_COMMITS,
        head=_convert_commit(body.head_commit) if body.head_commit is not None else None,
    )


def convert_pull(body: PullBody, host: Host, actions: Mapping[str, PullAction]) -> HookEvent:
    """The pull request; actions that are not in the table are ignored."""
    action = actions.get(body.action)
    if action is None:
        return Ignored(reason=f"nothing is done when a pull request is {clean_text(body.action)[:80]}")
    pull = body.pull_request
    return PullRequest(
        repository=convert_repository(body.repository),
        action=action,
        number=body.number,
        head=_convert_side(pull.head),
        base=_convert_side(pull.base),
        sender=merge_people(body.sender),
        author=merge_people(pull.user),
        title=clean_text(pull.title),
        url=clean_url(pull.html_url),
        ref=pull_request_ref(host, body.number),
        before=clean_sha(body.before),
        label=clean_text(body.label.name if body.label is not None else ""),
        draft=bool(pull.draft),
        merged=bool(pull.merged),
    )


def convert_repository(repo: Repo) -> Repository:
    """The repository in our words."""
    return Repository(
        id=str(repo.id),
        full_name=clean_text(repo.full_name),
        web_url=clean_url(repo.html_url),
        clone_urls=tuple(clean_text(url) for url in (repo.clone_url, repo.ssh_url) if url),
        default_branch=clean_text(repo.default_branch),
    )


def merge_people(*users: User | None) -> Person:
    """One person of what several fields say about them; the first that says something counts."""
    known = [user for user in users if user is not None]

    def first(*names: str) -> str:
        return next(
            (clean_text(getattr(user, name)) for user in known for name in names if getattr(user, name)), ""
        )

    return Person(
        login=first("login", "username", "name"),
        name=first("full_name", "name"),
        email=first("email"),
        avatar_url=clean_url(first("avatar_url")),
        kind=first("type"),
    )


def _convert_commit(commit: Commit) -> PushedCommit:
    author = commit.author or User()
    return PushedCommit(
        id=clean_sha(commit.id),
        message=clean_text(commit.message, LONGEST_MESSAGE),
        author=Person(
            login=clean_text(author.username), name=clean_text(author.name), email=clean_text(author.email)
        ),
        url=clean_url(commit.url),
        files=list_touched(commit.added, commit.removed, commit.modified),
    )


def _convert_side(side: Branch) -> Side:
    repository = convert_repository(side.repo) if side.repo is not None else None
    return Side(repository=repository, ref=clean_branch(side.ref), sha=clean_sha(side.sha))
