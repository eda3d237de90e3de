"""Hears a webhook of a git host: whether it is genuine and new, and which pipelines it promises."""

import logging
from collections.abc import Mapping

import msgspec

from penstock.engine.lookup import find_project
from penstock.engine.project_settings import load_project_settings, open_hook_secrets
from penstock.engine.push import Order, promise_pipeline
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.forge.hooks.event import Hook, HookEvent, PullRequest, Push, Repository
from penstock.forge.hooks.receive import read_hook
from penstock.forge.hooks.trigger import Decline, Declined, HookSettings, TriggerFacts, plan_trigger
from penstock.forge.refs import is_ref
from penstock.forge.remote import parse_remote
from penstock.model.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from penstock.model.project import Project
from penstock.model.settings import ProjectSettings
from penstock.store import deliveries, projects
from penstock.store.database import Transaction
from penstock.store.projects import ProjectChange
from penstock.store.sealing import Sealer, make_token

HEARD = "hook"
"""Under which name deliveries are remembered, whatever host they claim to be of: some sign alike."""

_log = logging.getLogger(__name__)


class Message(msgspec.Struct, frozen=True):
    """A webhook as it arrived."""

    headers: Mapping[str, str]
    body: bytes


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from a webhook: the pipelines that are promised, and why others are not."""

    orders: tuple[Order, ...] = ()
    declined: tuple[Declined, ...] = ()


class _Ear(msgspec.Struct, frozen=True):
    """What is needed to judge a webhook. Without `project` nothing is genuine."""

    secrets: list[str]
    project: Project | None = None
    settings: ProjectSettings = ProjectSettings()


def hear_hook(parts: Parts, sealer: Sealer, name: str, message: Message) -> Heard:
    """What follows from a webhook to the project of that slug or UUID, stored before this returns.

    Raises ForbiddenError for what is not signed with a secret of the project, and the same for a project
    that does not exist; ConflictError for a webhook that was heard before; InvalidError and
    LimitExceededError for one that cannot be read.
    """
    now = parts.clock.now()
    with parts.db.read() as tx:
        ear = _listen(tx, sealer, name.strip("/"))
    hook = read_hook(message.headers, message.body, ear.secrets, now=now)
    if ear.project is None:
        raise InvalidError("a webhook was signed with a secret that nobody was told")
    return _promise(
        parts, ear.project, hook, [_judge(ear, ear.project, each, hook, now) for each in hook.events]
    )


def _listen(tx: Transaction, sealer: Sealer, name: str) -> _Ear:
    """What the project's webhooks are judged by; nobody knows the secret of one that has none."""
    try:
        project = find_project(tx, name)
    except (NotFoundError, InvalidError):
        return _Ear([make_token()])
    try:
        secrets = [each.decode(errors="replace") for each in open_hook_secrets(tx, sealer, project.id)]
    except RefusedError as error:
        _log.error("project %s: its webhooks cannot be heard: %s", project.slug, error)
        secrets = []
    return _Ear(secrets or [make_token()], project, load_project_settings(tx, project.id))


def _judge(ear: _Ear, project: Project, event: HookEvent, hook: Hook, now: int) -> TriggerFacts | Declined:
    if isinstance(event, Push | PullRequest) and not is_about(event.repository, project):
        return Declined(why=Decline.OTHER_REPOSITORY, detail=event.repository.full_name)
    settings = HookSettings(
        default_branch=find_default(hook) or project.default_branch,
        build_prs_only=ear.settings.build_prs_only,
        pr_only_branch_overrides=ear.settings.pr_only_branch_overrides,
        build_fork_prs=ear.settings.build_fork_prs,
        forks_receive_secrets=ear.settings.forks_receive_secret_env_vars,
    )
    return plan_trigger(event, settings, hook, now)


def _promise(parts: Parts, project: Project, hook: Hook, decided: list[TriggerFacts | Declined]) -> Heard:
    """Remember the webhook and promise its pipelines, both or neither; the default branch is the host's."""
    declined = tuple(each for each in decided if isinstance(each, Declined))
    wanted = [each for each in decided if isinstance(each, TriggerFacts)]
    if not wanted:
        return Heard(declined=declined)

    def work(unit: Unit) -> tuple[Order, ...]:
        key = f"{project.uuid}/{hook.delivery.key}"
        if not deliveries.remember_delivery(unit.tx, HEARD, key, now=unit.now):
            raise ConflictError("this webhook was heard before; to build again, trigger a pipeline")
        default = find_default(hook)
        if default not in {"", project.default_branch}:
            projects.update_project(unit.tx, ProjectChange(id=project.id, default_branch=default))
        return tuple(promise_pipeline(unit, project, facts) for facts in wanted)

    orders = transact(parts, work)
    for order in orders:
        revision = order.facts.revision
        _log.info(
            "project %s: %s of %s announces %s at %s: pipeline %s",
            project.slug,
            hook.delivery.event,
            hook.delivery.host,
            revision.branch or revision.tag,
            revision.sha or "its head",
            order.pipeline,
        )
    return Heard(orders=orders, declined=declined)


def find_default(hook: Hook) -> str:
    """The default branch of the repository as its host tells it, "" when it does not."""
    about = (event.repository for event in hook.events if isinstance(event, Push | PullRequest))
    return next((each.default_branch for each in about if is_ref(each.default_branch)), "")


def is_about(repository: Repository, project: Project) -> bool:
    """False for a repository of the project's own host that has another name.

    A webhook of a whole organization tells of all its repositories. What is fetched through another host
    than the one that sends webhooks (an address inside a network, a copy) cannot be compared.
    """
    ours = parse_remote(project.url)
    theirs = [parse_remote(url) for url in (*repository.clone_urls, repository.web_url) if url]
    comparable = {each.host.lower() for each in theirs if each.host}
    if not ours.host or ours.host.lower() not in comparable:
        return True
    path = f"/{ours.owner}/{ours.name}".lower()
    return path.endswith(f"/{repository.full_name}".lower())
