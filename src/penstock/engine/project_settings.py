"""What is set for a project: its settings, the credentials to clone it, the secrets of its hooks."""

from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

from penstock.engine.access import Action, require
from penstock.engine.audit import note
from penstock.engine.principal import Principal
from penstock.engine.projects import change_project
from penstock.engine.unit import Parts, Unit
from penstock.engine.variables import CLONE
from penstock.forge.ssh_key import read_ssh_key
from penstock.kit.ids import new_id
from penstock.model.credentials import CloneCredentials
from penstock.model.errors import InvalidError, LimitExceededError, NotFoundError, RefusedError
from penstock.model.project import Organization, Project
from penstock.model.settings import ProjectSettings, change_settings, read_settings
from penstock.store import projects, secrets
from penstock.store.database import Transaction
from penstock.store.projects import ProjectChange
from penstock.store.sealing import Sealer, make_token
from penstock.store.secrets import Secret, of_project

HOOK = "hook/"
MOST_HOOK_SECRETS = 10
NO_SSH = "Jobs cannot be entered by SSH on this server: rerun them without enable_ssh."
SSH_FORBIDDEN = "This project's settings do not allow to rerun jobs with SSH: disable_ssh is set."
NOT_OPEN = "oss is for repositories that everybody may clone over https: this one is not known to be so"
_LEAST_SECRET, _MOST_SECRET = 8, 500
_MOST_CREDENTIALS = 64 << 10


class HookSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret with which a git host signs what it tells; shown in the open once."""

    uuid: str
    created_at: int
    secret: str = ""

    def __repr__(self) -> str:
        """Without the secret."""
        return f"HookSecret({self.uuid!r})"


def load_project_settings(tx: Transaction, project_id: int) -> ProjectSettings:
    """The project's settings."""
    return read_settings(ProjectSettings, projects.load_settings(tx, project_id))


def change_project_settings(
    parts: Parts,
    by: Principal,
    project: Project,
    changes: dict[str, Any],
    is_open: Callable[[Project], bool] = lambda _project: False,
) -> ProjectSettings:
    """The settings, changed by name; with `oss` the project is public.

    Raises ForbiddenError, which also depends on `write_settings_requires_admin` and, for `oss`, on being an
    administrator; InvalidError for a wrong name or value; RefusedError for `oss` when by `is_open` not
    everybody may clone the repository.
    """
    asked = changes.get("oss") is True and _ask_open(parts, by, project, is_open)

    def work(unit: Unit, found: Project, owner: Organization) -> ProjectSettings:
        present = load_project_settings(unit.tx, found.id)
        if present.write_settings_requires_admin:
            require(by, Action.ADMINISTER_PROJECT, found)
        changed = change_settings(present, changes)
        if changed.oss != present.oss:
            require(by, Action.ADMINISTER_PROJECT, found)
        if changed.oss and not present.oss and not (asked and found.url == project.url):
            raise RefusedError(NOT_OPEN)
        projects.save_settings(unit.tx, found.id, msgspec.to_builtins(changed))
        projects.update_project(unit.tx, ProjectChange(id=found.id, public=changed.oss))
        note(unit, by, "project.settings", found.uuid, organization=owner, changes=changes)
        return changed

    return change_project(parts, by, Action.CHANGE_PROJECT, project, work)


def _ask_open(parts: Parts, by: Principal, project: Project, is_open: Callable[[Project], bool]) -> bool:
    """True when the repository was found to be open; nobody is asked when that is known or none of theirs."""
    require(by, Action.CHANGE_PROJECT, project)
    with parts.db.read() as tx:
        present = load_project_settings(tx, project.id)
    if present.oss:
        return False
    require(by, Action.ADMINISTER_PROJECT, project)
    return is_open(project)


def refuse_ssh(tx: Transaction, project: Project) -> NoReturn:
    """Raises RefusedError: nobody enters jobs by SSH, the settings forbid it or this server has no way."""
    forbidden = load_project_settings(tx, project.id).disable_ssh
    raise RefusedError(SSH_FORBIDDEN if forbidden else NO_SSH)


