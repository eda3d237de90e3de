"""The pipeline values an event brings along (CircleCI docs: pipeline values)."""

from datetime import UTC

from penstock.forge.hooks.event import Delivery, Person, PullRequest, Push, PushedCommit, Repository
from penstock.forge.hooks.skip import split_message
from penstock.forge.host import Host
from penstock.kit.clock import to_datetime

Value = str | int | bool | None

_TYPES = {
    Host.GITHUB: "github_app",
    Host.GITLAB: "gitlab",
    Host.GITEA: "gitea",
    Host.BITBUCKET: "bitbucket_cloud",
    Host.BITBUCKET_SERVER: "bitbucket_dc",
}


def list_event_values(event: Push | PullRequest, delivery: Delivery, received_at: int) -> dict[str, Value]:
    """Values by full name; None for those the host does not tell. `received_at` is in milliseconds."""
    received = to_datetime(received_at).astimezone(UTC).isoformat(timespec="milliseconds")
    values: dict[str, Value] = {
        "pipeline.trigger_source": "webhook",
        "pipeline.trigger.type": _TYPES[delivery.host],
        "pipeline.trigger.received_at": received.replace("+00:00", "Z"),
    }
    if isinstance(event, Push):
        values |= _describe_push(event, delivery.host)
    else:
        values |= _describe_pull(event, delivery.host)
    values |= _describe_repository(event.repository)
    return {name: None if value == "" else value for name, value in values.items()}


def _describe_push(push: Push, host: Host) -> dict[str, Value]:
    head = push.head or PushedCommit(id=push.after)
    values: dict[str, Value] = {
        "pipeline.event.name": "push",
        "pipeline.event.action": "push",
        "pipeline.event.provider_login": push.pusher.login,
        "pipeline.git.base_revision": "" if push.tag else push.before,
        "pipeline.git.commit.url": head.url,
        "pipeline.git.commit.author_login": head.author.login,
        "pipeline.git.commit.author_name": head.author.name,
        "pipeline.git.commit.author_email": head.author.email,
        **_describe_git(push, head),
    }
    if host is Host.GITHUB:
        values |= _describe_sender(push.pusher, push.repository)
        values |= {
            "pipeline.event.github.ref": push.ref,
            "pipeline.event.github.after": push.after,
            "pipeline.event.github.head_commit.url": head.url,
            "pipeline.trigger_parameters.github_app.forced": "true" if push.forced else "false",
            "pipeline.trigger_parameters.github_app.full_ref": push.ref,
        }
    if host is Host.GITLAB:
        values |= _describe_gitlab(push, head)
    return values


def _describe_git(push: Push, head: PushedCommit) -> dict[str, Value]:
    below = "pipeline.trigger_parameters.git."
    return {
        f"{below}author_login": head.author.login,
        f"{below}branch": push.branch,
        f"{below}checkout_sha": head.id,
        f"{below}commit_author_email": head.author.email,
        f"{below}commit_author_name": head.author.name,
        f"{below}commit_message": head.message,
        f"{below}ref": push.ref,
        f"{below}tag": push.tag,
    }


def _describe_gitlab(push: Push, head: PushedCommit) -> dict[str, Value]:
    below = "pipeline.trigger_parameters.gitlab."
    return {
        f"{below}type": "tag_push" if push.tag else "push",
        f"{below}branch": push.branch,
        f"{below}ref": push.ref,
        f"{below}checkout_sha": head.id,
        f"{below}commit_sha": head.id,
        f"{below}commit_message": head.message,
        f"{below}commit_title": split_message(head.message)[0],
        f"{below}commit_author_name": head.author.name,
        f"{below}commit_author_email": head.author.email,
        f"{below}default_branch": push.repository.default_branch,
        f"{below}project_id": push.repository.id,
        f"{below}repo_name": push.repository.name,
        f"{below}repo_url": next(iter(push.repository.clone_urls), ""),
        f"{below}web_url": push.repository.web_url,
        f"{below}user_id": push.pusher.id,
        f"{below}user_name": push.pusher.name,
        f"{below}user_username": push.pusher.login,
        f"{below}user_avatar": push.pusher.avatar_url,
        f"{below}is_fork_merge_request": "false",
    }


def _describe_pull(pull: PullRequest, host: Host) -> dict[str, Value]:
    values: dict[str, Value] = {
        "pipeline.event.name": "pull_request",
        "pipeline.event.action": pull.action.value,
        "pipeline.event.provider_login": pull.sender.login,
        "pipeline.git.base_revision": pull.before,
    }
    if host is Host.GITHUB:
        below = "pipeline.event.github.pull_request."
        values |= _describe_sender(pull.sender, pull.repository)
        values |= {
            f"{below}number": pull.number,
            f"{below}title": pull.title,
            f"{below}url": pull.url,
            f"{below}draft": pull.draft,
            f"{below}merged": pull.merged,
            f"{below}head.ref": pull.head.ref,
            f"{below}head.sha": pull.head.sha,
            f"{below}base.ref": pull.base.ref,
            f"{below}base.sha": pull.base.sha,
            "pipeline.event.github.label.name": pull.label,
        }
    return values


def _describe_sender(person: Person, repository: Repository) -> dict[str, Value]:
    below = "pipeline.event.github."
    return {
        f"{below}sender.login": person.login,
        f"{below}sender.avatar_url": person.avatar_url,
        f"{below}sender.type": person.kind,
        f"{below}repository.name": repository.name,
        f"{below}repository.owner.login": repository.owner,
        f"{below}repository.url": repository.web_url,
    }


def _describe_repository(repository: Repository) -> dict[str, Value]:
    urls = repository.clone_urls
    return {
        "pipeline.git.repo_id": int(repository.id) if repository.id.isdecimal() else None,
        "pipeline.git.repo_name": repository.name,
        "pipeline.git.repo_owner": repository.owner,
        "pipeline.git.repo_url": repository.web_url,
        "pipeline.git.ssh_checkout_url": next((url for url in urls if not url.startswith("http")), ""),
        "pipeline.trigger_parameters.git.default_branch": repository.default_branch,
        "pipeline.trigger_parameters.git.repo_name": repository.name,
        "pipeline.trigger_parameters.git.repo_owner": repository.owner,
        "pipeline.trigger_parameters.git.repo_url": repository.web_url,
        "pipeline.trigger_parameters.git.checkout_url": next(iter(urls), ""),
    }
