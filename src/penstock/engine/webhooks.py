"""The webhooks of a project as people set them up; secrets go in and never come out."""

from collections.abc import Sequence

import msgspec

from penstock.engine.access import Action
from penstock.engine.audit import note
from penstock.engine.lookup import open_project_of
from penstock.engine.principal import Principal
from penstock.engine.projects import change_project
from penstock.engine.runs import read_id
from penstock.engine.unit import Parts, Unit
from penstock.engine.webhook_events import WEBHOOK
from penstock.kit.ids import new_id
from penstock.model.errors import InvalidError, LimitExceededError, NotFoundError
from penstock.model.project import Organization, Project
from penstock.model.webhook import Webhook, WebhookEvent
from penstock.notify.address import Reach, Target, read_target
from penstock.store import secrets, webhooks
from penstock.store.database import Transaction
from penstock.store.sealing import Sealer
from penstock.store.secrets import Secret, of_project
from penstock.store.webhooks import WebhookChange

MOST_WEBHOOKS = 5
"""In a project (CircleCI docs: outbound webhooks)."""

MASK = "****"
"""What is shown of a secret. Given back, it stands for the secret there is."""

SECRET = "webhook/"  # noqa: S105 - how the names of such secrets begin
MOST_NAME, MOST_SECRET = 255, 1000


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook to be set up; without a secret what it sends is not signed."""

    name: str
    events: Sequence[WebhookEvent]
    url: str
    verify_tls: bool = True
    secret: str = ""

    def __repr__(self) -> str:
        return f"NewWebhook({self.name!r})"


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change about a webhook; None leaves what is, a secret of "" takes it away."""

    name: str | None = None
    events: Sequence[WebhookEvent] | None = None
    url: str | None = None
    verify_tls: bool | None = None
    secret: str | None = None

    def __repr__(self) -> str:
        return "Update()"


def create_webhook(
    parts: Parts, sealer: Sealer, by: Principal, project: Project, new: NewWebhook, *, reach: Reach
) -> Webhook:
    """The project's events are sent there from now on.

    Raises ForbiddenError, InvalidError for what cannot be, LimitExceededError past `MOST_WEBHOOKS`.
    """
    target = read_target(new.url, reach)
    events, plain = _check_events(new.events), _check_secret(new.secret)
    _check_name(new.name)

    def work(unit: Unit, found: Project, owner: Organization) -> Webhook:
        if len(webhooks.list_webhooks(unit.tx, found.id)) >= MOST_WEBHOOKS:
            raise LimitExceededError(f"a project may have {MOST_WEBHOOKS} webhooks")
        record = Webhook(
            id=0,
            uuid=new_id(),
            project_id=found.id,
            name=new.name,
            events=events,
            url=new.url,
            verify_tls=new.verify_tls,
            signed=bool(plain),
            created_at=unit.now,
            updated_at=unit.now,
        )
        made = webhooks.add_webhook(unit.tx, record, target.host)
        _keep_secret(unit, sealer, made, plain)
        note(unit, by, "webhook.create", made.uuid, organization=owner, project=found.uuid, host=target.host)
        return made

    return change_project(parts, by, Action.CHANGE_VARIABLES, project, work)


def update_webhook(
    parts: Parts, sealer: Sealer, by: Principal, webhook: Webhook, update: Update, *, reach: Reach
) -> Webhook:
    """The webhook, changed. What waits goes where it leads now, at once, signed with the secret it has now.

    Raises ForbiddenError, InvalidError for what cannot be, NotFoundError when it is gone by now.
    """
    change, plain = _check_update(webhook, update, reach)

    def work(unit: Unit, found: Project, owner: Organization) -> Webhook:
        if webhooks.get_webhook(unit.tx, webhook.id) is None:
            raise _unknown()
        change.updated_at = unit.now
        webhooks.change_webhook(unit.tx, change)
        if plain is not None:
            _keep_secret(unit, sealer, webhook, plain)
        changed = sorted(name for name, value in msgspec.structs.asdict(update).items() if value is not None)
        note(
            unit, by, "webhook.update", webhook.uuid, organization=owner, project=found.uuid, changed=changed
        )
        unit.posted.add(WEBHOOK)
        present = webhooks.get_webhook(unit.tx, webhook.id)
        return webhook if present is None else present

    return change_project(parts, by, Action.CHANGE_VARIABLES, _project_of(parts, by, webhook), work)