def set_credentials(
    parts: Parts, sealer: Sealer, by: Principal, project: Project, credentials: CloneCredentials | None
) -> CloneCredentials | None:
    """The project is cloned with these, or with none; the answer is how they were taken.

    Raises ForbiddenError, LimitExceededError, and InvalidError for a key or token that can be none.
    """
    if len(msgspec.json.encode(credentials)) > _MOST_CREDENTIALS:
        raise LimitExceededError(f"credentials may have {_MOST_CREDENTIALS >> 10} KiB")
    taken = None if credentials is None else _check_credentials(credentials)
    plain = msgspec.json.encode(taken)

    def work(unit: Unit, found: Project, owner: Organization) -> None:
        place = of_project(found.id)
        if taken is None:
            secrets.delete_secret(unit.tx, place, CLONE)
        else:
            secrets.set_secret(unit.tx, sealer, place, Secret(CLONE, plain), now=unit.now)
        note(unit, by, "project.credentials", found.uuid, organization=owner, present=taken is not None)

    change_project(parts, by, Action.ADMINISTER_PROJECT, project, work)
    return taken


def _check_credentials(given: CloneCredentials) -> CloneCredentials:
    """The credentials as git takes them. Raises InvalidError."""
    user, token = given.user.strip(), given.token.strip()
    if not (token or given.private_key or given.known_hosts.strip()):
        raise InvalidError("credentials need a token or a private key, or known hosts for the checkout keys")
    if not (user + token).isprintable() or ":" in user:
        raise InvalidError("a user and a token have no blanks or line breaks, and a user no colon")
    key = read_ssh_key(given.private_key.encode(errors="replace")).private if given.private_key else ""
    hosts = "".join(f"{line.rstrip()}\n" for line in given.known_hosts.splitlines() if line.strip())
    return CloneCredentials(user=user, token=token, private_key=key, known_hosts=hosts)


def add_hook_secret(
    parts: Parts, sealer: Sealer, by: Principal, project: Project, secret: str = ""
) -> HookSecret:
    """Another secret that the project's hooks may be signed with, made here unless given.

    Raises ForbiddenError, InvalidError for one that is too short, LimitExceededError past
    `MOST_HOOK_SECRETS`.
    """
    if secret and not _LEAST_SECRET <= len(secret) <= _MOST_SECRET:
        raise InvalidError(f"the secret of a hook has {_LEAST_SECRET} to {_MOST_SECRET} characters")

    def work(unit: Unit, found: Project, owner: Organization) -> HookSecret:
        if len(list_hook_secrets(unit.tx, found.id)) >= MOST_HOOK_SECRETS:
            raise LimitExceededError(f"a project may have {MOST_HOOK_SECRETS} secrets for hooks at a time")
        chosen, name = secret or make_token(), f"{HOOK}{new_id()}"
        plain = Secret(name, chosen.encode("utf-8", "surrogatepass"))
        info = secrets.set_secret(unit.tx, sealer, of_project(found.id), plain, now=unit.now)
        note(unit, by, "hook-secret.create", info.uuid, organization=owner, project=found.uuid)
        return HookSecret(uuid=info.uuid, created_at=info.created_at, secret=chosen)

    return change_project(parts, by, Action.ADMINISTER_PROJECT, project, work)


def remove_hook_secret(parts: Parts, by: Principal, project: Project, uuid: str) -> None:
    """Nothing signed with the secret is heard any more. Raises ForbiddenError, NotFoundError."""

    def work(unit: Unit, found: Project, owner: Organization) -> None:
        info = secrets.secret_by_uuid(unit.tx, uuid)
        if info is None or info.owner != of_project(found.id) or not info.name.startswith(HOOK):
            raise NotFoundError("Secret not found.")
        secrets.delete_secret(unit.tx, info.owner, info.name)
        note(unit, by, "hook-secret.delete", uuid, organization=owner, project=found.uuid)

    change_project(parts, by, Action.ADMINISTER_PROJECT, project, work)


def list_hook_secrets(tx: Transaction, project_id: int) -> list[HookSecret]:
    """The secrets the project's hooks may be signed with, oldest first, without what is secret."""
    return [
        HookSecret(uuid=info.uuid, created_at=info.created_at)
        for info in secrets.list_secrets(tx, of_project(project_id))
        if info.name.startswith(HOOK)
    ]


def open_hook_secrets(tx: Transaction, sealer: Sealer, project_id: int) -> list[bytes]:
    """The secrets the project's hooks may be signed with, in the open."""
    return list(secrets.open_secrets(tx, sealer, of_project(project_id), HOOK).values())
