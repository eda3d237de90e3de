"""Which events a trigger listens to, when it is one of CircleCI's presets (API v2: trigger, event_preset)."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from penstock.forge.hooks.event import PullAction, PullRequest, Push

_COMMITS = {PullAction.OPENED, PullAction.SYNCHRONIZE, PullAction.REOPENED}
_LABEL = "run-ci"


class Preset(StrEnum):
    """The presets by their names in the API."""

    ALL_PUSHES = "all-pushes"
    ONLY_TAGS = "only-tags"
    DEFAULT_BRANCH_PUSHES = "default-branch-pushes"
    ONLY_BUILD_PRS = "only-build-prs"
    ONLY_OPEN_PRS = "only-open-prs"
    ONLY_LABELED_PRS = "only-labeled-prs"
    ONLY_MERGED_PRS = "only-merged-prs"
    ONLY_READY_FOR_REVIEW_PRS = "only-ready-for-review-prs"
    ONLY_BRANCH_DELETE = "only-branch-delete"
    ONLY_BUILD_PUSHES_TO_NON_DRAFT_PRS = "only-build-pushes-to-non-draft-prs"
    ONLY_MERGED_OR_CLOSED_PRS = "only-merged-or-closed-prs"


def matches_preset(event: Push | PullRequest, preset: Preset) -> bool:
    """True when a trigger with the preset makes a pipeline of the event (CircleCI docs: GitHub triggers).

    Nothing is made of a deletion, of a new branch without new commits, or of a fork's pull request.
    """
    if isinstance(event, PullRequest):
        return not event.fork and preset in _PULLS and _PULLS[preset](event)
    empty = bool(event.branch) and event.created and event.complete and not event.commits
    return not event.deleted and not empty and preset in _PUSHES and _PUSHES[preset](event)


def _is_default(push: Push) -> bool:
    return bool(push.branch) and push.branch == push.repository.default_branch


_PUSHES: Mapping[Preset, Callable[[Push], bool]] = {
    Preset.ALL_PUSHES: lambda _: True,
    Preset.ONLY_TAGS: lambda push: bool(push.tag),
    Preset.DEFAULT_BRANCH_PUSHES: _is_default,
    Preset.ONLY_BUILD_PRS: lambda push: bool(push.tag) or _is_default(push),
}

_PULLS: Mapping[Preset, Callable[[PullRequest], bool]] = {
    Preset.ONLY_BUILD_PRS: lambda pull: pull.action in _COMMITS,
    Preset.ONLY_OPEN_PRS: lambda pull: pull.action is PullAction.OPENED,
    Preset.ONLY_LABELED_PRS: lambda pull: pull.action is PullAction.LABELED and pull.label == _LABEL,
    Preset.ONLY_MERGED_PRS: lambda pull: pull.action is PullAction.CLOSED and pull.merged,
    Preset.ONLY_READY_FOR_REVIEW_PRS: lambda pull: pull.action is PullAction.READY,
    Preset.ONLY_BUILD_PUSHES_TO_NON_DRAFT_PRS: lambda pull: (
        pull.action is PullAction.SYNCHRONIZE and not pull.draft
    ),
    Preset.ONLY_MERGED_OR_CLOSED_PRS: lambda pull: pull.action is PullAction.CLOSED,
}
