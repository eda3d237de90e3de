"""A project's repository as a bare mirror on our disk: fetched when something changed, read at leisure."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from penstock.forge import history, upkeep
from penstock.forge.address import Address, Policy, read_address
from penstock.forge.command import GitFailedError, call_git
from penstock.forge.credentials import Credentials, hide_secrets, make_environment
from penstock.forge.failures import CorruptError, Fault, explain_fault, find_fault
from penstock.forge.history import LARGEST_FILE, Commit
from penstock.forge.lock import hold_lock
from penstock.forge.process import Bounds
from penstock.forge.refs import HEADS, TAGS, check_ref, check_sha
from penstock.model.errors import InvalidError, NotFoundError, RefusedError, UnavailableError

USUAL_BOUNDS = Bounds(seconds=600, largest_file=16 << 30)

REPOSITORY = "mirror.git"
"""The name of the bare repository in a mirror's folder."""

_T = TypeVar("_T")
_EVERYTHING = (f"+{HEADS}*:{HEADS}*", f"+{TAGS}*:{TAGS}*")
_FORMAT = re.compile(r"mismatched algorithms: client \w+; server (sha1|sha256)")
_STALE = ("File exists", "cannot lock ref", "Unable to create")
_FETCH = (
    "fetch", "--quiet", "--force", "--no-tags", "--update-shallow", "--no-write-fetch-head",
    "--no-auto-maintenance",
)  # fmt: skip


