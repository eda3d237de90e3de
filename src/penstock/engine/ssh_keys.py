"""The SSH keys a project gives its jobs besides the one of its checkout; private halves never come out."""

import msgspec

from penstock.engine.access import Action
from penstock.engine.audit import note
from penstock.engine.principal import Principal
from penstock.engine.projects import change_project
from penstock.engine.unit import Parts, Unit
from penstock.engine.variables import KEYS
from penstock.forge.ssh_key import read_ssh_key
from penstock.model.errors import InvalidError, LimitExceededError, NotFoundError
from penstock.model.project import Organization, Project, SshKey
from penstock.store import secrets
from penstock.store.database import Transaction
from penstock.store.sealing import Sealer
from penstock.store.secrets import Secret, of_project

MOST_KEYS = 50
_MOST_BYTES = 64 << 10
_MOST_HOST = 253


class KeyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """All that is shown of a key."""

    md5: str
    sha256: str
    host: str
    created_at: int


def add_ssh_key(
    parts: Parts, sealer: Sealer, by: Principal, project: Project, private: str, host: str = ""
) -> KeyInfo:
    """The project's jobs may install the key, for the host or for any; given again it stays as it was.

    Raises ForbiddenError, InvalidError for what is no private key without a passphrase or no host,
    LimitExceededError past `MOST_KEYS`.
    """
    if len(private) > _MOST_BYTES:
        raise LimitExceededError(f"a key may have {_MOST_BYTES >> 10} KiB")
    if len(host) > _MOST_HOST or not all(letter.isalnum() or letter in ".-_:[]" for letter in host):
        raise InvalidError("that is no name of a host")
    key = read_ssh_key(private.encode("utf-8", "replace"), host)

    def work(unit: Unit, found: Project, owner: Organization) -> KeyInfo:
        name = _name(key.md5, key.sha256, host)
        every = list_ssh_keys(unit.tx, found.id)
        if len(every) >= MOST_KEYS and not any(_name(k.md5, k.sha256, k.host) == name for k in every):
            raise LimitExceededError(f"a project may have {MOST_KEYS} SSH keys at a time")
        sealed = Secret(name, msgspec.json.encode(key))
        info = secrets.set_secret(unit.tx, sealer, of_project(found.id), sealed, now=unit.now)
        note(unit, by, "ssh-key.create", found.uuid, organization=owner, fingerprint=key.sha256, host=host)
        return KeyInfo(md5=key.md5, sha256=key.sha256, host=host, created_at=info.created_at)

    return change_project(parts, by, Action.CHANGE_VARIABLES, project, work)


def remove_ssh_key(parts: Parts, by: Principal, project: Project, fingerprint: str, host: str = "") -> None:
    """The project has no key of that fingerprint for the host. Raises ForbiddenError, NotFoundError."""

    def work(unit: Unit, found: Project, owner: Organization) -> None:
        for info in list_ssh_keys(unit.tx, found.id):
            known = SshKey(private="", md5=info.md5, sha256=info.sha256)
            if info.host == host and known.answers_to(fingerprint):
                secrets.delete_secret(unit.tx, of_project(found.id), _name(info.md5, info.sha256, host))
                note(
                    unit,
                    by,
                    "ssh-key.delete",
                    found.uuid,
                    organization=owner,
                    fingerprint=info.sha256,
                    host=host,
                )
                return
        raise NotFoundError("SSH key not found.")

    change_project(parts, by, Action.CHANGE_VARIABLES, project, work)


def list_ssh_keys(tx: Transaction, project_id: int) -> list[KeyInfo]:
    """The project's keys, oldest first, by what they are known by."""
    found = []
    for info in secrets.list_secrets(tx, of_project(project_id)):
        if info.name.startswith(KEYS):
            md5, sha256, host = info.name.removeprefix(KEYS).split(" ")
            found.append(KeyInfo(md5=md5, sha256=sha256, host=host, created_at=info.created_at))
    return found


def _name(md5: str, sha256: str, host: str) -> str:
    """The name of the secret that holds the key; none of its parts has a blank."""
    return f"{KEYS}{md5} {sha256} {host}"
