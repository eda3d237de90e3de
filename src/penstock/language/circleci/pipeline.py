"""What `pipeline.…` is for a pipeline, from facts (CircleCI docs: pipeline values)."""

import msgspec


class PipelineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a pipeline when its config is compiled. Empty texts are facts nobody has."""

    id: str
    number: int
    project_slug: str
    project_url: str = ""
    branch: str = ""
    tag: str = ""
    sha: str = ""
    base: str = ""
    default_branch: str = ""
    subject: str = ""
    body: str = ""
    author: str = ""
    trigger: str = "api"  # api | webhook | scheduled_pipeline


def list_values(facts: PipelineFacts) -> dict[str, str | int | bool | None]:
    """The values by their full names; a fact nobody has is known to be absent."""
    provider = facts.project_slug.partition("/")[0]
    values: dict[str, str | int | bool | None] = {
        "pipeline.id": facts.id,
        "pipeline.number": facts.number,
        "pipeline.project.slug": facts.project_slug,
        "pipeline.project.git_url": facts.project_url,
        "pipeline.project.type": {"gh": "github", "bb": "bitbucket", "gl": "gitlab"}.get(provider, provider),
        "pipeline.git.branch": facts.branch,
        "pipeline.git.tag": facts.tag,
        "pipeline.git.revision": facts.sha,
        "pipeline.git.base_revision": facts.base,
        "pipeline.git.commit.subject": facts.subject,
        "pipeline.git.commit.body": facts.body,
        "pipeline.git.commit.author_name": facts.author,
        "pipeline.trigger_source": facts.trigger,
        "pipeline.trigger.type": facts.trigger.replace("scheduled_pipeline", "schedule"),
        "pipeline.event.name": {"webhook": "push", "scheduled_pipeline": "schedule"}.get(
            facts.trigger, "api"
        ),
    }
    known = {name: None if value == "" else value for name, value in values.items()}
    is_default = bool(facts.branch) and facts.branch == facts.default_branch
    return known | {"pipeline.git.branch.is_default": is_default, "pipeline.in_setup": False}
