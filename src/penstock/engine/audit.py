"""Acts are noted in the transaction that does them."""

from penstock.engine.access import Action, require
from penstock.engine.principal import Principal
from penstock.engine.unit import Unit
from penstock.model.audit import AuditEntry
from penstock.model.project import Organization
from penstock.store import audit
from penstock.store.database import Transaction


def note(
    unit: Unit,
    by: Principal,
    action: str,
    subject: str,
    *,
    organization: Organization | None = None,
    **details: object,
) -> None:
    """The audit log says that the principal did this to the subject; `details` must hold no secret."""
    entry = AuditEntry(
        id=0,
        at=unit.now,
        actor=by.user.login,
        actor_uuid=by.user.uuid,
        token=by.token,
        action=action,
        subject=subject,
        organization=organization.uuid if organization is not None else "",
        details=details,
    )
    audit.append_entry(unit.tx, entry)


def list_audit(
    tx: Transaction,
    by: Principal,
    organization: Organization | None,
    *,
    before: int | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """Entries newest first, of the organization or of the whole server, with ids below `before`.

    Raises as `access.require` does.
    """
    require(by, Action.SEE_AUDIT if organization else Action.SEE_SERVER_AUDIT, organization)
    uuid = organization.uuid if organization is not None else None
    return audit.list_entries(tx, organization=uuid, before=before, limit=limit)
