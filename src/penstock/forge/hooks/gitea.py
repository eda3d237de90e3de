"""Webhooks of Gitea, Forgejo and Gogs: GitHub's bodies with their own headers (Gitea docs: webhooks)."""

from collections.abc import Mapping, Sequence

import msgspec

from penstock.forge.hooks.event import Delivery, Hook, HookEvent, Ignored, PullAction, PullRequest
from penstock.forge.hooks.githublike import PullBody, PushBody, convert_pull, convert_push
from penstock.forge.hooks.payload import clean_text, decode_body, unwrap_form
from penstock.forge.hooks.signature import check_digest, hash_body
from penstock.forge.host import Host

PREFIXES = ("x-forgejo", "x-gitea", "x-gogs")
"""Beginnings of their headers, newest first; each also sends those of the ones it descends from."""

_ACTIONS = {
    "opened": PullAction.OPENED,
    "synchronized": PullAction.SYNCHRONIZE,
    "synchronize": PullAction.SYNCHRONIZE,
    "reopened": PullAction.REOPENED,
    "ready_for_review": PullAction.READY,
    "labeled": PullAction.LABELED,
    "label_updated": PullAction.LABELED,
    "closed": PullAction.CLOSED,
}
_DRAFTS = ("WIP:", "[WIP]")
_PULLS = {"pull_request", "pull_request_sync", "pull_request_label"}


def read_gitea(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> Hook:
    """What Gitea or Forgejo says."""
    del now  # they sign no time
    check_digest(_find(headers, "signature"), body, secrets)
    name = _find(headers, "event")
    delivery = Delivery(
        host=Host.GITEA,
        id=clean_text(_find(headers, "delivery")),
        event=clean_text(name),
        key=hash_body(body),
    )
    return Hook(delivery=delivery, events=(_read(name, unwrap_form(headers.get("content-type", ""), body)),))


def _find(headers: Mapping[str, str], name: str) -> str:
    return next((headers[f"{each}-{name}"] for each in PREFIXES if f"{each}-{name}" in headers), "")


def _read(name: str, body: bytes) -> HookEvent:
    if name == "push":
        return convert_push(decode_body(body, PushBody))
    if name in _PULLS:
        return _mark_draft(convert_pull(decode_body(body, PullBody), Host.GITEA, _ACTIONS))
    return Ignored(reason=f"nothing is done for {clean_text(name)[:80] or 'an event without a name'}")


def _mark_draft(event: HookEvent) -> HookEvent:
    """Work in progress is told by the title alone (Gitea docs: WORK_IN_PROGRESS_PREFIXES)."""
    if isinstance(event, PullRequest) and event.title.upper().startswith(_DRAFTS):
        return msgspec.structs.replace(event, draft=True)
    return event
