"""Projects: made, renamed, followed and left."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from penstock.engine.access import Action, require, role_in, seen_organizations, sees
from penstock.engine.audit import note
from penstock.engine.lookup import owner_of
from penstock.engine.principal import Principal
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.forge.address import ANYWHERE, Policy, read_address
from penstock.forge.remote import without_credentials
from penstock.kit.ids import new_id
from penstock.kit.short_ids import shorten_id
from penstock.model.errors import ConflictError, InvalidError, NotFoundError
from penstock.model.project import Organization, Project
from penstock.model.slug import STANDALONE, check_name, host_of
from penstock.store import follows, projects, removal
from penstock.store.database import Transaction
from penstock.store.projects import ProjectChange

T = TypeVar("T")

MOST_LETTERS = 2000


class NewProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project to be made. `url` is where its source is cloned from, without user or password.

    In an organization of no git host it may be "": such a project gets its source later.
    """

    name: str
    url: str
    default_branch: str = "main"


def create_project(parts: Parts, by: Principal, owner: Organization, new: NewProject) -> Project:
    """A new project, followed by the one who asks.

    Raises ForbiddenError, InvalidError for a name or address that cannot be, ConflictError when there is
    one of that name.
    """
    require(by, Action.CREATE_PROJECT, owner)
    if new.url or host_of(owner.slug) != STANDALONE:
        check_source(new.url, new.default_branch)
    uuid = new_id()

    def work(unit: Unit) -> Project:
        found = projects.lock_organization(unit.tx, owner.id)
        if found is None or removal.is_marked(found):
            raise NotFoundError("Organization not found.")
        record = Project(
            id=0,
            uuid=uuid,
            organization_id=found.id,
            slug=_make_slug(found, new.name, uuid),
            name=new.name,
            url=new.url,
            default_branch=new.default_branch,
            created_at=unit.now,
        )
        made = projects.add_project(unit.tx, record)
        if made is None:
            raise ConflictError(f"there is a project {record.slug} already")
        if by.user.id:
            follows.follow_project(unit.tx, by.user.id, made.id, now=unit.now)
        note(unit, by, "project.create", made.uuid, organization=found, slug=made.slug)
        return made

    return transact(parts, work)


def list_projects(
    tx: Transaction, by: Principal, owner: Organization, *, after: str = "", limit: int = 100
) -> list[Project]:
    """The organization's projects that the principal sees, by slug, those that come after the given one."""
    require(by, Action.SEE_ORGANIZATION, owner)
    if by.project_id is not None:
        only = projects.get_project(tx, by.project_id)
        mine = only is not None and only.organization_id == owner.id and only.slug > after
        return [only] if only is not None and mine and not removal.is_marked(only) else []
    return projects.list_projects(tx, organization_id=owner.id, after=after, limit=limit)


def list_seen_projects(tx: Transaction, by: Principal, *, after: str = "", limit: int = 100) -> list[Project]:
    """The projects of all organizations that the principal sees, by slug, those after the given one."""
    require(by, Action.SEE_SELF)
    if by.project_id is not None:
        only = projects.get_project(tx, by.project_id)
        mine = only is not None and only.slug > after and sees(by, only)
        return [only] if only is not None and mine and not removal.is_marked(only) else []
    return projects.list_projects(tx, organizations=seen_organizations(by), after=after, limit=limit)


def rename_project(parts: Parts, by: Principal, project: Project, name: str) -> Project:
    """The project is called so; on a git host its slug changes with it. Raises as `create_project` does."""

    def work(unit: Unit, found: Project, owner: Organization) -> Project:
        slug = found.slug if host_of(found.slug) == STANDALONE else _make_slug(owner, name, found.uuid)
        rival = projects.find_project(unit.tx, slug)
        if rival is not None and rival.id != found.id:
            raise ConflictError(f"there is a project {slug} already")
        projects.update_project(unit.tx, ProjectChange(id=found.id, slug=slug, name=name))
        note(unit, by, "project.rename", found.uuid, organization=owner, old=found.slug, new=slug)
        return msgspec.structs.replace(found, slug=slug, name=name)

    return change_project(parts, by, Action.ADMINISTER_PROJECT, project, work)


