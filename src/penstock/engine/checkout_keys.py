"""The SSH keys that open a project's repository: made here, authorized at its host, the newest one used.

All that is shown of a key is in the name of the secret that holds its private half: `<kind> <user> <public>`.
"""

import base64
from enum import StrEnum

import msgspec

from penstock.engine.access import Action, require
from penstock.engine.audit import note
from penstock.engine.principal import Principal
from penstock.engine.projects import change_project
from penstock.engine.unit import Parts, Unit
from penstock.engine.variables import CHECKOUT, NOBODY, choose_key, has_credentials
from penstock.forge.address import ANYWHERE, Policy, read_address
from penstock.forge.known_hosts import spell_for_ssh
from penstock.forge.ssh_key import find_fingerprints, make_ssh_key
from penstock.model.errors import LimitExceededError, NotFoundError, RefusedError
from penstock.model.project import Organization, Project, SshKey
from penstock.store import secrets
from penstock.store.database import Transaction
from penstock.store.sealing import Sealer
from penstock.store.secrets import Secret, SecretInfo, of_project

MOST_KEYS = 20
NO_SSH_ADDRESS = (
    "a checkout key is for ssh, and this project is cloned in another way: give it an address like "
    "ssh://git@host/owner/name.git first"
)
UNKNOWN = "Checkout key not found."


class KeyKind(StrEnum):
    """Whose account at the host the key is added to."""

    DEPLOY = "deploy-key"  # the repository's
    USER = "user-key"  # that of the person who made it


class CheckoutKey(msgspec.Struct, frozen=True, kw_only=True):
    """All that is shown of a key. `user` is the UUID of its person, "" for a deploy key."""

    name: str
    kind: KeyKind
    user: str
    public: str
    md5: str
    sha256: str
    preferred: bool
    created_at: int


def create_checkout_key(
    parts: Parts,
    sealer: Sealer,
    by: Principal,
    project: Project,
    kind: KeyKind,
    policy: Policy = ANYWHERE,
) -> CheckoutKey:
    """A new key, with which the project is cloned from now on, unless it has credentials set by hand.

    Raises ForbiddenError, also where the policy has no ssh, RefusedError for a project that is not cloned
    over ssh or for a user's key that nobody asks for, LimitExceededError past `MOST_KEYS`.
    """
    require(by, Action.ADMINISTER_PROJECT, project)
    if kind is KeyKind.USER and not by.user.id:
        raise RefusedError("a user key belongs to a person")
    private, blob = make_ssh_key()
    user = by.user.uuid if kind is KeyKind.USER else NOBODY
    name = f"{CHECKOUT}{kind} {user} {base64.b64encode(blob).decode()}"

    def work(unit: Unit, found: Project, owner: Organization) -> CheckoutKey:
        url = spell_for_ssh(found.url)
        if url is None:
            raise RefusedError(NO_SSH_ADDRESS)
        read_address(url, policy)
        if len(_list_secrets(unit.tx, found)) >= MOST_KEYS:
            raise LimitExceededError(f"a project may have {MOST_KEYS} checkout keys at a time")
        sealed = Secret(name, private.encode())
        info = secrets.set_secret(unit.tx, sealer, of_project(found.id), sealed, now=unit.now)
        made = find_checkout_key(unit.tx, sealer, found, _read_name(info, found).sha256)
        _note(unit, by, "create", owner, found, made)
        return made

    return change_project(parts, by, Action.ADMINISTER_PROJECT, project, work)


def list_checkout_keys(tx: Transaction, sealer: Sealer, project: Project) -> list[CheckoutKey]:
    """The project's keys, oldest first; preferred is the one with which it is cloned."""
    aside = has_credentials(tx, sealer, project.id) or spell_for_ssh(project.url) is None
    found = _list_secrets(tx, project)
    preferred = "" if aside else choose_key(tx, project, [info.name for info in found])
    return [_read_name(info, project, preferred=info.name == preferred) for info in found]


def find_checkout_key(tx: Transaction, sealer: Sealer, project: Project, fingerprint: str) -> CheckoutKey:
    """The project's key of that fingerprint. Raises NotFoundError."""
    for key in list_checkout_keys(tx, sealer, project):
        if SshKey(private="", md5=key.md5, sha256=key.sha256).answers_to(fingerprint):
            return key
    raise NotFoundError(UNKNOWN)


def delete_checkout_key(
    parts: Parts, sealer: Sealer, by: Principal, project: Project, fingerprint: str
) -> None:
    """The project has no key of that fingerprint; the newest one that is left is preferred.

    Raises NotFoundError, ForbiddenError: everybody takes back what is their own, admins all.
    """

    def work(unit: Unit, found: Project, owner: Organization) -> None:
        key = find_checkout_key(unit.tx, sealer, found, fingerprint)
        if key.user != by.user.uuid:
            require(by, Action.ADMINISTER_PROJECT, found)
        secrets.delete_secret(unit.tx, of_project(found.id), key.name)
        _note(unit, by, "delete", owner, found, key)

    change_project(parts, by, Action.CHANGE_VARIABLES, project, work)


def _note(
    unit: Unit, by: Principal, act: str, owner: Organization, project: Project, key: CheckoutKey
) -> None:
    details = {"kind": key.kind.value, "fingerprint": key.sha256}
    note(unit, by, f"checkout-key.{act}", project.uuid, organization=owner, **details)


def _list_secrets(tx: Transaction, project: Project) -> list[SecretInfo]:
    every = secrets.list_secrets(tx, of_project(project.id))
    return [info for info in every if info.name.startswith(CHECKOUT)]


def _read_name(info: SecretInfo, project: Project, *, preferred: bool = False) -> CheckoutKey:
    kind, user, blob = info.name.removeprefix(CHECKOUT).split(" ")
    md5, sha256 = find_fingerprints(base64.b64decode(blob))
    return CheckoutKey(
        name=info.name,
        kind=KeyKind(kind),
        user=user if user != NOBODY else "",
        public=f"ssh-ed25519 {blob} penstock:{project.slug}",
        md5=md5,
        sha256=sha256,
        preferred=preferred,
        created_at=info.created_at,
    )
