"""What goes over the wire in API v2, with the vendor's names (CircleCI OpenAPI document)."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

Simple = str | int | bool
Name = Annotated[str, msgspec.Meta(max_length=1000)]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all payloads; what is unset is left out."""


class Message(Payload, frozen=True, kw_only=True):
    """A sentence in answer to a request to do something."""

    message: str


class User(Payload, frozen=True, kw_only=True):
    """Somebody with an account."""

    id: str
    login: str
    name: str
    avatar_url: str | None


class Collaboration(Payload, frozen=True, kw_only=True):
    """An organization one belongs to; the document has `vcs-type`, live answers `vcs_type`."""

    id: str
    vcs_type: str
    vcs_type_written: str = msgspec.field(name="vcs-type")
    name: str
    avatar_url: str
    slug: str


class Organization(Payload, frozen=True, kw_only=True):
    """An organization."""

    id: str
    name: str
    slug: str
    vcs_type: str


class VcsInfo(Payload, frozen=True, kw_only=True):
    """Where a project's source is."""

    vcs_url: str
    provider: str
    default_branch: str


class Project(Payload, frozen=True, kw_only=True):
    """A project."""

    slug: str
    name: str
    id: str
    organization_name: str
    organization_slug: str
    organization_id: str
    vcs_info: VcsInfo


class PipelineError(Payload, frozen=True, kw_only=True):
    """Why a pipeline came to nothing."""

    type: str
    message: str


class Actor(Payload, frozen=True, kw_only=True):
    """Who triggered a pipeline."""

    login: str
    avatar_url: str | None


class Trigger(Payload, frozen=True, kw_only=True):
    """What made a pipeline."""

    type: str
    received_at: str
    actor: Actor


class Commit(Payload, frozen=True, kw_only=True):
    """A commit's message."""

    subject: str | None
    body: str | None


class Vcs(Payload, frozen=True, kw_only=True):
    """The commit a pipeline is about."""

    provider_name: str
    target_repository_url: str
    branch: str | UnsetType = UNSET
    review_id: str | UnsetType = UNSET
    review_url: str | UnsetType = UNSET
    revision: str | None
    tag: str | UnsetType = UNSET
    commit: Commit
    origin_repository_url: str


class Pipeline(Payload, frozen=True, kw_only=True):
    """A pipeline."""

    id: str
    errors: tuple[PipelineError, ...]
    project_slug: str
    updated_at: str
    number: int
    trigger_parameters: dict[str, Any] | UnsetType = UNSET
    state: str
    created_at: str
    trigger: Trigger
    vcs: Vcs


class NewPipeline(Payload, frozen=True, kw_only=True):
    """A pipeline that was just triggered."""

    id: str
    state: str
    number: int
    created_at: str


class PipelineConfig(Payload, frozen=True, kw_only=True):
    """The configs of a pipeline; those of the setup only for dynamic configuration."""

    source: str
    compiled: str
    setup_config: str | UnsetType = msgspec.field(default=UNSET, name="setup-config")
    compiled_setup_config: str | UnsetType = msgspec.field(default=UNSET, name="compiled-setup-config")


class TriggerBody(Payload, frozen=True, kw_only=True):
    """The body of `triggerPipeline`."""

    branch: Name | None = None
    tag: Name | None = None
    parameters: dict[str, Simple] | None = None