class Mirror:
    """The mirror of one project, in a folder of its own that nobody else writes to.

    Any number of threads and processes may use the same folder. Whatever kills one of them, the next finds
    a usable mirror: damage is found and the mirror made anew. Nothing of the token is in an error. Each call
    of git to fetch may take `bounds.seconds` and write files of `bounds.largest_file`; reading, a minute.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        credentials: Credentials | None = None,
        *,
        policy: Policy | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        """Raises InvalidError or ForbiddenError for an address that will not do."""
        self.policy = policy or Policy()
        self.bounds = bounds or USUAL_BOUNDS
        self.address, password = read_address(url, self.policy)
        given = credentials or Credentials()
        self.credentials = given if given.token else msgspec.structs.replace(given, token=password)
        self.folder = folder
        self.repository = folder / REPOSITORY

    def fetch(self, *refs: str, commit: str = "") -> None:
        """The named refs are as the origin has them, or all branches and tags when none is named.

        The first time everything is fetched. With `commit` nothing is fetched when it is here already;
        otherwise it is afterwards. Ask only for commits a trusted source names: some hosts also hand out
        those of forks. Raises NotFoundError, ForbiddenError or UnavailableError, as the origin would have
        it, and NotFoundError for a ref or commit it does not have.
        """
        wanted = [f"+{check_ref(ref)}:{ref}" for ref in refs]
        if commit and self._holds_already(check_sha(commit)):
            return
        with hold_lock(self.folder / "lock", self.bounds.seconds) as lock:
            try:
                self._fetch(lock, wanted, commit, fresh=self._prepare(lock))
            except CorruptError:
                self._remake(lock)
                self._fetch_last(lock, wanted, commit)

    def fetch_fork(self, url: str, branch: str, ref: str) -> None:
        """The ref is where a fork's branch is, for hosts that keep no copy of its commits.

        The token goes along only to the host it is for. Raises as `fetch` does.
        """
        address, _ = read_address(url, self.policy)
        wanted = f"+{HEADS}{check_ref(branch)}:{check_ref(ref)}"
        with hold_lock(self.folder / "lock", self.bounds.seconds) as lock:
            self._prepare(lock)
            self._talk(lock, *_FETCH, "--", address.url, wanted, address=address)

    def tidy(self) -> None:
        """The mirror takes less room and its refs are quicker to read; nothing is lost."""
        with hold_lock(self.folder / "lock", self.bounds.seconds) as lock:
            self._prepare(lock)
            upkeep.tidy_repository(self.repository)

    def remove(self) -> None:
        """Nothing of the repository is left on our disk."""
        with hold_lock(self.folder / "lock", self.bounds.seconds):
            upkeep.remove_repository(self.repository)
            upkeep.remove_leftovers(self.repository)

    def resolve(self, ref: str) -> Commit:
        """The commit of a branch, a tag, a ref like `pull/7/head`, or its own name; "" is the default branch.

        Raises NotFoundError when the mirror has none.
        """
        return self._read(lambda path: history.resolve_ref(path, ref or history.read_head(path)))

    def read_file(self, commit: str, path: str, largest: int = LARGEST_FILE) -> bytes:
        """The bytes of a file at a commit; raises as `history.read_file` does."""
        return self._read(lambda repository: history.read_file(repository, commit, path, largest))

    def list_files(self, commit: str, pattern: str = "**") -> list[str]:
        """The files of a commit whose paths match, as in `history.list_files`."""
        return self._read(lambda repository: history.list_files(repository, commit, pattern))

    def list_changed(self, base: str, head: str) -> list[str]:
        """The paths that differ between `head` and where it left `base`."""
        return self._read(lambda repository: history.list_changed(repository, base, head))

    def find_branches_of(self, commit: str) -> list[str]:
        """The branches the commit is on; none for one that is not here."""
        return self._read(lambda repository: history.find_branches(repository, commit))

    def list_branches(self) -> dict[str, str]:
        """Commit by name of branch."""
        return self._read(lambda repository: history.list_refs(repository, HEADS))

    def list_tags(self) -> dict[str, str]:
        """Commit by name of tag."""
        return self._read(lambda repository: history.list_refs(repository, TAGS))

    def default_branch(self) -> str:
        """The branch the origin's HEAD was on when everything was last fetched."""
        return self._read(history.read_head)

    def _holds_already(self, commit: str) -> bool:
        """True when a mirror in good order has the commit."""
        try:
            return self._is_ours() and history.has_commit(self.repository, commit)
        except GitFailedError:
            return False

    def _holds(self, commit: str) -> bool:
        try:
            return history.has_commit(self.repository, commit)
        except GitFailedError as error:
            raise self._explain(error) from None

    def _is_ours(self) -> bool:
        return upkeep.read_url(self.repository) == self.address.url

    def _prepare(self, lock: int) -> bool:
        """There is a mirror of this very address, with everything; True when it was made just now.

        One of another address is removed, for its secrets' sake.
        """
        if self._is_ours():
            return False
        upkeep.remove_repository(self.repository)
        self._remake(lock)
        return True

    def _remake(self, lock: int) -> None:
        """A new mirror with everything is in the place of the one there was, which is readable until then."""
        try:
            self._make(lock, "sha1")
        except _OtherFormatError as error:
            self._make(lock, error.object_format)
        except CorruptError as error:  # in a mirror just made: what is damaged is the origin
            raise UnavailableError(f"{self.address.url} cannot be copied: {error}") from error

    def _make(self, lock: int, object_format: str) -> None:
        fresh = upkeep.begin_repository(self.repository, object_format)
        try:
            self._fetch_all(lock, fresh)
            upkeep.install_repository(fresh, self.repository, self.address.url)
        finally:
            upkeep.discard_repository(fresh)

    def _fetch_last(self, lock: int, wanted: list[str], commit: str) -> None:
        """Fetch into a mirror just made."""
        try:
            self._fetch(lock, wanted, commit, fresh=True)
        except CorruptError as error:
            raise UnavailableError(f"{self.address.url} cannot be copied: {error}") from error

    def _fetch(self, lock: int, wanted: list[str], commit: str, *, fresh: bool) -> None:
        if wanted:
            self._fetch_refs(lock, wanted)
        elif not fresh:
            self._fetch_all(lock)
        if commit and not self._holds(commit):
            self._talk(lock, *_FETCH, "--", self.address.url, commit)
            if not self._holds(commit):
                raise NotFoundError(f"{self.address.url} has no commit {commit}")
        if upkeep.is_untidy(self.repository):
            upkeep.tidy_repository(self.repository)

    def _fetch_all(self, lock: int, into: Path | None = None) -> None:
        self._talk(lock, *_FETCH, "--prune", "--", self.address.url, *_EVERYTHING, into=into)
        listed = self._talk(lock, "ls-remote", "--symref", "--", self.address.url, "HEAD", into=into)
        first = listed.decode(errors="replace").partition("\n")[0]
        if first.startswith("ref: ") and first.endswith("\tHEAD"):
            branch = check_ref(first.removeprefix("ref: ").removesuffix("\tHEAD"))
            call_git("symbolic-ref", "HEAD", branch, cwd=into or self.repository)

    def _fetch_refs(self, lock: int, wanted: list[str]) -> None:
        """Fetch some refs; a branch that stands where another had its folder needs the whole picture."""
        try:
            self._talk(lock, *_FETCH, "--", self.address.url, *wanted)
        except _InTheWayError:
            self._fetch_all(lock)
            self._talk(lock, *_FETCH, "--", self.address.url, *wanted)

    def _talk(
        self, lock: int, *arguments: str, address: Address | None = None, into: Path | None = None
    ) -> bytes:
        """Call git on the mirror, with the origin's credentials; what a killed git left is removed once."""
        place = into or self.repository
        try:
            return self._call(lock, arguments, address or self.address, place)
        except _InTheWayError:
            upkeep.remove_stale(place)
            return self._call(lock, arguments, address or self.address, place)

    def _call(self, lock: int, arguments: Sequence[str], address: Address, place: Path) -> bytes:
        here = self.address
        known = (address.protocol, address.host, address.origin) == (here.protocol, here.host, here.origin)
        credentials = self.credentials if known else Credentials()
        try:
            return call_git(
                *arguments,
                cwd=place,
                environment=make_environment(address, credentials, self.policy),
                bounds=self.bounds,
                inherit=(lock,),  # should we be killed, the lock is git's until it has ended too
            )
        except GitFailedError as error:
            raise self._explain(error, address) from None

    def _explain(self, error: GitFailedError, address: Address | None = None) -> Exception:
        told = hide_secrets(str(error), self.address, self.credentials)
        fault = find_fault(error.told)
        if match := _FORMAT.search(error.told):
            return _OtherFormatError(told, match[1])
        if fault is not Fault.DISK_FULL and any(sign in error.told for sign in _STALE):
            return _InTheWayError(told)
        return explain_fault(fault, (address or self.address).url, told)

    def _read(self, work: Callable[[Path], _T]) -> _T:
        """What the work finds in the mirror, which is fetched first when there is none or it is damaged."""
        if not self._is_ours():
            self.fetch()
        before = self._identify()
        try:
            found = work(self.repository)
            if self._identify() == before:
                return found
        except NotFoundError:
            if self._identify() == before:
                raise
        except RefusedError as error:
            self._require_damage(error)
        with hold_lock(self.folder / "lock", self.bounds.seconds) as lock:
            return self._read_mended(work, lock)

    def _read_mended(self, work: Callable[[Path], _T], lock: int) -> _T:
        """What the work finds when nobody else writes; the mirror is made anew if it still is damaged."""
        try:
            return work(self.repository)
        except RefusedError as error:
            self._require_damage(error)
        self._remake(lock)
        try:
            return work(self.repository)
        except GitFailedError as error:
            raise UnavailableError(f"{self.address.url} cannot be read: {error}") from None

    def _identify(self) -> int:
        """A number that is another one once another repository was put in place; 0 while there is none."""
        try:
            return self.repository.stat().st_ino
        except OSError:
            return 0

    def _require_damage(self, error: RefusedError) -> None:
        """Raises the error unless it comes from a mirror that is damaged or was gone."""
        if isinstance(error, InvalidError):
            raise error
        if isinstance(error, GitFailedError) and find_fault(error.told) is not Fault.CORRUPT:
            raise self._explain(error) from None


class _OtherFormatError(UnavailableError):
    """The origin names its objects by another hash than the mirror."""

    def __init__(self, sentence: str, object_format: str) -> None:
        super().__init__(sentence)
        self.object_format = object_format


class _InTheWayError(UnavailableError):
    """A lock file or another ref is where git wants to write."""
