"""Organizations and projects, known to the world by their slugs."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Select, Table, bindparam, select, update

from penstock.kit.ids import new_id
from penstock.model.project import Organization, Project
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import organizations, projects
from penstock.store.upserts import insert_into


class ProjectChange(msgspec.Struct, kw_only=True):
    """What may change about a project; unset fields stay as they are."""

    id: int
    name: str | msgspec.UnsetType = msgspec.UNSET
    url: str | msgspec.UnsetType = msgspec.UNSET
    default_branch: str | msgspec.UnsetType = msgspec.UNSET


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


def organization_by_uuid(tx: Transaction, uuid: str) -> Organization | None:
    """The organization of that UUID."""
    return rows.fetch_one(tx, Organization, _select_organization("uuid"), {"uuid": uuid})


def list_organizations(tx: Transaction) -> list[Organization]:
    """All organizations by slug."""
    columns = rows.columns_of(organizations, Organization)
    return rows.fetch_all(tx, Organization, select(*columns).order_by(organizations.c.slug), {})


def ensure_project(tx: Transaction, project: Project) -> Project:
    """The project of that slug, inserted as given (its `id` is ignored) when there is none."""
    found = find_project(tx, project.slug)
    if found is not None:
        return found
    _insert_new(tx, projects, rows.values_of(project))
    return rows.fetch_present(tx, Project, _select_project("slug"), {"slug": project.slug})


def find_project(tx: Transaction, slug: str) -> Project | None:
    """The project of that slug."""
    return rows.fetch_one(tx, Project, _select_project("slug"), {"slug": slug})


def get_project(tx: Transaction, project_id: int) -> Project | None:
    """The project of that row id."""
    return rows.fetch_one(tx, Project, _select_project("id"), {"id": project_id})


def project_by_uuid(tx: Transaction, uuid: str) -> Project | None:
    """The project of that UUID."""
    return rows.fetch_one(tx, Project, _select_project("uuid"), {"uuid": uuid})


def list_projects(tx: Transaction, *, after: str = "", limit: int = 100) -> list[Project]:
    """Projects by slug, those that come after the given one."""
    statement = (
        select(*rows.columns_of(projects, Project))
        .where(projects.c.slug > after)
        .order_by(projects.c.slug)
        .limit(limit)
    )
    return rows.fetch_all(tx, Project, statement, {})


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


def _insert_new(tx: Transaction, table: Table, values: Mapping[str, Any]) -> None:
    """Insert unless the slug is taken; a rival that is about to take it is waited for."""
    tx.execute(insert_into(tx.dialect.name, table).on_conflict_do_nothing(index_elements=["slug"]), values)


@cache
def _select_organization(by: str) -> Select[Any]:
    columns = rows.columns_of(organizations, Organization)
    return select(*columns).where(organizations.c[by] == bindparam(by))


@cache
def _select_project(by: str) -> Select[Any]:
    return select(*rows.columns_of(projects, Project)).where(projects.c[by] == bindparam(by))