def move_source(
    parts: Parts,
    by: Principal,
    project: Project,
    *,
    url: str = "",
    default_branch: str = "",
    policy: Policy = ANYWHERE,
) -> Project:
    """The project's source is cloned from there; "" leaves what is. From elsewhere it is not `oss`.

    Raises ForbiddenError, also for an address that the policy forbids, and InvalidError.
    """
    check_source(url or project.url, default_branch or project.default_branch, policy if url else ANYWHERE)

    def work(unit: Unit, found: Project, owner: Organization) -> Project:
        changed = msgspec.structs.replace(
            found, url=url or found.url, default_branch=default_branch or found.default_branch
        )
        if changed.url != found.url:
            changed = _close_project(unit, changed)
        change = ProjectChange(
            id=found.id,
            url=changed.url,
            default_branch=changed.default_branch,
            public=changed.public,
        )
        projects.update_project(unit.tx, change)
        details = {"url": changed.url, "default_branch": changed.default_branch}
        note(unit, by, "project.source", found.uuid, organization=owner, **details)
        return changed

    return change_project(parts, by, Action.ADMINISTER_PROJECT, project, work)


def delete_project(parts: Parts, by: Principal, project: Project) -> None:
    """Nobody finds the project any more; `engine.removal.sweep` takes it apart. Raises ForbiddenError."""

    def work(unit: Unit, found: Project, owner: Organization) -> None:
        removal.mark_project(unit.tx, found.id, now=unit.now)
        note(unit, by, "project.delete", found.uuid, organization=owner, slug=found.slug)

    change_project(parts, by, Action.DELETE_PROJECT, project, work)


def follow_project(parts: Parts, by: Principal, project: Project) -> bool:
    """The one who asks follows the project; True when they did not before. Raises ForbiddenError."""
    require(by, Action.FOLLOW_PROJECT, project)
    return transact(parts, lambda unit: follows.follow_project(unit.tx, by.user.id, project.id, now=unit.now))


def unfollow_project(parts: Parts, by: Principal, project: Project) -> bool:
    """The one who asks does not follow the project; True when they did before. Raises ForbiddenError."""
    require(by, Action.FOLLOW_PROJECT, project)
    return transact(parts, lambda unit: follows.unfollow_project(unit.tx, by.user.id, project.id))


def followed_projects(tx: Transaction, by: Principal, *, after: int = 0, limit: int = 100) -> list[Project]:
    """The projects the one who asks follows and still sees, oldest first, with an id above `after`.

    A page may hold fewer than `limit`, also when others follow; an empty one is the last.
    """
    require(by, Action.SEE_SELF)
    chosen: list[Project] = []
    while len(chosen) < limit:
        page = follows.followed_projects(tx, by.user.id, after=after, limit=limit)
        chosen += [project for project in page if role_in(by, project) is not None]
        if len(page) < limit:
            break
        after = page[-1].id
    return chosen[:limit]


def change_project(
    parts: Parts,
    by: Principal,
    action: Action,
    project: Project,
    work: Callable[[Unit, Project, Organization], T],
) -> T:
    """What `work` returned, which changed the project alone: others that do wait for this one.

    Raises as `access.require` does, NotFoundError when the project is gone by now.
    """
    require(by, action, project)

    def locked(unit: Unit) -> T:
        found = projects.lock_project(unit.tx, project.id)
        if found is None or removal.is_marked(found):
            raise NotFoundError("Project not found.")
        unit.catch_up()
        return work(unit, found, owner_of(unit.tx, found))

    return transact(parts, locked)


def check_source(url: str, default_branch: str, policy: Policy = ANYWHERE) -> None:
    """Return when git may be given these; raises InvalidError when not, ForbiddenError when not here."""
    if not 0 < len(url) <= MOST_LETTERS or url.startswith("-") or not url.isprintable():
        raise InvalidError("a project needs the address of its git repository: give url")
    read_address(url, policy)
    if without_credentials(url) != url and not url.startswith("ssh://"):
        raise InvalidError("leave user and password out of the address: set them as clone credentials")
    unsafe = default_branch.startswith("-") or not default_branch.isprintable() or " " in default_branch
    if not 0 < len(default_branch) <= 255 or unsafe:  # noqa: PLR2004 - the longest name git can store
        raise InvalidError("that is no name of a branch")


def _close_project(unit: Unit, project: Project) -> Project:
    """The project without the setting that made it public."""
    settings = projects.load_settings(unit.tx, project.id)
    if settings.pop("oss", None):
        projects.save_settings(unit.tx, project.id, settings)
    return msgspec.structs.replace(project, public=False)


def _make_slug(owner: Organization, name: str, uuid: str) -> str:
    """The slug of a project. Raises InvalidError for a name that fits into none."""
    if host_of(owner.slug) == STANDALONE:
        if not 0 < len(name) <= 200:  # noqa: PLR2004 - said in the message
            raise InvalidError("a name may have up to 200 characters")
        return f"{owner.slug}/{shorten_id(uuid)}"
    return f"{owner.slug}/{check_name(name)}"
