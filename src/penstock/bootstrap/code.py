"""The source of projects as a server reads it: a mirror of each repository below its data folder."""

import hashlib
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.settings import Settings, read_hosts
from penstock.engine.adopt import HOSTS
from penstock.engine.launch import CommitFacts, Fetch, Ref, Workshop
from penstock.engine.variables import find_way
from penstock.forge.address import Policy, Protocol
from penstock.forge.credentials import Credentials
from penstock.forge.history import Commit
from penstock.forge.lock import hold_lock
from penstock.forge.mirror import REPOSITORY, Mirror
from penstock.forge.openness import answers_everybody
from penstock.forge.refs import HEADS, TAGS, check_ref
from penstock.forge.upkeep import remove_repository
from penstock.kit.ids import is_id
from penstock.language.common.context import Context
from penstock.model.credentials import CloneCredentials
from penstock.model.errors import NotFoundError, RefusedError, UnavailableError
from penstock.model.project import Project
from penstock.policy.referee import Bounds, Referee
from penstock.store import projects, removal
from penstock.store.database import Database
from penstock.store.sealing import Sealer

PATIENCE = 5.0
"""Seconds a request waits for its turn to talk to an origin."""

FORKS = "refs/penstock/forks/"
"""Where a mirror keeps branches of forks on hosts that have no refs for them."""

_PULLS = {"pull/": "head", "merge-requests/": "head", "pull-requests/": "from"}
"""How branches begin that stand for the refs of pull requests, and where the commits are below such a ref."""

_NUMBERED = re.compile(r"[a-z-]+/[0-9]+")


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
        with self._turn(), self._talk(project) as mirror:
            mirror.fetch(name)
            if not name.startswith((HEADS, TAGS)):
                mirror.fetch()  # whose commit it is, the branches tell
        commit = mirror.resolve(name)
        foreign = not name.startswith((HEADS, TAGS)) and not mirror.find_branches_of(commit.sha)
        return _describe(commit, foreign=foreign)

    def obtain(self, project: Project, fetch: Fetch) -> CommitFacts:
        """Fetch the commit, from a fork when it is there."""
        with self._talk(project) as mirror:
            ref = _fetch(mirror, fetch)
        return _describe(mirror.resolve(fetch.sha or ref))

    def read_file(self, project: Project, sha: str, path: str) -> bytes:
        """Read a file of a commit that is here."""
        with self._talk(project) as mirror:  # it is fetched anew when its address has changed meanwhile
            return mirror.read_file(sha, path)

    def is_open(self, project: Project) -> bool:
        """True when everybody may clone the project over https. Raises UnavailableError."""
        with self._turn():
            return answers_everybody(project.url, self._policy)

    def sweep(self) -> None:
        """The mirrors of projects that are gone are gone too. Raises UnavailableError."""
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            with self._database.read() as tx:
                project = projects.project_by_uuid(tx, folder.name) if is_id(folder.name) else None
            if is_id(folder.name) and (project is None or removal.is_marked(project)):
                _remove_mirror(folder)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """A turn to talk to an origin on behalf of a request; raises UnavailableError when there is none."""
        if not self._turns.acquire(timeout=PATIENCE):
            raise UnavailableError("too many repositories are being fetched at present")
        try:
            yield
        finally:
            self._turns.release()

    @contextmanager
    def _talk(self, project: Project) -> Iterator[Mirror]:
        """The mirror with what it needs to talk to its origin; keys lie in files only meanwhile."""
        with self._database.read() as tx:
            way = find_way(tx, self._sealer, project)
        self._keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryDirectory(dir=self._keys) as keys:
            given = _lay_out(way.credentials, Path(keys)) if way.credentials else Credentials()
            yield self._open(project, way.url, given)

    def _open(self, project: Project, url: str, credentials: Credentials) -> Mirror:
        if not url:
            raise RefusedError(
                f"{project.slug} has no repository yet: `penstock project set --url` says where"
            )
        folder = self._folder / project.uuid
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Mirror(folder, url, credentials, policy=self._policy)


def open_workshop(settings: Settings, folder: DataFolder, database: Database, sealer: Sealer) -> Workshop:
    """What a server makes plans with."""
    policy = Policy(
        protocols=frozenset(Protocol(name) for name in settings.git_protocols),
        folders=tuple(Path(folder) for folder in settings.git_folders),
    )
    most = max(settings.threads // 2, 1)
    code = MirroredCode(folder.mirrors, database, sealer, policy, most, folder.keys)
    return Workshop(
        code=code,
        supply=_supply,
        policy=policy,
        hosts={**HOSTS, **read_hosts(settings)},
        sweep=code.sweep,
        referee=Referee(Bounds(waiting=max(settings.threads // 2, 1))),
        is_open=code.is_open,
    )


def _supply(source: bytes, context: Context) -> Context:
    if b"orbs" not in source:
        return context
    from penstock.bootstrap.orbs import supply_orbs  # many configs want none

    return supply_orbs(source, context)


def _fetch(mirror: Mirror, fetch: Fetch) -> str:
    """The mirror has the commit; the ref by which it knows it, when it has no name.

    The commit is asked for by its name when its ref is gone or elsewhere by now.
    """
    ref = check_ref(fetch.ref)
    if fetch.url:
        known = f"{FORKS}{hashlib.sha256(fetch.url.encode()).hexdigest()[:20]}/{ref.removeprefix(HEADS)}"
        mirror.fetch_fork(fetch.url, ref.removeprefix(HEADS), known)
        return known
    try:
        mirror.fetch(ref, commit=fetch.sha)
    except NotFoundError:
        if not fetch.sha:
            raise
        mirror.fetch(commit=fetch.sha)
    return ref


def _remove_mirror(folder: Path) -> None:
    """The folder is gone, unless somebody works in it."""
    with suppress(UnavailableError), hold_lock(folder / "lock", 0):
        remove_repository(folder / REPOSITORY)
        shutil.rmtree(folder, ignore_errors=True)


def _describe(commit: Commit, *, foreign: bool = False) -> CommitFacts:
    return CommitFacts(
        sha=commit.sha,
        author=commit.author,
        authorship=commit.authorship,
        subject=commit.subject,
        body=commit.body,
        foreign=foreign,
    )


def _lay_out(sealed: CloneCredentials, folder: Path) -> Credentials:
    """The credentials with their keys in files of the folder."""
    return Credentials(
        user=sealed.user,
        token=sealed.token,
        key=_write(folder / "key", sealed.private_key),
        known_hosts=_write(folder / "known_hosts", sealed.known_hosts),
    )


def _expand(ref: Ref) -> str:
    """The full name of the ref. Raises InvalidError for what git would not have."""
    if ref.tag:
        return check_ref(f"{TAGS}{ref.tag}")
    for prefix, end in _PULLS.items():
        if ref.branch.startswith(prefix):
            short = _NUMBERED.fullmatch(ref.branch) is not None
            return check_ref(f"refs/{ref.branch}/{end}" if short else f"refs/{ref.branch}")
    return check_ref(f"{HEADS}{ref.branch}")


def _write(file: Path, text: str) -> Path | None:
    """The file with the text, which only its owner can read; None for no text."""
    if not text:
        return None
    file.touch(mode=0o600)
    file.write_text(text if text.endswith("\n") else f"{text}\n")
    return file
