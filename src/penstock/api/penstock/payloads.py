"""What goes over the wire in our own API. Times are milliseconds since the epoch."""

from typing import Annotated, Any

import msgspec

from penstock.api.penstock.paging import PageQuery
from penstock.model.access import Role, Scope
from penstock.model.agent import AgentState
from penstock.model.picture import PipelinePicture
from penstock.model.settings import OrganizationSettings, ProjectSettings
from penstock.model.summary import RunSummary

MOST_SECONDS = 30.0
Text = Annotated[str, msgspec.Meta(max_length=2000)]
LongText = Annotated[str, msgspec.Meta(max_length=20_000)]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all payloads."""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all bodies of requests: what is misspelt is said, not passed over."""


class WaitQuery(Payload, frozen=True, kw_only=True):
    """How long the answer may be held back until there is news, in seconds."""

    wait: Annotated[float, msgspec.Meta(ge=0, le=MOST_SECONDS)] = 0.0


class PictureQuery(WaitQuery, frozen=True, kw_only=True):
    """`version` is that of the picture the caller has."""

    version: Annotated[str, msgspec.Meta(max_length=100)] = ""


class PipelinesQuery(PageQuery, frozen=True):
    """The query of a project's pipelines: of one branch only."""

    branch: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class OutputQuery(WaitQuery, frozen=True, kw_only=True):
    """`cursor` is that of the answer before, `index` the only parallel copy that is wanted."""

    cursor: Annotated[str, msgspec.Meta(max_length=50_000)] = ""
    index: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None


class Report(Payload, frozen=True, kw_only=True):
    """A pipeline with what its jobs left; `tails` has the last lines of failed steps, by id of the job."""

    pipeline: PipelinePicture
    summary: RunSummary
    tails: dict[str, str]


class ProjectView(Payload, frozen=True, kw_only=True):
    """A project. `address` is its slug as CircleCI's API takes it, whatever the host."""

    id: str
    slug: str
    name: str
    address: str
    organization: str
    organization_id: str
    url: str
    default_branch: str
    created_at: int
    settings: ProjectSettings


class NewProject(Request, frozen=True, kw_only=True):
    """A project to be made of a repository; name and organization follow from its address unless given."""

    url: Text
    name: Text = ""
    organization: Text = ""
    default_branch: Text = ""


class ProjectChange(Request, frozen=True, kw_only=True):
    """What is to change about a project; what is left out stays."""

    name: Text = ""
    url: Text = ""
    default_branch: Text = ""
    settings: dict[str, Any] = {}


class HookSecretView(Payload, frozen=True, kw_only=True):
    """A secret with which a git host signs what it tells, without the secret itself."""

    id: str
    created_at: int


class HookView(Payload, frozen=True, kw_only=True):
    """Where a git host sends webhooks of a project, and the secrets they may be signed with."""

    url: str
    secrets: tuple[HookSecretView, ...]


class NewHookSecret(Request, frozen=True, kw_only=True):
    """A secret to be made, or taken as given; with `replace` the older ones are good for nothing any more."""

    secret: Text = ""
    replace: bool = False


class MadeHookSecret(Payload, frozen=True, kw_only=True):
    """A new secret for webhooks to the address, shown this once."""

    id: str
    url: str
    secret: str


class CredentialsView(Payload, frozen=True, kw_only=True):
    """What a project is cloned with, as far as it is no secret."""

    user: str = ""
    token: bool = False
    private_key: bool = False
    known_hosts: str = ""


class NewCredentials(Request, frozen=True, kw_only=True):
    """A token for https, a private key for ssh, or both. `known_hosts` has the lines of ssh's own file."""

    user: Text = ""
    token: LongText = ""
    private_key: LongText = ""
    known_hosts: LongText = ""


class StatusesView(Payload, frozen=True, kw_only=True):
    """Where a git host is told how jobs of a project went; all empty while it is not told."""

    host: str = ""
    api: str = ""
    repository: str = ""


class NewStatuses(Request, frozen=True, kw_only=True):
    """The token for a git host that takes statuses; what else is empty follows from the project's address."""

    token: LongText
    host: Text = ""
    api: Text = ""
    repository: Text = ""


class TokenView(Payload, frozen=True, kw_only=True):
    """A token, without its secret. `organization` and `project` are slugs of what it is limited to."""

    id: str
    label: str
    scopes: tuple[Scope, ...]
    organization: str
    project: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    used_at: int | None
    current: bool  # the one that asks


