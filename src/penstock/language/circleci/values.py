"""The pipeline values a config may refer to, and what they are for this pipeline."""

from collections.abc import Mapping

from penstock.language.circleci.expression.evaluator import MISSING
from penstock.language.common.context import Context

PARAMETERS = "pipeline.parameters."


_TABLE = """
- boolean: in_setup
- integer: number
- string: config_source id integration_source name trigger_source
config string: file_path ref repository.name repository.url sha
definition string: id
deploy string: component_name current_version environment_name namespace reason target_version
event string: action circleci_actor_id context.github.pr_url context.github.sha name provider_actor_id
    provider_login
event.github boolean: pull_request.draft pull_request.merged
event.github integer: pull_request.number
event.github string: after comment.body head_commit.url label.name pull_request.base.ref
    pull_request.base.sha pull_request.head.ref pull_request.head.sha pull_request.title pull_request.url
    ref repository.name repository.owner.login repository.url sender.avatar_url sender.login sender.type
git boolean: branch.is_default
git integer: repo_id
git string: base_revision branch commit.author_avatar_url commit.author_email commit.author_login
    commit.author_name commit.body commit.subject commit.url repo_name repo_owner repo_url revision
    ssh_checkout_url tag
project string: git_url slug type url
schedule string: id name
trigger string: id name received_at type
trigger_parameters.bitbucket_dc string: actor_email actor_id actor_name actor_type commit_author_name
    commit_message commit_sha commit_title event_key project_key ref ref_display_id ref_id ref_type
    repo_slug user_name
trigger_parameters.circleci string: actor_id event_action event_time event_type provider_actor_id
    provider_login provider_name trigger_type
trigger_parameters.git string: author_avatar_url author_login branch checkout_sha checkout_url
    commit_author_email commit_author_name commit_message default_branch ref repo_name repo_owner repo_url
    tag
trigger_parameters.github_app string: action branch checkout_sha commit_author_email commit_author_name
    commit_message commit_sha commit_timestamp commit_title default_branch forced full_ref label_name owner
    pull_request_head_sha ref repo_full_name repo_id repo_name repo_url user_avatar user_id user_name
    user_username web_url
trigger_parameters.gitlab string: branch checkout_sha commit_author_email commit_author_name commit_message
    commit_sha commit_timestamp commit_title default_branch is_fork_merge_request project_id ref repo_name
    repo_url type user_avatar user_id user_name user_username web_url x_gitlab_event_id
trigger_parameters.webhook string: body
vcs string: event_type origin_repository_id origin_repository_url repository_url revision
    target_repository_id target_repository_url type
"""
"""Names below `pipeline.` by prefix (`-` for none) and type (CircleCI docs: pipeline values)."""


def _read_table() -> dict[str, str]:
    """Type by full name."""
    names: dict[str, str] = {}
    for line in _TABLE.replace("\n    ", " ").strip().splitlines():
        head, _, words = line.partition(": ")
        prefix, kind = head.split()
        for word in words.split():
            names[f"pipeline.{word}" if prefix == "-" else f"pipeline.{prefix}.{word}"] = kind
    return names


KNOWN = _read_table()


class PipelineValues:
    """What `pipeline.…` means in this pipeline; the parameters are set once they are bound."""

    def __init__(self, context: Context, *, setup: bool = False) -> None:
        self._given = {**context.values, "pipeline.in_setup": setup}
        self._ref = {"pipeline.git.branch": context.branch or None, "pipeline.git.tag": context.tag or None}
        self.parameters: Mapping[str, object] = {}

    def look_up(self, name: str) -> object:
        """The value of a full name; None when absent from this pipeline, MISSING when nobody knows it."""
        if name.startswith(PARAMETERS):
            return self.parameters.get(name.removeprefix(PARAMETERS), MISSING)
        if name in self._given:
            return self._given[name]
        if name in self._ref:
            return self._ref[name]
        return None if name in KNOWN else MISSING

    def list_names(self) -> list[str]:
        """Every name there is, for suggestions."""
        return [*KNOWN, *(PARAMETERS + name for name in self.parameters)]
