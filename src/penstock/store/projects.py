"""Organizations and projects, known to the world by their slugs."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Select, Table, bindparam, func, select, update

from penstock.kit.ids import new_id
from penstock.model.project import Organization, Project
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import organizations, projects
from penstock.store.upserts import insert_into


class ProjectChange(msgspec.Struct, kw_only=True):
    """What may change about a project; unset fields stay as they are."""

    id: int
    slug: str | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType = msgspec.UNSET
    url: str | msgspec.UnsetType = msgspec.UNSET
    default_branch: str | msgspec.UnsetType = msgspec.UNSET
    public: bool | msgspec.UnsetType = msgspec.UNSET


def ensure_organization(tx: Transaction, slug: str, *, name: str, now: int) -> Organization:
    """The organization of that slug, made when there is none; a present one keeps its name."""
    found = find_organization(tx, slug)
    if found is not None:
        return found
    record = Organization(id=0, uuid=new_id(), slug=slug, name=name)
    _insert_new(tx, organizations, rows.values_of(record) | {"created_at": now})
    return rows.fetch_present(tx, Organization, _select_organization("slug"), {"slug": slug})


def find_organization(tx: Transaction, slug: str) -> Organization | None:
    """The organization of that slug."""
    return rows.fetch_one(tx, Organization, _select_organization("slug"), {"slug": slug})


def get_organization(tx: Transaction, organization_id: int) -> Organization | None:
    """The organization of that row id."""
    return rows.fetch_one(tx, Organization, _select_organization("id"), {"id": organization_id})


def lock_organization(tx: Transaction, organization_id: int) -> Organization | None:
    """The organization, and no other transaction locks or changes it until this one ends."""
    locked = _select_organization("id").with_for_update()
    return rows.fetch_one(tx, Organization, locked, {"id": organization_id})


def organization_by_uuid(tx: Transaction, uuid: str) -> Organization | None:
    """The organization of that UUID, unless it is on its way out."""
    known = _select_organization("uuid").where(organizations.c.deleted_at.is_(None))
    return rows.fetch_one(tx, Organization, known, {"uuid": uuid})


def add_organization(tx: Transaction, organization: Organization, *, now: int) -> Organization | None:
    """The stored organization (its `id` is ignored); None when the slug is taken."""
    values = rows.values_of(organization) | {"created_at": now}
    row_id = _insert_new(tx, organizations, values)
    return None if row_id is None else msgspec.structs.replace(organization, id=row_id)


def list_organizations(
    tx: Transaction, *, ids: Collection[int] | None = None, after: str = "", limit: int = 1000
) -> list[Organization]:
    """Organizations by slug, those that come after the given one; with `ids` only those of these row ids."""
    table = organizations.c
    chosen = select(*rows.columns_of(organizations, Organization)).where(table.deleted_at.is_(None))
    mine = chosen if ids is None else chosen.where(table.id.in_(sorted(ids)))
    page = mine.where(table.slug > after).order_by(table.slug).limit(limit)
    return rows.fetch_all(tx, Organization, page, {})


def rename_organization(tx: Transaction, organization: Organization, *, slug: str, name: str) -> None:
    """The organization is called so, and the slugs of its projects begin so.

    Raises ConflictError when the slug is taken.
    """
    mine = organizations.c.id == organization.id
    tx.execute(update(organizations).where(mine).values(slug=slug, name=name))
    if slug != organization.slug:
        rest = func.substr(projects.c.slug, len(organization.slug) + 1)
        owned = (projects.c.organization_id == organization.id, projects.c.deleted_at.is_(None))
        tx.execute(update(projects).where(*owned).values(slug=slug + rest))


def ensure_project(tx: Transaction, project: Project) -> Project:
    """The project of that slug, inserted as given (its `id` is ignored) when there is none."""
    found = find_project(tx, project.slug)
    if found is not None:
        return found
    _insert_new(tx, projects, rows.values_of(project))
    return rows.fetch_present(tx, Project, _select_project("slug"), {"slug": project.slug})


def add_project(tx: Transaction, project: Project) -> Project | None:
    """The stored project (its `id` is ignored); None when the slug is taken."""
    row_id = _insert_new(tx, projects, rows.values_of(project))
    return None if row_id is None else msgspec.structs.replace(project, id=row_id)


def find_project(tx: Transaction, slug: str) -> Project | None:
    """The project of that slug."""
    return rows.fetch_one(tx, Project, _select_project("slug"), {"slug": slug})


def get_project(tx: Transaction, project_id: int) -> Project | None:
    """The project of that row id."""
    return rows.fetch_one(tx, Project, _select_project("id"), {"id": project_id})


def lock_project(tx: Transaction, project_id: int) -> Project | None:
    """The project, and no other transaction locks or changes it until this one ends."""
    return rows.fetch_one(tx, Project, _select_project("id").with_for_update(), {"id": project_id})


def project_by_uuid(tx: Transaction, uuid: str) -> Project | None:
    """The project of that UUID, unless it is on its way out."""
    known = _select_project("uuid").where(projects.c.deleted_at.is_(None))
    return rows.fetch_one(tx, Project, known, {"uuid": uuid})


def list_projects(
    tx: Transaction,
    *,
    organization_id: int | None = None,
    organizations: Collection[int] | None = None,
    after: str = "",
    limit: int = 100,
) -> list[Project]:
    """Projects by slug, those that come after the given one, of one organization, of some or of all."""
    mine = select(*rows.columns_of(projects, Project)).where(projects.c.deleted_at.is_(None))
    if organization_id is not None:
        mine = mine.where(projects.c.organization_id == organization_id)
    if organizations is not None:
        mine = mine.where(projects.c.organization_id.in_(sorted(organizations)))
    page = mine.where(projects.c.slug > after).order_by(projects.c.slug).limit(limit)
    return rows.fetch_all(tx, Project, page, {})


def name_projects(tx: Transaction, organization_id: int, uuids: Collection[str]) -> dict[str, str]:
    """The names of these projects of the organization by UUID; those that are gone are left out."""
    if not uuids:
        return {}
    chosen = select(projects.c.uuid, projects.c.name).where(
        projects.c.organization_id == organization_id,
        projects.c.uuid.in_(sorted(uuids)),
        projects.c.deleted_at.is_(None),
    )
    return {str(uuid): str(name) for uuid, name in tx.execute(chosen)}


def update_project(tx: Transaction, change: ProjectChange) -> None:
    """Write the set fields."""
    rows.apply_changes(tx, projects, [change])


def load_settings(tx: Transaction, project_id: int) -> dict[str, Any]:
    """The project's settings, {} when none were saved."""
    statement = select(projects.c.settings).where(projects.c.id == project_id)
    return dict(tx.execute(statement).scalar_one())


