"""What a webhook says, whichever host sent it: a push, a pull request, a greeting."""

from enum import StrEnum

import msgspec

from penstock.forge.host import Host


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """The repository an event is about; texts are empty when the host does not tell."""

    id: str
    full_name: str  # `acme/app`
    web_url: str = ""
    clone_urls: tuple[str, ...] = ()
    default_branch: str = ""

    @property
    def owner(self) -> str:
        """What stands before the last `/` of the full name."""
        return self.full_name.rpartition("/")[0]

    @property
    def name(self) -> str:
        """What stands after the last `/` of the full name."""
        return self.full_name.rpartition("/")[2]


NOBODY = "webhook"
"""Whom a pipeline belongs to when the host tells no login; no account may be called so."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who did it, as the host knows them."""

    login: str = ""
    name: str = ""
    email: str = ""
    avatar_url: str = ""
    kind: str = ""  # `User`, `Bot`
    id: str = ""


class PushedCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit of a push. `files` are the paths it touched, None when the host does not tell."""

    id: str
    message: str = ""
    author: Person = Person()
    url: str = ""
    files: tuple[str, ...] | None = None


class Push(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A branch or tag was made, moved or deleted; exactly one of `branch` and `tag` is set.

    `before` and `after` are empty where there was or is no commit; `after` of an annotated tag may name the
    tag. `commits` are oldest first; hosts leave some out of a long push, then `complete` is false. `head` is
    the commit pushed, when the host tells of it.
    """

    repository: Repository
    pusher: Person
    branch: str = ""
    tag: str = ""
    before: str = ""
    after: str = ""
    forced: bool = False
    commits: tuple[PushedCommit, ...] = ()
    complete: bool = False
    head: PushedCommit | None = None

    @property
    def ref(self) -> str:
        """The full name of what was pushed."""
        return f"refs/tags/{self.tag}" if self.tag else f"refs/heads/{self.branch}"

    @property
    def deleted(self) -> bool:
        """True when the branch or tag is no more."""
        return not self.after

    @property
    def created(self) -> bool:
        """True when the branch or tag is new."""
        return not self.before


class PullAction(StrEnum):
    """What happened to a pull request (GitHub's words)."""

    OPENED = "opened"
    SYNCHRONIZE = "synchronize"  # there are new commits
    REOPENED = "reopened"
    READY = "ready_for_review"  # it was a draft
    LABELED = "labeled"
    CLOSED = "closed"


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a pull request. `repository` is None when it was deleted; `sha` may be untold."""

    repository: Repository | None
    ref: str  # a branch's name
    sha: str = ""


class PullRequest(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A pull request changed. `ref` is where its commits are in the base repository, "" when nowhere."""

    repository: Repository
    action: PullAction
    number: int
    head: Side
    base: Side
    sender: Person
    author: Person
    title: str = ""
    url: str = ""
    ref: str = ""
    before: str = ""  # the head before new commits came
    label: str = ""
    draft: bool = False
    merged: bool = False

    @property
    def fork(self) -> bool:
        """True when the commits come from another repository, or from one that is gone."""
        return self.head.repository is None or self.head.repository.id != self.repository.id


class Ping(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The host tries out whether somebody is there."""


class Ignored(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A genuine message about something we do nothing for."""

    reason: str


HookEvent = Push | PullRequest | Ping | Ignored


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a host, which is genuine.

    `key` is the same when the same message comes again, whoever sends it: whoever remembers the keys of a
    project refuses replays. It is made of signed parts only; hosts do not sign `id`. `sent_at` is when it
    was signed, in milliseconds, where the host says.
    """

    host: Host
    id: str
    event: str
    key: str
    sent_at: int | None = None


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery and what it says; Bitbucket tells of several refs at once."""

    delivery: Delivery
    events: tuple[HookEvent, ...]
