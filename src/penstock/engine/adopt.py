"""Projects as people bring them: by the address of their repository."""

import re
from collections.abc import Mapping

import msgspec

from penstock.engine.access import Action, may, require, sees
from penstock.engine.launch import Workshop
from penstock.engine.lookup import find_project
from penstock.engine.organizations import create_organization
from penstock.engine.principal import Principal
from penstock.engine.projects import NewProject, check_source, create_project
from penstock.engine.transact import transact
from penstock.engine.unit import Parts
from penstock.forge.address import ANYWHERE, Policy
from penstock.forge.remote import LOCAL, Remote, parse_remote, without_credentials
from penstock.model.errors import ConflictError, InvalidError, NotFoundError
from penstock.model.project import Organization, Project
from penstock.model.slug import STANDALONE, BySlug, check_name, host_of, parse_organization, parse_project
from penstock.store import projects
from penstock.store.database import Transaction

_PATH = re.compile(r"[A-Za-z0-9._/-]+")

HOSTS: Mapping[str, str] = {
    "gh": "https://github.com",
    "bb": "https://bitbucket.org",
    "gl": "https://gitlab.com",
}
"""Below which address the repositories of a host are, by the host's name in slugs."""


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """A repository that is to be a project; name and organization follow from its address unless given."""

    url: str
    name: str = ""
    organization: str = ""
    default_branch: str = "main"


def adopt_project(parts: Parts, by: Principal, wish: Adoption, policy: Policy = ANYWHERE) -> Project:
    """The new project. Its organization is made when there is none and the one who asks may make it.

    Raises as `create_project` does, ForbiddenError for an address the policy forbids, NotFoundError for an
    organization that one may not make or know of.
    """
    check_source(wish.url, wish.default_branch, policy)
    remote = parse_remote(wish.url)
    new = NewProject(name=wish.name or remote.name, url=wish.url, default_branch=wish.default_branch)
    owner = _find_owner(parts, by, wish.organization or remote.organization, new.name)
    return create_project(parts, by, owner, new)


def adopt_by_slug(
    parts: Parts, by: Principal, slug: str, hosts: Mapping[str, str], policy: Policy = ANYWHERE
) -> Project | None:
    """The new project of that slug, cloned from where its host has it; None when no address is known there.

    Raises as `adopt_project` does.
    """
    named = parse_project(slug)
    url = find_address(named.slug, hosts) if isinstance(named, BySlug) else ""
    if not url or not isinstance(named, BySlug):
        return None
    organization, _, name = named.slug.rpartition("/")
    return adopt_project(parts, by, Adoption(url=url, name=name, organization=organization), policy)


def add_project(
    parts: Parts, by: Principal, owner: Organization, new: NewProject, workshop: Workshop
) -> Project:
    """The new project of the organization; without an address it is cloned from where its host has it.

    Only an organization of no host may have projects without any source. Raises as `create_project` does,
    ForbiddenError for an address the policy forbids.
    """
    require(by, Action.CREATE_PROJECT, owner)
    url = new.url or find_address(f"{owner.slug}/{new.name}", workshop.hosts)
    if url:
        check_source(url, new.default_branch, workshop.policy)
    return create_project(parts, by, owner, msgspec.structs.replace(new, url=url))


def find_address(slug: str, hosts: Mapping[str, str]) -> str:
    """Where the project of that slug is cloned from, "" when nothing is known of its host.

    Raises InvalidError for names that repositories cannot have there.
    """
    host, _, path = slug.partition("/")
    base = hosts.get(host, "")
    if base and not _PATH.fullmatch(path):
        raise InvalidError("a repository's name has letters, digits and any of . _ - only")
    return f"{base}/{path}.git" if base else ""


def find_by_source(tx: Transaction, by: Principal, url: str) -> Project | None:
    """The project that is called as its repository's address says, and is cloned from there.

    None when there is none that the one who asks sees. How the address is written does not count.
    """
    remote = parse_remote(url)
    try:
        found = find_project(tx, f"{remote.organization}/{remote.name}")
    except (InvalidError, NotFoundError):
        return None
    same = _is_same(remote, url, found.url)
    return found if same and sees(by, found) else None


def _is_same(remote: Remote, url: str, other: str) -> bool:
    if remote.host:
        return parse_remote(other) == remote
    return _name_path(url) == _name_path(other)


def _name_path(url: str) -> str:
    return without_credentials(url).removeprefix("file://").rstrip("/").removesuffix(".git")


def _find_owner(parts: Parts, by: Principal, slug: str, name: str) -> Organization:
    """The organization of that slug, made when it is missing and may have a project of that name."""
    named = parse_organization(slug)
    with parts.db.read() as tx:
        if not isinstance(named, BySlug):
            found = projects.organization_by_uuid(tx, named.uuid)
        else:
            found = projects.find_organization(tx, named.slug)
    if found is not None and sees(by, found):
        return found
    if found is not None or not isinstance(named, BySlug) or not may(by, Action.CREATE_ORGANIZATION):
        raise NotFoundError("there is no such organization here that you may put projects into")
    if host_of(named.slug) != STANDALONE:
        check_name(name)
    if named.slug == LOCAL:
        require(by, Action.CREATE_ORGANIZATION)
        return transact(
            parts, lambda unit: projects.ensure_organization(unit.tx, LOCAL, name=LOCAL, now=unit.now)
        )
    host, _, own = named.slug.partition("/")
    try:
        return create_organization(parts, by, host=host, name=own)
    except ConflictError:  # somebody else was first
        return _find_owner(parts, by, slug, name)