class RefBody(Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A branch or a tag."""

    branch: Name | None = None
    tag: Name | None = None


class ConfigBody(Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the config is taken from; `content`, which clients send though no document has it, is it."""

    branch: Name | None = None
    tag: Name | None = None
    content: str | None = None


class RunBody(Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `triggerPipelineRun`."""

    definition_id: str | None = None
    config: ConfigBody | None = None
    checkout: RefBody | None = None
    parameters: dict[str, Simple] | None = None


class ContinueBody(Payload, frozen=True, kw_only=True, rename="kebab"):
    """The body of `continuePipeline`."""

    continuation_key: str
    configuration: str
    parameters: dict[str, Simple] | None = None


class Workflow(Payload, frozen=True, kw_only=True):
    """A workflow."""

    pipeline_id: str
    canceled_by: str | UnsetType = UNSET
    id: str
    auto_rerun_number: int | UnsetType = UNSET
    name: str
    project_slug: str
    tag: str | UnsetType = UNSET
    status: str
    started_by: str
    pipeline_number: int
    created_at: str
    stopped_at: str | None


class WorkflowJob(Payload, frozen=True, kw_only=True):
    """A job in the list of its workflow."""

    canceled_by: str | UnsetType = UNSET
    dependencies: tuple[str, ...]
    requires: dict[str, tuple[str, ...]]
    job_number: int | UnsetType = UNSET
    id: str
    created_at: str
    started_at: str | None
    name: str
    approved_by: str | UnsetType = UNSET
    project_slug: str
    status: str
    type: str
    stopped_at: str | None
    approval_request_id: str | UnsetType = UNSET


class RerunBody(Payload, frozen=True, kw_only=True):
    """The body of `rerunWorkflow`."""

    enable_ssh: bool | None = None
    from_failed: bool | None = None
    jobs: tuple[str, ...] | None = None
    sparse_tree: bool | None = None


class Rerun(Payload, frozen=True, kw_only=True):
    """The workflow that repeats another."""

    workflow_id: str


class JobProject(Payload, frozen=True, kw_only=True):
    """The project of a job."""

    id: str
    slug: str
    name: str
    external_url: str


class ParallelRun(Payload, frozen=True, kw_only=True):
    """One parallel copy of a job."""

    index: int
    status: str


class Named(Payload, frozen=True, kw_only=True):
    """Something of which only the name is told."""

    name: str


class NamedId(Payload, frozen=True, kw_only=True):
    """Something of which id and name are told."""

    id: str
    name: str


class Identified(Payload, frozen=True, kw_only=True):
    """Something of which only the id is told."""

    id: str


class JobExecutor(Payload, frozen=True, kw_only=True):
    """Where a job runs."""

    resource_class: str
    type: str | UnsetType = UNSET


class JobMessage(Payload, frozen=True, kw_only=True):
    """What is to be said of a job."""

    type: str
    message: str
    reason: str | UnsetType = UNSET


class Job(Payload, frozen=True, kw_only=True):
    """A job in full. `duration` is in milliseconds."""

    id: str | UnsetType = UNSET
    web_url: str
    project: JobProject
    parallel_runs: tuple[ParallelRun, ...]
    started_at: str | None
    latest_workflow: NamedId
    name: str
    executor: JobExecutor
    parallelism: int
    status: str
    number: int | None
    pipeline: Identified
    duration: int | None
    created_at: str
    messages: tuple[JobMessage, ...]
    contexts: tuple[Named, ...]
    organization: Named
    queued_at: str
    stopped_at: str | None


class Artifact(Payload, frozen=True, kw_only=True):
    """A file that a job kept."""

    path: str
    node_index: int
    url: str


class Test(Payload, frozen=True, kw_only=True):
    """A test that a job ran. `run_time` is in seconds."""

    message: str | None
    source: str
    run_time: float
    file: str
    result: str
    name: str
    classname: str


class Repository(Payload, frozen=True, kw_only=True):
    """A repository of a pipeline definition."""

    full_name: str
    external_id: str


class ConfigSource(Payload, frozen=True, kw_only=True):
    """Where a pipeline definition has its config from."""

    provider: str
    repo: Repository
    file_path: str


class CheckoutSource(Payload, frozen=True, kw_only=True):
    """Where a pipeline definition has its source from."""

    provider: str
    repo: Repository


class PipelineDefinition(Payload, frozen=True, kw_only=True):
    """What a pipeline is made of; a project has one."""

    id: str
    name: str
    description: str
    created_at: str
    config_source: ConfigSource
    checkout_source: CheckoutSource


class PipelineDefinitions(Payload, frozen=True, kw_only=True):
    """A list that has no pages."""

    items: tuple[PipelineDefinition, ...]


class CompileOptions(Payload, frozen=True, kw_only=True):
    """How a config is to be compiled."""

    owner_id: str | None = None
    pipeline_parameters: dict[str, Simple] | None = None
    pipeline_values: dict[str, Simple | None] | None = None
    next: bool | None = None


class CompileBody(Payload, frozen=True, kw_only=True):
    """The body of `compile-config-with-defaults`."""

    config_yaml: str
    options: CompileOptions | None = None


class Compiled(Payload, frozen=True, kw_only=True, rename="kebab"):
    """A config as it was, as it is processed, and what is wrong with it."""

    valid: bool
    source_yaml: str
    output_yaml: str
    errors: tuple[Message, ...]
