"""What goes over the wire about projects: variables, settings, keys; with the vendor's names."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from penstock.api.circleci.paging import PageQuery
from penstock.api.circleci.payloads import Payload

MOST_BRANCHES = 100

Flag = bool | tuple[str, ...]
"""A setting in API v1.1, by its name with dashes."""


class EnvVar(Payload, frozen=True, kw_only=True):
    """A variable of a project; its value is masked."""

    name: str
    value: str
    created_at: str = msgspec.field(name="created-at")


class OldEnvVar(Payload, frozen=True, kw_only=True):
    """The same in API v1.1."""

    name: str
    value: str


class EnvVarBody(Payload, frozen=True, kw_only=True):
    """The body of `createEnvVar`."""

    name: str
    value: str


class Advanced(Payload, frozen=True, kw_only=True):
    """The advanced settings of a project."""

    autocancel_builds: bool
    build_fork_prs: bool
    build_prs_only: bool
    disable_ssh: bool
    forks_receive_secret_env_vars: bool
    oss: bool
    set_github_status: bool
    setup_workflows: bool
    write_settings_requires_admin: bool
    pr_only_branch_overrides: tuple[str, ...]


class Settings(Payload, frozen=True, kw_only=True):
    """The settings of a project."""

    advanced: Advanced


class AdvancedBody(Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Those of the advanced settings that are to be changed."""

    autocancel_builds: bool | msgspec.UnsetType = msgspec.UNSET
    build_fork_prs: bool | msgspec.UnsetType = msgspec.UNSET
    build_prs_only: bool | msgspec.UnsetType = msgspec.UNSET
    disable_ssh: bool | msgspec.UnsetType = msgspec.UNSET
    forks_receive_secret_env_vars: bool | msgspec.UnsetType = msgspec.UNSET
    oss: bool | msgspec.UnsetType = msgspec.UNSET
    set_github_status: bool | msgspec.UnsetType = msgspec.UNSET
    setup_workflows: bool | msgspec.UnsetType = msgspec.UNSET
    write_settings_requires_admin: bool | msgspec.UnsetType = msgspec.UNSET
    pr_only_branch_overrides: (
        Annotated[tuple[str, ...], msgspec.Meta(max_length=MOST_BRANCHES)] | msgspec.UnsetType
    ) = msgspec.UNSET


class SettingsBody(Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `patchProjectSettings`."""

    advanced: AdvancedBody = AdvancedBody()


class OldSettings(Payload, frozen=True, kw_only=True):
    """The settings of a project in API v1.1."""

    vcs_url: str
    reponame: str
    default_branch: str
    oss: bool
    feature_flags: dict[str, Flag]


class OldSettingsBody(Payload, frozen=True, kw_only=True):
    """The body with which API v1.1 changes settings."""

    feature_flags: Mapping[str, Flag] = {}


class ProjectBody(Payload, frozen=True, kw_only=True):
    """The body of `createProject`; `url` is ours, for repositories elsewhere than where the slug says."""

    name: str
    url: str = ""


class OrganizationBody(Payload, frozen=True, kw_only=True):
    """The body of `createOrganization`."""

    name: str
    vcs_type: Literal["github", "bitbucket", "circleci"]


Digest = Literal["md5", "sha256"]


class KeysQuery(PageQuery, frozen=True, rename="kebab"):
    """The query of `listCheckoutKeys`: which kind of fingerprints."""

    digest: Digest = "md5"


class OldKeysQuery(msgspec.Struct, frozen=True):
    """The same in v1.1, which has no pages."""

    digest: Digest = "md5"


class KeyBody(Payload, frozen=True, kw_only=True):
    """The body of `createCheckoutKey`; the second name of a user's key is the one in answers."""

    type: Literal["deploy-key", "user-key", "github-user-key"]


class CheckoutKey(Payload, frozen=True, kw_only=True):
    """A key that opens the repository of a project; its private half is never shown."""

    public_key: str = msgspec.field(name="public-key")
    type: str
    fingerprint: str
    preferred: bool
    created_at: str = msgspec.field(name="created-at")


class OldCheckoutKey(Payload, frozen=True, kw_only=True):
    """The same in API v1.1."""

    public_key: str
    type: str
    fingerprint: str
    preferred: bool
    time: str
