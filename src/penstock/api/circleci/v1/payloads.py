"""What goes over the wire in API v1.1, with the vendor's names (CircleCI API v1.1 reference)."""

from typing import Annotated

import msgspec

from penstock.api.circleci.payloads import Simple


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all payloads."""


class Me(Payload, frozen=True, kw_only=True):
    """The caller."""

    id: str
    login: str
    name: str
    avatar_url: str | None
    selected_email: str | None
    all_emails: tuple[str, ...]
    admin: bool


class Project(Payload, frozen=True, kw_only=True):
    """A project that is followed."""

    id: str
    vcs_url: str
    vcs_type: str
    username: str
    reponame: str
    slug: str
    default_branch: str
    following: bool
    followed: bool


class Repository(Payload, frozen=True, kw_only=True):
    """A repository the caller may see; here, one that has a project."""

    vcs_url: str
    vcs_type: str
    username: str
    name: str
    default_branch: str
    fork: bool
    following: bool


class RepositoriesQuery(msgspec.Struct, frozen=True, rename="kebab"):
    """Which page of the repositories; bounded, so that none costs more than a few others."""

    page: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    per_page: Annotated[int, msgspec.Meta(ge=1, le=100)] = 30


class FollowedProject(Payload, frozen=True, kw_only=True):
    """A project that is followed, in short."""

    id: str
    name: str
    slug: str
    vcs_type: str


class Followed(Payload, frozen=True, kw_only=True):
    """The answer to a request to follow."""

    following: bool
    workflow: bool
    first_build: None = None


class SshKeyBody(Payload, frozen=True, kw_only=True):
    """The body of `createSshKey`."""

    private_key: str
    hostname: str | None = None


class SshKeyDeleteBody(Payload, frozen=True, kw_only=True):
    """The body of `deleteSshKey`."""

    fingerprint: str
    hostname: str | None = None


class Action(Payload, frozen=True, kw_only=True):
    """What one parallel copy did in a step."""

    name: str
    type: str
    index: int
    step: int
    status: str
    failed: bool | None
    timedout: bool | None
    canceled: bool | None
    infrastructure_fail: bool | None
    background: bool
    parallel: bool
    has_output: bool
    truncated: bool
    exit_code: int | None
    start_time: str
    end_time: str | None
    run_time_millis: int | None
    output_url: str
    allocation_id: str
    bash_command: str | None = None
    messages: tuple[str, ...] = ()


class Step(Payload, frozen=True, kw_only=True):
    """A step with what each parallel copy did in it."""

    name: str
    actions: tuple[Action, ...]


class InWorkflow(Payload, frozen=True, kw_only=True):
    """The place of a build in its workflow."""

    job_name: str
    job_id: str
    workflow_id: str
    workflow_name: str
    workspace_id: str
    upstream_job_ids: tuple[str, ...]
    upstream_concurrency_map: dict[str, str] = {}


class BuildUser(Payload, frozen=True, kw_only=True):
    """Who made a build."""

    login: str
    name: str | None
    avatar_url: str | None
    is_user: bool
    vcs_type: str
    id: str | None


class Commit(Payload, frozen=True, kw_only=True):
    """The commit of a build."""

    commit: str
    subject: str
    body: str
    branch: str | None
    author_name: str
    committer_name: str


class Build(Payload, frozen=True, kw_only=True):
    """A job as v1.1 shows it in lists."""

    build_num: int | None
    build_url: str
    vcs_url: str
    vcs_type: str
    vcs_revision: str
    vcs_tag: str | None
    branch: str | None
    username: str
    reponame: str
    subject: str
    body: str
    author_name: str
    committer_name: str
    why: str
    lifecycle: str
    status: str
    outcome: str | None
    failed: bool | None
    canceled: bool
    timedout: bool
    infrastructure_fail: bool
    parallel: int
    platform: str
    queued_at: str | None
    usage_queued_at: str | None
    start_time: str | None
    stop_time: str | None
    build_time_millis: int | None
    fleet: str
    user: BuildUser
    workflows: InWorkflow
    retry_of: int | None = None
    dont_build: str | None = None
    all_commit_details: tuple[Commit, ...] = ()


class BuildDetails(Build, frozen=True, kw_only=True):
    """A job as v1.1 shows it alone."""

    steps: tuple[Step, ...]
    has_artifacts: bool
    picard: dict[str, dict[str, str]]
    messages: tuple[dict[str, str], ...] = ()


class Artifact(Payload, frozen=True, kw_only=True):
    """A file that a job kept."""

    path: str
    pretty_path: str
    node_index: int
    url: str


class Test(Payload, frozen=True, kw_only=True):
    """A test that a job ran."""

    message: str | None
    source: str
    run_time: float
    file: str
    result: str
    name: str
    classname: str


class Tests(Payload, frozen=True, kw_only=True):
    """The tests that a job ran."""

    tests: tuple[Test, ...]


class Output(Payload, frozen=True, kw_only=True):
    """A piece of a step's output."""

    message: str
    time: str
    type: str = "out"
    truncated: bool = False


class BuildsQuery(msgspec.Struct, frozen=True):
    """Which builds to list. `offset` is bounded, so that no page costs more than a few others."""

    limit: Annotated[int, msgspec.Meta(ge=0)] = 30
    offset: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    filter: str = ""
    shallow: bool = False


class LatestQuery(msgspec.Struct, frozen=True):
    """Of which job the artifacts are wanted."""

    branch: str = ""
    filter: str = ""


class OutputQuery(msgspec.Struct, frozen=True):
    """How output is wanted: as a text, or as JSON."""

    file: bool = False


class TreeBody(Payload, frozen=True, kw_only=True):
    """What a build of a branch is to be made of."""

    parallel: int | None = None
    tag: str | None = None
    revision: str | None = None
    build_parameters: dict[str, Simple] | None = None
    parameters: dict[str, Simple] | None = None


class BuildBody(Payload, frozen=True, kw_only=True):
    """What a build of a project is to be made of."""

    branch: str | None = None
    tag: str | None = None
    revision: str | None = None
    parameters: dict[str, Simple] | None = None


class BuildCreated(Payload, frozen=True, kw_only=True):
    """The answer to a request to build."""

    status: int
    body: str
