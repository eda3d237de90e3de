"""What happens in a project is promised to its webhooks, in the transaction in which it happens."""

from penstock.engine.facts import Facts
from penstock.engine.unit import Unit
from penstock.model.status import JobKind, JobStatus
from penstock.model.webhook import WebhookEvent
from penstock.store import webhook_deliveries, webhooks

WEBHOOK = "webhook"
"""What those are woken by who send them."""

_UNTOLD = {JobStatus.NOT_RUN, JobStatus.SKIPPED}
"""Ends of jobs that never had their turn."""

_TOLD = {JobKind.BUILD, JobKind.RELEASE}

Event = tuple[WebhookEvent, str]
"""What happened, and the UUID of what it happened to."""


def find_job_event(kind: JobKind, uuid: str, before: JobStatus, after: JobStatus) -> Event | None:
    """What webhooks are told when a job goes from one status to the other, None for nothing."""
    ended = after.is_terminal and not before.is_terminal
    if not ended or after in _UNTOLD or kind not in _TOLD:
        return None
    return WebhookEvent.JOB_COMPLETED, uuid


def promise_events(unit: Unit, facts: Facts, events: list[Event]) -> None:
    """The project's webhooks will be told of the events they want."""
    if not events or facts.is_local:
        return
    wanted = [
        (listener.id, event, subject)
        for listener in webhooks.hold_listeners(unit.tx, facts.project.id)
        for event, subject in events
        if event in listener.events
    ]
    if wanted:
        webhook_deliveries.promise_deliveries(unit.tx, wanted, now=unit.now)
        unit.posted.add(WEBHOOK)
