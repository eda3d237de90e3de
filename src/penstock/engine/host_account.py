"""A project's account at its git host: set, shown without its token, completed from the project's address."""

import msgspec

from penstock.engine.access import Action
from penstock.engine.audit import note
from penstock.engine.principal import Principal
from penstock.engine.projects import change_project
from penstock.engine.statuses import LABEL
from penstock.engine.unit import Parts, Unit
from penstock.forge.host import Host
from penstock.forge.registry.web import is_http
from penstock.forge.remote import parse_remote
from penstock.forge.status.request import Place, find_api, quote_repository
from penstock.kit.shapes import read_json
from penstock.model.credentials import HostAccount
from penstock.model.errors import InvalidError
from penstock.model.project import Organization, Project
from penstock.model.settings import ProjectSettings
from penstock.store import secrets
from penstock.store.database import Transaction
from penstock.store.sealing import Sealer
from penstock.store.secrets import Secret, of_project

STATUS = "status"
"""The name of the secret that holds the account."""

MOST_TOKEN, MOST_TEXT = 4096, 500

_KNOWN = {
    "github.com": Host.GITHUB,
    "gitlab.com": Host.GITLAB,
    "bitbucket.org": Host.BITBUCKET,
    "codeberg.org": Host.GITEA,
    "gitea.com": Host.GITEA,
}


def set_host_account(
    parts: Parts, sealer: Sealer, by: Principal, project: Project, account: HostAccount | None
) -> HostAccount | None:
    """Statuses of the project's commits go there, or nowhere; the answer is complete but has no token.

    Raises ForbiddenError, InvalidError for an account that does not say enough or cannot be.
    """
    place = None if account is None else find_place(project, account)

    def work(unit: Unit, found: Project, owner: Organization) -> None:
        if account is None:
            secrets.delete_secret(unit.tx, of_project(found.id), STATUS)
        else:
            plain = Secret(STATUS, msgspec.json.encode(account))
            secrets.set_secret(unit.tx, sealer, of_project(found.id), plain, now=unit.now)
        api = place.api if place else ""
        note(unit, by, "project.host-account", found.uuid, organization=owner, api=api)

    change_project(parts, by, Action.ADMINISTER_PROJECT, project, work)
    return None if place is None else _show(place)


def show_host_account(tx: Transaction, sealer: Sealer, project: Project) -> HostAccount | None:
    """Where statuses go, without the token; None for nowhere."""
    account = open_host_account(tx, sealer, project.id)
    if account is None:
        return None
    try:
        return _show(find_place(project, account))
    except InvalidError:  # the project's address is another one by now
        return msgspec.structs.replace(account, token="")


def open_host_account(tx: Transaction, sealer: Sealer, project_id: int) -> HostAccount | None:
    """The account as it was set, token and all."""
    plain = secrets.open_secret(tx, sealer, of_project(project_id), STATUS)
    return None if plain is None else read_json(plain, HostAccount)


def has_host_account(tx: Transaction, project_id: int) -> bool:
    """True when statuses of the project's commits go somewhere."""
    return any(info.name == STATUS for info in secrets.list_secrets(tx, of_project(project_id)))


def label_statuses(tx: Transaction, project: Project, settings: ProjectSettings) -> dict[str, str]:
    """The labels of a pipeline by which the project's host is told of its jobs, when it wants to be."""
    return {LABEL: "yes"} if settings.set_github_status and has_host_account(tx, project.id) else {}


def find_place(project: Project, account: HostAccount) -> Place:
    """The repository at its host. Raises InvalidError for what the account leaves open or cannot be."""
    remote = parse_remote(project.url)
    host = _find_host(account.host, remote.host)
    owner = remote.owner.removeprefix("scm/") if host is Host.BITBUCKET_SERVER else remote.owner
    repository = account.repository or (f"{owner}/{remote.name}" if owner else "")
    if not account.api and not remote.host:
        raise InvalidError("the project's address names no host: say where its API is")
    api = account.api.rstrip("/") or find_api(host, f"https://{remote.host}")
    texts = (account.token, api, repository)
    if not account.token or len(account.token) > MOST_TOKEN or not all(text.isprintable() for text in texts):
        raise InvalidError("an account at a git host needs a token")
    if not is_http(api) or "@" in api or len(api) > MOST_TEXT or len(repository) > MOST_TEXT:
        raise InvalidError("the address of a host's API begins with https:// and holds no password")
    quote_repository(repository)
    return Place(host=host, api=api, repository=repository, token=account.token)


def _find_host(given: str, address: str) -> Host:
    """The kind of host that was given, or that the address is known to be."""
    known = [host.value for host in Host]
    if given and given not in known:
        raise InvalidError(f"there is no kind of host {given[:40]!r}; there are {', '.join(known)}")
    if not given and address.lower() not in _KNOWN:
        raise InvalidError(f"say which kind of host this is: {', '.join(known)}")
    return Host(given) if given else _KNOWN[address.lower()]


def _show(place: Place) -> HostAccount:
    return HostAccount(token="", host=place.host, api=place.api, repository=place.repository)
