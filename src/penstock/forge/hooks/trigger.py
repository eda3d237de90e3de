"""Which pipeline an event means, if any: branch, tag or pull request, and whether it may have secrets."""

from enum import StrEnum

import msgspec

from penstock.forge.hooks.event import (
    Hook,
    HookEvent,
    Ignored,
    Person,
    Ping,
    PullAction,
    PullRequest,
    Push,
)
from penstock.forge.hooks.preset import Preset, matches_preset
from penstock.forge.hooks.skip import find_skip, split_message
from penstock.forge.hooks.values import Value, list_event_values
from penstock.model.run import Revision

_BUILT = {PullAction.OPENED, PullAction.SYNCHRONIZE, PullAction.REOPENED}


class HookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A project's settings as far as they decide about events (CircleCI API v2: advanced settings).

    With `build_prs_only` the default branch, tags and `pr_only_branch_overrides` are built all the same. A
    trigger's `preset` takes the place of the other rules.
    """

    default_branch: str = ""
    build_prs_only: bool = False
    pr_only_branch_overrides: tuple[str, ...] = ()
    build_fork_prs: bool = False
    forks_receive_secrets: bool = False
    preset: Preset | None = None


class Decline(StrEnum):
    """Why an event means no pipeline."""

    DELETED = "the branch or tag was deleted"
    SKIPPED = "the commit's message says [skip ci] or [ci skip]"
    PULLS_ONLY = "only pull requests are built, and the default branch"
    PUSH_BUILT = "its commits are built when they are pushed"
    FORK = "pull requests of forks are not built"
    NOTHING_NEW = "there are no new commits"
    NO_SOURCE = "the repository the commits come from is gone"
    OTHER_REPOSITORY = "it is about another repository"
    OTHER_PRESET = "the trigger listens to other events"
    NO_BUILD = "nothing is built for this event"


class Declined(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """No pipeline, and why."""

    why: Decline
    detail: str = ""


class TriggerFacts(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The pipeline an event means.

    Fetch `fetch_ref`, from `fetch_url` where that is not empty (a fork on a host that keeps no copy).
    `revision.sha` may be empty or an annotated tag's: it is what `fetch_ref` then resolves to. While
    `skip_checked` is false the message was not told: look with `find_skip` once the commit is here. Without
    `secrets` the jobs get no contexts, project variables, keys or tokens; `fork` then names the repository
    whose caches they share.
    """

    revision: Revision
    fetch_ref: str
    fetch_url: str = ""
    event: str  # `push` or `pull_request`
    action: str = ""
    actor: Person
    secrets: bool = True
    fork: str = ""
    pull_number: int | None = None
    base_branch: str = ""
    skip_checked: bool = False
    values: dict[str, Value] = {}


def plan_trigger(
    event: HookEvent, settings: HookSettings, hook: Hook, received_at: int
) -> TriggerFacts | Declined:
    """The pipeline the event means to a project with these settings, or why it means none.

    CircleCI builds pushes, and of pull requests those of forks (CircleCI docs: build open source, only build
    pull requests). With `build_prs_only` a pull request's own events take the place of its pushes.
    """
    if isinstance(event, Ping):
        return Declined(why=Decline.NO_BUILD, detail="the host only tried whether somebody is there")
    if isinstance(event, Ignored):
        return Declined(why=Decline.NO_BUILD, detail=event.reason)
    if settings.preset is not None:
        decided = _plan_preset(event, settings.preset)
    else:
        decided = _plan_push(event, settings) if isinstance(event, Push) else _plan_pull(event, settings)
    if isinstance(decided, Declined):
        return decided
    values = list_event_values(event, hook.delivery, received_at)
    return msgspec.structs.replace(decided, values=values)


def _plan_preset(event: Push | PullRequest, preset: Preset) -> TriggerFacts | Declined:
    if not matches_preset(event, preset):
        return Declined(why=Decline.OTHER_PRESET, detail=preset)
    if isinstance(event, Push):
        return _describe_push(event)
    # Where the host keeps the commits they are found even when their branch went with the merge.
    fetch_ref = event.ref or f"refs/heads/{event.head.ref}"
    return _describe_pull(event, branch=event.head.ref, fetch_ref=fetch_ref)


def _plan_push(push: Push, settings: HookSettings) -> TriggerFacts | Declined:
    if push.deleted:
        return Declined(why=Decline.DELETED)
    if settings.build_prs_only and not _is_always_built(push, settings):
        return Declined(why=Decline.PULLS_ONLY)
    return _describe_push(push)


def _describe_push(push: Push) -> TriggerFacts | Declined:
    message = push.head.message if push.head is not None else ""
    subject, body = split_message(message)
    mark = find_skip(subject, body)
    if mark:
        return Declined(why=Decline.SKIPPED, detail=mark)
    revision = Revision(
        sha=push.head.id if push.head is not None and push.head.id else push.after,
        branch=push.branch,
        tag=push.tag,
        base="" if push.tag else push.before,
        subject=subject,
        body=body,
        author=push.head.author.name if push.head is not None else "",
    )
    return TriggerFacts(
        revision=revision,
        fetch_ref=push.ref,
        event="push",
        actor=push.pusher,
        skip_checked=bool(message),
    )


def _is_always_built(push: Push, settings: HookSettings) -> bool:
    """True for what is built without a pull request, too."""
    default = settings.default_branch or push.repository.default_branch
    return bool(push.tag) or push.branch == default or push.branch in settings.pr_only_branch_overrides


def _plan_pull(pull: PullRequest, settings: HookSettings) -> TriggerFacts | Declined:
    if pull.action not in _BUILT:
        return Declined(why=Decline.NOTHING_NEW, detail=pull.action)
    if pull.fork:
        return _plan_fork(pull, settings)
    default = settings.default_branch or pull.repository.default_branch
    if not settings.build_prs_only or pull.head.ref in {default, *settings.pr_only_branch_overrides}:
        return Declined(why=Decline.PUSH_BUILT)
    return _describe_pull(pull, branch=pull.head.ref, fetch_ref=f"refs/heads/{pull.head.ref}")


def _plan_fork(pull: PullRequest, settings: HookSettings) -> TriggerFacts | Declined:
    """Commits of strangers: built when the project wants it, with secrets only when it says so too.

    Their messages cannot skip the pipeline (CircleCI docs: skip a build).
    """
    if not settings.build_fork_prs:
        return Declined(why=Decline.FORK)
    source = pull.head.repository
    facts = _describe_pull(pull, branch=f"pull/{pull.number}", fetch_ref=pull.ref)
    if not pull.ref:
        if source is None or not source.clone_urls:
            return Declined(why=Decline.NO_SOURCE)
        facts = msgspec.structs.replace(
            facts, fetch_ref=f"refs/heads/{pull.head.ref}", fetch_url=source.clone_urls[0]
        )
    return msgspec.structs.replace(
        facts,
        secrets=settings.forks_receive_secrets,
        fork=source.full_name if source is not None else "unknown",
        skip_checked=True,
    )


def _describe_pull(pull: PullRequest, *, branch: str, fetch_ref: str) -> TriggerFacts:
    return TriggerFacts(
        revision=Revision(sha=pull.head.sha, branch=branch, base=pull.before, pull_request=pull.url),
        fetch_ref=fetch_ref,
        event="pull_request",
        action=pull.action,
        actor=pull.sender,
        pull_number=pull.number,
        base_branch=pull.base.ref,
    )
