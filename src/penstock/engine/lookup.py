"""Organizations and projects as people name them: by slug in any spelling, or by id."""

from penstock.engine.access import Action, require, unknown
from penstock.engine.principal import Principal
from penstock.model.project import Organization, Project
from penstock.model.slug import ById, ByIds, BySlug, parse_organization, parse_project
from penstock.store import projects
from penstock.store.database import Transaction
from penstock.store.removal import is_marked


def find_project(tx: Transaction, text: str) -> Project:
    """The project of that slug or UUID, whoever asks; see `model.slug` for the spellings.

    Raises InvalidError for a text that is neither, NotFoundError when there is no such project.
    """
    found = _look_up(tx, parse_project(text))
    if found is None:
        raise unknown(Project)
    return found


def find_organization(tx: Transaction, text: str) -> Organization:
    """The organization of that slug or UUID, whoever asks.

    Raises InvalidError for a text that is neither, NotFoundError when there is no such organization.
    """
    named = parse_organization(text)
    if isinstance(named, BySlug):
        found = projects.find_organization(tx, named.slug)
    else:
        found = projects.organization_by_uuid(tx, named.uuid)
    if found is None:
        raise unknown(Organization)
    return found


def open_project(tx: Transaction, by: Principal, action: Action, text: str) -> Project:
    """The project, in which the principal may do this.

    Raises as `find_project` and `access.require` do; one that the principal may not know of is unknown.
    """
    found = find_project(tx, text)
    require(by, action, found)
    return found


def open_project_of(tx: Transaction, by: Principal, action: Action, project_id: int) -> Project:
    """The same by row id, for what is below a project: pipelines, workflows, jobs."""
    found = projects.get_project(tx, project_id)
    if found is None or is_marked(found):
        raise unknown(Project)
    require(by, action, found)
    return found


def open_organization(tx: Transaction, by: Principal, action: Action, text: str) -> Organization:
    """The organization, in which the principal may do this.

    Raises as `find_organization` and `access.require` do.
    """
    found = find_organization(tx, text)
    require(by, action, found)
    return found


def owner_of(tx: Transaction, project: Project) -> Organization:
    """The project's organization."""
    found = projects.get_organization(tx, project.organization_id)
    if found is None:
        raise unknown(Organization)
    return found


def _look_up(tx: Transaction, named: ById | BySlug | ByIds) -> Project | None:
    match named:
        case BySlug(slug=slug):
            return projects.find_project(tx, slug)
        case ById(uuid=uuid):
            return projects.project_by_uuid(tx, uuid)
        case ByIds(organization=owner_uuid, project=uuid):
            found = projects.project_by_uuid(tx, uuid)
            owner = projects.organization_by_uuid(tx, owner_uuid)
            both = found is not None and owner is not None and found.organization_id == owner.id
            return found if both else None
