"""The source of projects as a server reads it: a mirror of each repository below its data folder."""

import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.settings import Settings
from penstock.engine.launch import CommitFacts, Ref, Workshop
from penstock.engine.project_settings import open_credentials
from penstock.forge.address import Policy, Protocol
from penstock.forge.credentials import Credentials
from penstock.forge.mirror import Mirror
from penstock.forge.refs import HEADS, TAGS, check_ref
from penstock.language.common.context import Context
from penstock.model.errors import UnavailableError
from penstock.model.project import Project
from penstock.store.database import Database
from penstock.store.sealing import Sealer

PATIENCE = 5.0
"""Seconds a request waits for its turn to talk to an origin."""

_PULLS = ("pull/", "merge-requests/")
"""How branches begin that stand for the refs of pull requests."""


class MirroredCode:
    """Reads projects through their mirrors; an `engine.launch.SourceOfCode`.

    At most `most` origins are talked to at once, so that slow ones leave threads for other requests. Keys lie
    in files below `keys` while they are used.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        sealer: Sealer,
        policy: Policy,
        most: int = 4,
        keys: Path | None = None,
    ) -> None:
        self._keys = keys or folder.parent / "keys"
        self._turns = threading.BoundedSemaphore(most)
        self._folder = folder
        self._database = database
        self._sealer = sealer
        self._policy = policy

    def resolve(self, project: Project, ref: Ref) -> CommitFacts:
        """Fetch the ref and say which commit it is at."""
        name = _expand(ref)
        if not self._turns.acquire(timeout=PATIENCE):
            raise UnavailableError("too many repositories are being fetched at present")
        try:
            mirror = self._fetch(project, name)
        finally:
            self._turns.release()
        found = mirror.resolve(name)
        return CommitFacts(sha=found.sha, author=found.author, subject=found.subject, body=found.body)

    def read_file(self, project: Project, sha: str, path: str) -> bytes:
        """Read a file of a commit that is here."""
        return self._open(project, Credentials()).read_file(sha, path)

    def _fetch(self, project: Project, name: str) -> Mirror:
        """The mirror with the ref as its origin has it now; keys lie in files only meanwhile."""
        with self._database.read() as tx:
            sealed = open_credentials(tx, self._sealer, project.id)
        self._keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryDirectory(dir=self._keys) as keys:
            given = Credentials()
            if sealed is not None:
                given = Credentials(
                    user=sealed.user,
                    token=sealed.token,
                    key=_write(Path(keys) / "key", sealed.private_key),
                    known_hosts=_write(Path(keys) / "known_hosts", sealed.known_hosts),
                )
            mirror = self._open(project, given)
            mirror.fetch(name)
        return mirror

    def _open(self, project: Project, credentials: Credentials) -> Mirror:
        folder = self._folder / project.uuid
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Mirror(folder, project.url, credentials, policy=self._policy)


def open_workshop(settings: Settings, folder: DataFolder, database: Database, sealer: Sealer) -> Workshop:
    """What a server makes plans with."""
    policy = Policy(protocols=frozenset(Protocol(name) for name in settings.git_protocols if name != "git"))
    most = max(settings.threads // 2, 1)
    code = MirroredCode(folder.mirrors, database, sealer, policy, most, folder.keys)
    return Workshop(code=code, supply=_supply)


def _supply(source: bytes, context: Context) -> Context:
    if b"orbs" not in source:
        return context
    from penstock.bootstrap.orbs import supply_orbs  # many configs want none

    return supply_orbs(source, context)


def _expand(ref: Ref) -> str:
    """The full name of the ref. Raises InvalidError for what git would not have."""
    if ref.tag:
        return check_ref(f"{TAGS}{ref.tag}")
    if ref.branch.startswith(_PULLS):
        return check_ref(f"refs/{ref.branch}")
    return check_ref(f"{HEADS}{ref.branch}")


def _write(file: Path, text: str) -> Path | None:
    """The file with the text, which only its owner can read; None for no text."""
    if not text:
        return None
    file.touch(mode=0o600)
    file.write_text(text if text.endswith("\n") else f"{text}\n")
    return file
