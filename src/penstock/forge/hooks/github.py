"""Webhooks of GitHub (GitHub docs: webhook events and payloads)."""

from collections.abc import Mapping, Sequence

from penstock.forge.hooks.event import Delivery, Hook, HookEvent, Ignored, Ping, PullAction
from penstock.forge.hooks.githublike import PullBody, PushBody, convert_pull, convert_push
from penstock.forge.hooks.payload import clean_text, decode_body, unwrap_form
from penstock.forge.hooks.signature import check_digest, hash_body
from penstock.forge.host import Host

_ACTIONS = {
    "opened": PullAction.OPENED,
    "synchronize": PullAction.SYNCHRONIZE,
    "reopened": PullAction.REOPENED,
    "ready_for_review": PullAction.READY,
    "labeled": PullAction.LABELED,
    "closed": PullAction.CLOSED,
}


def read_github(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> Hook:
    """What GitHub says. Only the SHA-256 signature counts; the older one with SHA-1 does not."""
    del now  # GitHub signs no time
    check_digest(headers.get("x-hub-signature-256", ""), body, secrets, prefix="sha256=")
    name = headers.get("x-github-event", "")
    delivery = Delivery(
        host=Host.GITHUB,
        id=clean_text(headers.get("x-github-delivery")),
        event=clean_text(name),
        key=hash_body(body),
    )
    return Hook(delivery=delivery, events=(_read(name, unwrap_form(headers.get("content-type", ""), body)),))


def _read(name: str, body: bytes) -> HookEvent:
    match name:
        case "push":
            return convert_push(decode_body(body, PushBody))
        case "pull_request":
            return convert_pull(decode_body(body, PullBody), Host.GITHUB, _ACTIONS)
        case "ping":
            return Ping()
        case _:
            return Ignored(reason=f"nothing is done for {clean_text(name)[:80] or 'an event without a name'}")
