"""Bundles of policies: the one in force of each organization, and those that decisions were made with."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import delete, insert, select

from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import (
    policy_bundles,
    policy_decisions,
    policy_documents,
    policy_members,
    policy_settings,
)
from penstock.store.upserts import insert_into


class StoredPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as it was pushed; `created_by` is the UUID of who did, `hash` that of its content."""

    id: int
    organization_id: int
    name: str
    content: str
    hash: str
    created_at: int
    created_by: str


class PolicySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether pipelines are judged, and by which bundle; None is an empty one."""

    enabled: bool = False
    bundle_id: int | None = None


def load_settings(tx: Transaction, organization_id: int) -> PolicySettings:
    """The organization's settings."""
    table = policy_settings.c
    chosen = select(table.enabled, table.bundle_id).where(table.organization_id == organization_id)
    row = tx.execute(chosen).first()
    return PolicySettings(enabled=row[0], bundle_id=row[1]) if row is not None else PolicySettings()


def save_settings(tx: Transaction, organization_id: int, settings: PolicySettings) -> None:
    """These are the organization's settings."""
    values = msgspec.structs.asdict(settings)
    statement = insert_into(tx.dialect.name, policy_settings).values(
        organization_id=organization_id, **values
    )
    tx.execute(statement.on_conflict_do_update(index_elements=["organization_id"], set_=values))


def load_policies(tx: Transaction, bundle_id: int | None) -> list[StoredPolicy]:
    """The policies of a bundle, by name."""
    if bundle_id is None:
        return []
    chosen = (
        select(*rows.columns_of(policy_documents, StoredPolicy))
        .join(policy_members, policy_members.c.document_id == policy_documents.c.id)
        .where(policy_members.c.bundle_id == bundle_id)
        .order_by(policy_documents.c.name)
    )
    return [rows.build(StoredPolicy, row) for row in tx.execute(chosen)]


def load_hashes(tx: Transaction, bundle_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """By bundle, the hash of each of its policies by name."""
    chosen = (
        select(policy_members.c.bundle_id, policy_documents.c.name, policy_documents.c.hash)
        .join(policy_documents, policy_members.c.document_id == policy_documents.c.id)
        .where(policy_members.c.bundle_id.in_(sorted(set(bundle_ids))))
        .order_by(policy_documents.c.name)
    )
    found: dict[int, dict[str, str]] = {}
    for bundle_id, name, content_hash in tx.execute(chosen):
        found.setdefault(bundle_id, {})[name] = content_hash
    return found


def save_bundle(
    tx: Transaction,
    organization_id: int,
    kept: Sequence[StoredPolicy],
    added: Sequence[StoredPolicy],
    *,
    now: int,
) -> int | None:
    """The row id of a new bundle of stored policies and of new ones; None when it has none."""
    if not kept and not added:
        return None
    bundle_id = rows.insert_row(tx, policy_bundles, {"organization_id": organization_id, "created_at": now})
    made = [rows.insert_row(tx, policy_documents, rows.values_of(each)) for each in added]
    ids = [*(each.id for each in kept), *made]
    tx.execute(insert(policy_members), [{"bundle_id": bundle_id, "document_id": each} for each in ids])
    return bundle_id


def find_bundle(tx: Transaction, bundle_id: int | None) -> int | None:
    """The row id when there still is such a bundle."""
    chosen = select(policy_bundles.c.id).where(policy_bundles.c.id == bundle_id)
    return tx.execute(chosen).scalar_one_or_none() if bundle_id is not None else None


def drop_unused(tx: Transaction, organization_id: int, *, spare: int | None) -> None:
    """Bundles that are not in force and that no decision was made with are gone, with their policies.

    One is spared: by that which was in force until now something may be judged at present.
    """
    decided = select(policy_decisions.c.id).where(policy_decisions.c.bundle_id == policy_bundles.c.id)
    in_force = select(policy_settings.c.organization_id).where(
        policy_settings.c.bundle_id == policy_bundles.c.id
    )
    mine = (policy_bundles.c.organization_id == organization_id, policy_bundles.c.id != (spare or 0))
    tx.execute(delete(policy_bundles).where(*mine, ~decided.exists(), ~in_force.exists()))
    member = select(policy_members.c.bundle_id).where(policy_members.c.document_id == policy_documents.c.id)
    own = policy_documents.c.organization_id == organization_id
    tx.execute(delete(policy_documents).where(own, ~member.exists()))


def texts_of(policies: Sequence[StoredPolicy]) -> Mapping[str, str]:
    """The content of each policy by its name."""
    return {each.name: each.content for each in policies}