class NewToken(Request, frozen=True, kw_only=True):
    """A token to be made; `expires_in` is in seconds, 0 for never.

    `user` is the id or login of whom it speaks for, "" for the caller; administrators may name others.
    """

    label: Text
    user: Text = ""
    scopes: tuple[Scope, ...] = (Scope.READ,)
    organization: Text = ""
    project: Text = ""
    expires_in: Annotated[int, msgspec.Meta(ge=0, le=10 * 366 * 86_400)] = 0


class MadeToken(Payload, frozen=True, kw_only=True):
    """A new token; `secret` is shown this once."""

    token: TokenView
    secret: str


class GroupView(Payload, frozen=True, kw_only=True):
    """A group of agents; `organization` is the slug of whose it is, "" when it serves all."""

    id: str
    name: str
    organization: str
    description: str
    created_at: int


class NewGroup(Request, frozen=True, kw_only=True):
    """A group to be made, of the organization or for all."""

    name: Text
    organization: Text = ""
    description: Text = ""


class JoinTokenView(Payload, frozen=True, kw_only=True):
    """A token with which agents join a group, without its secret."""

    id: str
    label: str
    created_at: int
    used_at: int | None


class NewJoinToken(Request, frozen=True, kw_only=True):
    """Another token with which agents join a group."""

    label: Text


class MadeJoinToken(Payload, frozen=True, kw_only=True):
    """A new token with which agents join a group; `secret` is shown this once."""

    group: GroupView
    token: JoinTokenView
    secret: str


class HeldJob(Payload, frozen=True, kw_only=True):
    """A job an agent runs; only of projects the caller sees."""

    job: str
    name: str
    number: int | None
    index: int
    project: str
    pipeline: int
    started_at: int | None


class AgentView(Payload, frozen=True, kw_only=True):
    """An agent; `group` is "" for one inside a server. `busy` counts its tasks, `jobs` are those one sees."""

    id: str
    name: str
    group: str
    labels: tuple[str, ...]
    slots: int
    state: AgentState
    version: str
    disabled: bool
    created_at: int
    seen_at: int
    busy: int
    jobs: tuple[HeldJob, ...]


class Login(Request, frozen=True, kw_only=True):
    """A login and a password, for a token with this label."""

    login: Text
    password: Text
    label: Text = "made by a login"

    def __repr__(self) -> str:
        """Without the password."""
        return f"Login({self.login!r})"


class UserView(Payload, frozen=True, kw_only=True):
    """An account. `admin` is about the whole server."""

    id: str
    login: str
    name: str
    admin: bool
    created_at: int
    disabled_at: int | None


class NewAccount(Request, frozen=True, kw_only=True):
    """An account to be made; without a password it is entered by tokens alone."""

    login: Text
    name: Text = ""
    email: Text = ""
    admin: bool = False
    password: Text = ""

    def __repr__(self) -> str:
        """Without the password."""
        return f"NewAccount({self.login!r})"


class UserChange(Request, frozen=True, kw_only=True):
    """What is to change about an account; what is left out stays."""

    password: Text = ""
    admin: bool | None = None
    disabled: bool | None = None

    def __repr__(self) -> str:
        """Without the password."""
        return f"UserChange(admin={self.admin}, disabled={self.disabled})"


class OrganizationView(Payload, frozen=True, kw_only=True):
    """An organization; `role` is what the caller is there."""

    id: str
    slug: str
    name: str
    role: Role | None
    settings: OrganizationSettings


class NewOrganization(Request, frozen=True, kw_only=True):
    """An organization to be made: by its slug on a git host, or by a name on none."""

    slug: Text = ""
    name: Text = ""


class OrganizationChange(Request, frozen=True, kw_only=True):
    """What is to change about an organization; what is left out stays."""

    name: Text = ""
    settings: dict[str, Any] = {}


class MemberView(Payload, frozen=True, kw_only=True):
    """Somebody who belongs to an organization."""

    id: str
    login: str
    name: str
    role: Role


class PersonView(Payload, frozen=True, kw_only=True):
    """Somebody in a group of people."""

    id: str
    login: str
    name: str


class MemberChange(Request, frozen=True, kw_only=True):
    """What somebody is to be in an organization."""

    role: Role


class AuditView(Payload, frozen=True, kw_only=True):
    """An act: who did what to which subject (a UUID), in which organization (the same)."""

    at: int
    actor: str
    action: str
    subject: str
    organization: str
    details: dict[str, Any]