def save_settings(tx: Transaction, project_id: int, settings: Mapping[str, Any]) -> None:
    """Replace the project's settings."""
    tx.execute(update(projects).where(projects.c.id == project_id).values(settings=dict(settings)))


def load_organization_settings(tx: Transaction, organization_id: int) -> dict[str, Any]:
    """The organization's settings, {} when none were saved."""
    statement = select(organizations.c.settings).where(organizations.c.id == organization_id)
    return dict(tx.execute(statement).scalar_one())


def save_organization_settings(tx: Transaction, organization_id: int, settings: Mapping[str, Any]) -> None:
    """Replace the organization's settings."""
    chosen = update(organizations).where(organizations.c.id == organization_id)
    tx.execute(chosen.values(settings=dict(settings)))


def _insert_new(tx: Transaction, table: Table, values: Mapping[str, Any]) -> int | None:
    """The id of the new row, None when the slug is taken; a rival that is about to take it is waited for."""
    statement = insert_into(tx.dialect.name, table).on_conflict_do_nothing(index_elements=["slug"])
    found: int | None = tx.execute(statement.returning(table.c.id), values).scalar_one_or_none()
    return found


@cache
def _select_organization(by: str) -> Select[Any]:
    columns = rows.columns_of(organizations, Organization)
    return select(*columns).where(organizations.c[by] == bindparam(by))


@cache
def _select_project(by: str) -> Select[Any]:
    return select(*rows.columns_of(projects, Project)).where(projects.c[by] == bindparam(by))
