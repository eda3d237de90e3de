"""A site with webhooks: what is sent to them is noted in a list, and answered as a test says."""

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.engine.principal import SERVER
from penstock.engine.webhook_choice import Limits
from penstock.engine.webhook_desk import WebhookDesk
from penstock.engine.webhook_log import ping_webhook
from penstock.engine.webhooks import NewWebhook, create_webhook
from penstock.model.webhook import Delivery, WebhookEvent
from penstock.notify.address import Reach
from penstock.notify.send import Parcel, Receipt
from penstock.store import webhook_deliveries, webhooks
from tests.support.circle import CircleSite
from tests.support.lab import HandAgent

URL = "https://hooks.example.com/in?key=1"
SECRET = "the secret of the webhook"
BOTH = ("workflow-completed", "job-completed")


class WebhookSite:
    """Wraps a site. `answer` says what becomes of each parcel; by default it is taken."""

    def __init__(self, site: CircleSite) -> None:
        self.site = site
        self.parts = site.parts
        self.sent: list[Parcel] = []
        self.answer: Callable[[Parcel], Receipt] = lambda _: Receipt(status=200, answer="ok", duration=20)
        self.held: list[Callable[[], None]] | None = None  # what was launched, when it is not done at once
        self.desk = self.open_desk()

    def open_desk(self, limits: Limits | None = None) -> WebhookDesk:
        """Another desk, as another server has one."""
        return WebhookDesk(self.site.sealer, self._send, self._launch, limits=limits)

    def _send(self, parcel: Parcel) -> Receipt:
        self.sent.append(parcel)
        return self.answer(parcel)

    def _launch(self, work: Callable[[], None]) -> None:
        if self.held is None:
            work()
        else:
            self.held.append(work)

    def create(self, status: int = 201, **fields: Any) -> Any:  # noqa: ANN401 - whatever was answered
        """The answer to a request for a webhook of the project; fields with `_` for `-`."""
        body = {
            "name": "chat",
            "events": list(BOTH),
            "url": URL,
            "verify-tls": True,
            "signing-secret": SECRET,
            "scope": {"id": self.site.project.uuid, "type": "project"},
            **{name.replace("_", "-"): value for name, value in fields.items()},
        }
        return self.site.post("webhook", body, status)

    def carry(self) -> int | None:
        """Send all that is due; when the next is."""
        due = self.desk.round(self.parts)
        while due is not None and due <= self.parts.clock.now():
            due = self.desk.round(self.parts)
        return due

    def bodies(self) -> list[dict[str, Any]]:
        """What was sent, oldest first."""
        return [msgspec.json.decode(parcel.body) for parcel in self.sent]

    def log(self) -> list[Delivery]:
        """All deliveries to the project's webhooks, oldest first."""
        with self.parts.db.read() as tx:
            every = [
                delivery
                for webhook in webhooks.list_webhooks(tx, self.site.project.id)
                for delivery in webhook_deliveries.list_deliveries(tx, webhook.id)
            ]
        return sorted(every, key=lambda delivery: delivery.id)


def add_webhook(site: CircleSite) -> tuple[str, str]:
    """The ids of a webhook of the project, and of a ping that waits to be sent there; made when missing."""
    with site.parts.db.read() as tx:
        for known in webhooks.list_webhooks(tx, site.project.id):
            for delivery in webhook_deliveries.list_deliveries(tx, known.id, limit=1):
                return known.uuid, delivery.uuid
    new = NewWebhook(name="chat", events=[WebhookEvent.JOB_COMPLETED], url="https://example.com/")
    made = create_webhook(site.parts, site.sealer, SERVER, site.project, new, reach=Reach())
    return made.uuid, ping_webhook(site.parts, SERVER, made.uuid).uuid


def finish(worker: HandAgent, count: int = 1) -> None:
    """The agent does so many tasks."""
    for assignment in worker.claim(count):
        worker.begin(assignment.task)
        worker.end(assignment.task)
