"""What the people of a project or an organization set, with the values that hold until they do.

The names are those of CircleCI API v2 where it has one (advanced settings of a project).
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from penstock.kit.shapes import learn
from penstock.model.errors import InvalidError

Branch = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
ConfigPath = Annotated[
    str, msgspec.Meta(max_length=400, pattern=r"^(?!/)(?!(.*/)?\.\.(/|$))[^\x00-\x1f\\]*[^\x00-\x1f\\/]$")
]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=100 * 24 * 3600)]

S = TypeVar("S", bound=msgspec.Struct)


class ProjectSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings of a project."""

    autocancel_builds: bool = False  # a newer pipeline of a branch cancels the older ones
    block_new_work: bool = False  # no new pipelines and no reruns
    build_fork_prs: bool = False
    build_prs_only: bool = False  # beside the default branch, tags and `pr_only_branch_overrides`
    config_path: ConfigPath = ".circleci/config.yml"
    disable_ssh: bool = False
    forks_receive_secret_env_vars: bool = False
    oss: bool = False
    pr_only_branch_overrides: Annotated[tuple[Branch, ...], msgspec.Meta(max_length=100)] = ()
    set_github_status: bool = True
    setup_workflows: bool = True
    time_limit: Seconds = 0  # of a pipeline's workflows each, 0 for none
    write_settings_requires_admin: bool = False


class OrganizationSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings of an organization."""

    block_new_work: bool = False  # in all its projects
    contexts_require_admin: bool = False  # to make, change and delete them


def read_settings(kind: type[S], stored: Mapping[str, Any]) -> S:
    """The settings as stored; what an older or newer program stored and this one cannot read is unset."""
    known = {name: value for name, value in stored.items() if name in kind.__struct_fields__}
    return msgspec.convert(
        {name: value for name, value in known.items() if _fits(kind, name, value)}, learn(kind)
    )


def change_settings(settings: S, changes: Mapping[str, Any]) -> S:
    """The settings with these values instead. Raises InvalidError for an unknown name or a wrong value."""
    kind = type(settings)
    unknown = sorted(set(changes) - set(kind.__struct_fields__))
    if unknown:
        raise InvalidError(f"there is no setting {unknown[0][:80]!r}")
    try:
        return msgspec.convert({**msgspec.structs.asdict(settings), **changes}, learn(kind))
    except msgspec.ValidationError as error:
        raise InvalidError(f"a setting cannot be so: {error}") from error


def _fits(kind: type[msgspec.Struct], name: str, value: object) -> bool:
    try:
        msgspec.convert({name: value}, learn(kind))
    except msgspec.ValidationError:
        return False
    return True
