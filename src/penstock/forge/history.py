"""Reads a bare repository: commits, files, and what changed between two commits.

Texts come out as UTF-8; bytes that are none are replaced. Each function raises GitFailedError when git
cannot read the repository itself.
"""

import re
from pathlib import Path, PurePosixPath

import msgspec

from penstock.forge.command import GitFailedError, call_git
from penstock.forge.failures import Fault, find_fault
from penstock.forge.glob import fixed_folder, match_paths
from penstock.forge.process import Bounds
from penstock.forge.refs import HEADS, check_sha, expand_ref, is_sha
from penstock.model.errors import InvalidError, LimitExceededError, NotFoundError
from penstock.model.run import Authorship

LARGEST_FILE = 4 << 20
"""Bytes of a file that is read unless told otherwise; configs are far smaller."""

_QUICK = Bounds(seconds=60, largest=64 << 20)
_MESSAGE = Bounds(seconds=60, largest=1 << 20)
_FIELDS = "%H%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%s%x00%b"
_PEELED = "%(refname)%00%(objecttype)%00%(objectname)%00%(*objectname)"
_UNFIT = re.compile(r"[\n\0\ud800-\udfff]")
_LAST_SECOND = "253402300799"  # of the year 9999
_HEAD_SIZE = 512
_ODD = {"dangling", "loop", "notdir", "symlink"}


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit; `author` wrote it."""

    sha: str
    author: str
    subject: str
    body: str
    authorship: Authorship


def has_commit(repository: Path, sha: str) -> bool:
    """True when the commit is here."""
    try:
        call_git("cat-file", "-e", f"{check_sha(sha)}^{{commit}}", cwd=repository, bounds=_QUICK)
    except GitFailedError as error:
        if find_fault(error.told) is Fault.CORRUPT:
            raise
        return False
    return True


def _require_commit(repository: Path, sha: str) -> None:
    """Raises NotFoundError when the commit is not here, GitFailedError when a ref's own one is not either."""
    if not has_commit(repository, sha):
        _list_peeled(repository, "refs/")
        raise NotFoundError(f"there is no commit {sha}")


def read_commit(repository: Path, sha: str) -> Commit:
    """The commit. Raises NotFoundError when it is not here."""
    arguments = ("log", "-1", "--no-show-signature", f"--format={_FIELDS}", check_sha(sha), "--")
    try:
        printed = call_git(*arguments, cwd=repository, bounds=_MESSAGE)
    except GitFailedError:
        _require_commit(repository, sha)
        raise
    except LimitExceededError as error:
        raise LimitExceededError(f"the message of commit {sha} is larger than 1 MiB") from error
    sha, author, email, authored, committer, committer_email, committed, subject, body = printed.decode(
        errors="replace"
    ).split("\0", 8)
    authorship = Authorship(
        email=email,
        authored_at=_read_time(authored),
        committer=committer,
        committer_email=committer_email,
        committed_at=_read_time(committed),
    )
    return Commit(sha=sha, author=author, subject=subject, body=body.strip(), authorship=authorship)


def _read_time(seconds: str) -> int:
    """The time in milliseconds; people write anything into commits, and what is no time is the epoch."""
    known = seconds.isascii() and seconds.isdecimal() and len(seconds) <= len(_LAST_SECOND)
    return min(int(seconds), int(_LAST_SECOND)) * 1000 if known else 0


def resolve_ref(repository: Path, name: str) -> Commit:
    """The commit a branch, tag, other ref or full name of a commit stands for; a branch goes before a tag.

    Raises NotFoundError when nothing is called so, InvalidError when nothing can be.
    """
    if is_sha(name):
        return read_commit(repository, name)
    wanted = expand_ref(name)
    listed = _list_peeled(repository, *wanted)
    sha = next((listed[full] for full in wanted if full in listed), "")
    if not sha:
        raise NotFoundError(f"there is no branch or tag {name}")
    return read_commit(repository, sha)


def list_refs(repository: Path, prefix: str) -> dict[str, str]:
    """Commit by name below the prefix (`refs/heads/`), tags that stand for no commit left out."""
    listed = _list_peeled(repository, prefix)
    return {name.removeprefix(prefix): sha for name, sha in listed.items()}


def _list_peeled(repository: Path, *patterns: str) -> dict[str, str]:
    printed = call_git("for-each-ref", f"--format={_PEELED}", "--", *patterns, cwd=repository, bounds=_QUICK)
    found = {}
    for line in printed.decode(errors="replace").splitlines():
        name, kind, sha, peeled = line.split("\0")
        if kind in {"commit", "tag"}:
            found[name] = peeled or sha
    return found