def delete_webhook(parts: Parts, by: Principal, webhook: Webhook) -> None:
    """The webhook is gone with its log and all that waits. Raises ForbiddenError, NotFoundError."""

    def work(unit: Unit, found: Project, owner: Organization) -> None:
        if webhooks.get_webhook(unit.tx, webhook.id) is None:
            raise _unknown()
        webhooks.delete_webhook(unit.tx, webhook.id)
        secrets.delete_secret(unit.tx, of_project(found.id), f"{SECRET}{webhook.uuid}")
        note(unit, by, "webhook.delete", webhook.uuid, organization=owner, project=found.uuid)

    change_project(parts, by, Action.CHANGE_VARIABLES, _project_of(parts, by, webhook), work)


def open_webhook(tx: Transaction, by: Principal, action: Action, uuid: str) -> tuple[Webhook, Project]:
    """The webhook, in whose project the principal may do this, and that project.

    Raises InvalidError for what is no UUID, NotFoundError, also for others', and ForbiddenError.
    """
    found = webhooks.webhook_by_uuid(tx, read_id(uuid))
    if found is None:
        raise _unknown()
    try:
        return found, open_project_of(tx, by, action, found.project_id)
    except NotFoundError as error:
        raise _unknown() from error


def open_secret(tx: Transaction, sealer: Sealer, webhook: Webhook) -> bytes:
    """The secret with which what is sent is signed, "" for none."""
    owner, name = of_project(webhook.project_id), f"{SECRET}{webhook.uuid}"
    return (secrets.open_secret(tx, sealer, owner, name) or b"") if webhook.signed else b""


def _check_update(webhook: Webhook, update: Update, reach: Reach) -> tuple[WebhookChange, bytes | None]:
    """The change of the row, and the new secret if there is to be one. Raises InvalidError."""
    change = WebhookChange(id=webhook.id, failures=0, rests_until=0, slowness=-1)
    if update.name is not None:
        change.name = _check_name(update.name)
    if update.events is not None:
        change.events = _check_events(update.events)
    if update.url is not None:
        target: Target = read_target(update.url, reach)
        change.url, change.host = update.url, target.host
    if update.verify_tls is not None:
        change.verify_tls = update.verify_tls
    if update.secret is None or (update.secret == MASK and webhook.signed):
        return change, None
    plain = _check_secret(update.secret)
    change.signed = bool(plain)
    return change, plain


def _keep_secret(unit: Unit, sealer: Sealer, webhook: Webhook, plain: bytes) -> None:
    """The webhook has the secret, or none for none."""
    owner, name = of_project(webhook.project_id), f"{SECRET}{webhook.uuid}"
    if plain:
        secrets.set_secret(unit.tx, sealer, owner, Secret(name, plain), now=unit.now)
    else:
        secrets.delete_secret(unit.tx, owner, name)


def _project_of(parts: Parts, by: Principal, webhook: Webhook) -> Project:
    with parts.db.read() as tx:
        return open_webhook(tx, by, Action.CHANGE_VARIABLES, webhook.uuid)[1]


def _check_name(name: str) -> str:
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise InvalidError(f"a webhook has a name of 1 to {MOST_NAME} characters, without line breaks")
    return name


def _check_events(events: Sequence[WebhookEvent]) -> tuple[WebhookEvent, ...]:
    """The events, each once. Raises InvalidError for none, or for one nobody can subscribe to."""
    chosen = tuple(dict.fromkeys(events))
    if not chosen or WebhookEvent.PING in chosen:
        raise InvalidError("a webhook is sent for workflow-completed, job-completed, or both")
    return chosen


def _check_secret(secret: str) -> bytes:
    if secret == MASK:  # everybody knows this one
        raise InvalidError(f"{MASK} stands for a secret that is not shown: give the secret itself")
    if len(secret) > MOST_SECRET:
        raise InvalidError(f"the secret of a webhook may have {MOST_SECRET} characters")
    try:
        return secret.encode()
    except UnicodeEncodeError as error:
        raise InvalidError("the secret of a webhook must be text") from error


def _unknown() -> NotFoundError:
    return NotFoundError("Webhook not found.")