def find_branches(repository: Path, sha: str) -> list[str]:
    """The branches the commit is on, by name; none when the commit is not here."""
    if not has_commit(repository, sha):
        return []
    arguments = ("for-each-ref", f"--contains={sha}", "--format=%(refname)", HEADS)
    printed = call_git(*arguments, cwd=repository, bounds=_QUICK).decode(errors="replace")
    return [line.removeprefix(HEADS) for line in printed.splitlines()]


def read_head(repository: Path) -> str:
    """The branch HEAD points at, whether it has commits or not."""
    printed = call_git("symbolic-ref", "HEAD", cwd=repository, bounds=_QUICK)
    return printed.decode(errors="replace").strip().removeprefix(HEADS)


def read_file(repository: Path, sha: str, path: str, largest: int = LARGEST_FILE) -> bytes:
    """The bytes of a file at a commit; a symbolic link is followed while it stays inside the repository.

    Raises NotFoundError when there is no such file, LimitExceededError when it is larger than that,
    InvalidError when the path is none inside a repository or a link leads out of it.
    """
    name = f"{check_sha(sha)}:{check_path(path)}"
    bounds = Bounds(seconds=60, largest=largest + _HEAD_SIZE)
    arguments = ("cat-file", "--batch", "--follow-symlinks")
    try:
        printed = call_git(*arguments, cwd=repository, stdin=f"{name}\n".encode(), bounds=bounds)
    except LimitExceededError as error:
        raise LimitExceededError(f"{path} is larger than {largest >> 10} KiB") from error
    head, _, content = printed.partition(b"\n")
    words = head.decode(errors="replace").split(" ")
    if words[0] in _ODD:
        raise InvalidError(f"{path} is a symbolic link that leads to no file of the repository")
    if words[-1] in {"missing", "ambiguous"}:
        _explain_missing(repository, sha, path)
        raise NotFoundError(f"there is no file {path} in commit {sha}")
    if words[1] != "blob":
        raise InvalidError(f"{path} is no file")
    size = int(words[2])
    if size > largest:
        raise LimitExceededError(f"{path} is larger than {largest >> 10} KiB")
    return content[:size]


def _explain_missing(repository: Path, sha: str, path: str) -> None:
    """Raises GitFailedError when the file should be there, NotFoundError when the commit is not."""
    _require_commit(repository, sha)
    listed = call_git("ls-tree", "--full-tree", sha, "--", f":(literal){path}", cwd=repository, bounds=_QUICK)
    words = listed.split()
    if len(words) > 2 and words[1] == b"blob" and words[0] != b"120000":  # noqa: PLR2004 - mode, kind, object
        raise GitFailedError(f"git: missing blob of {path}", "missing blob")


def check_path(path: str) -> str:
    """A path inside a repository. Raises InvalidError for anything else."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or _UNFIT.search(path):
        raise InvalidError(f"{path[:80]!r} is no path inside a repository")
    return "/".join(parts)


def list_files(repository: Path, sha: str, pattern: str = "**") -> list[str]:
    """The files of a commit whose paths match: `*` and `?` stay inside a folder, `**` does not.

    Raises NotFoundError when the commit is not here, LimitExceededError when there are absurdly many.
    """
    _require_commit(repository, sha)
    fixed = fixed_folder(pattern)
    below = (f":(literal){check_path(fixed)}/",) if fixed else ()
    arguments = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", sha, "--", *below)
    printed = call_git(*arguments, cwd=repository, bounds=_QUICK).decode(errors="replace")
    return match_paths(pattern, filter(None, printed.split("\0")))


def list_changed(repository: Path, base: str, head: str) -> list[str]:
    """The paths that differ between `head` and where it left `base`, renamed files under both names.

    Without a common ancestor the two commits themselves are compared. Raises NotFoundError when one of them
    is not here.
    """
    for sha in (base, head):
        _require_commit(repository, sha)
    start = _find_merge_base(repository, base, head) or base
    arguments = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", start, head, "--")
    printed = call_git(*arguments, cwd=repository, bounds=_QUICK).decode(errors="replace")
    return [name for name in printed.split("\0") if name]


def _find_merge_base(repository: Path, base: str, head: str) -> str:
    try:
        return call_git("merge-base", base, head, cwd=repository, bounds=_QUICK).decode().strip()
    except GitFailedError as error:
        if error.told.strip():  # without a common ancestor git says nothing
            raise
        return ""
