"""Reads a working copy: what is checked out, and what has been changed since."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from penstock.forge.command import GitFailedError, run_git
from penstock.forge.remote import Remote, parse_remote, without_credentials
from penstock.model.errors import RefusedError
from penstock.model.run import Revision

_REMOTE = "refs/remotes/origin/"
_REMOTE_HEAD = f"{_REMOTE}HEAD"
_COMMIT_FIELDS = "%H%x00%an%x00%s%x00%b"
_AUTHOR = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Penstock"), ("EMAIL", "penstock@localhost"), ("DATE", "@0 +0000"))
}


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """A folder with source, under git or not.

    `top` is its root; `git_dir` and `common_dir` are empty paths when it is no git checkout. `branch` is
    empty when HEAD is detached, `sha` when there is no commit yet. `refs` holds branches, tags and what is
    known of the remote's.
    """

    top: Path
    git_dir: Path | None = None
    common_dir: Path | None = None
    object_format: str = "sha1"
    sha: str = ""
    branch: str = ""
    refs: Mapping[str, str] = {}
    remote: str = ""
    default_branch: str = "main"
    author: str = ""
    subject: str = ""
    body: str = ""

    @property
    def identity(self) -> Remote:
        """Owner and name: the remote's, else the folder's name."""
        return parse_remote(self.remote) if self.remote else parse_remote(str(self.top))


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A working copy's state, kept apart from it.

    `repository` is a bare repository that borrows the objects of the original. `revision.overlay` names
    the tree with the uncommitted state, "" when there is none.
    """

    repository: Path
    revision: Revision


def read_checkout(path: Path) -> Checkout:
    """The checkout that holds the folder. Raises RefusedError when the folder does not exist."""
    try:
        folder = path.resolve()
        exists = folder.is_dir()
    except (OSError, RuntimeError) as error:  # the current folder was deleted, or links lead in a circle
        raise RefusedError(f"the folder {path} cannot be found: {error}") from error
    if not exists:
        raise RefusedError(f"no such folder: {path}")
    try:
        answer = run_git(
            "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir",
            "--show-object-format", cwd=folder,
        )  # fmt: skip
    except GitFailedError as error:
        if "not a git repository" in str(error):
            return Checkout(top=folder)
        raise
    top, git_dir, common_dir, object_format = answer.split("\n")
    refs = _list_refs(folder)
    remote = _try_git("remote", "get-url", "origin", cwd=folder)
    commit = _try_git("log", "-1", f"--format={_COMMIT_FIELDS}", "--no-show-signature", cwd=folder)
    sha, author, subject, body = commit.split("\0") if commit else ("", "", "", "")
    return Checkout(
        top=Path(top),
        git_dir=Path(git_dir),
        common_dir=Path(common_dir),
        object_format=object_format,
        sha=sha,
        branch=_try_git("symbolic-ref", "--quiet", "--short", "HEAD", cwd=folder),
        refs=refs,
        remote=without_credentials(remote),
        default_branch=_default_branch(refs),
        author=author,
        subject=subject,
        body=body.strip(),
    )


def take_snapshot(checkout: Checkout, into: Path) -> Snapshot:
    """A copy of the checkout's present state, uncommitted and untracked-not-ignored files included.

    `into` becomes a bare repository. Objects that exist are borrowed, new ones written to `into`; the
    original and its `.git` are only read. Branches are those a server would see: the remote's when there
    are any, with the current one as if it were pushed.
    """
    options = ["--bare", "--quiet", "--template=", f"--object-format={checkout.object_format}"]
    run_git("init", *options, str(into), cwd=checkout.top)
    if checkout.common_dir is not None:
        _borrow_objects(checkout.common_dir, into)
    tree = _write_tree(checkout, into)
    sha, overlay = checkout.sha, tree
    if not sha:
        sha = run_git("commit-tree", tree, "-m", "working copy", cwd=into, environment=_AUTHOR)
    if run_git("rev-parse", f"{sha}^{{tree}}", cwd=into) == tree:
        overlay = ""
    _write_refs(checkout, into, sha)
    revision = Revision(
        sha=sha,
        branch=checkout.branch,
        subject=checkout.subject,
        body=checkout.body,
        author=checkout.author,
        overlay=overlay,
    )
    return Snapshot(repository=into, revision=revision)


def _try_git(*arguments: str, cwd: Path) -> str:
    """What git says, or nothing when it has nothing to say."""
    try:
        return run_git(*arguments, cwd=cwd)
    except GitFailedError:
        return ""


def _list_refs(folder: Path) -> dict[str, str]:
    """Commit by full name of every branch and tag, and where the remote's HEAD points, as `ref: …`."""
    listing = run_git(
        "for-each-ref", "--format=%(objectname) %(refname) %(symref)", "refs/heads/", "refs/tags/",
        "refs/remotes/origin/", cwd=folder,
    )  # fmt: skip
    found = {}
    for line in filter(None, listing.split("\n")):
        sha, name, symref = line.split(" ", 2)
        found[name] = f"ref: {symref}" if symref else sha
    return found


def _default_branch(refs: Mapping[str, str]) -> str:
    """The branch the remote's HEAD names, else `main` or `master`, else the first there is."""
    head = refs.get(_REMOTE_HEAD, "")
    if head:
        return head.removeprefix(f"ref: {_REMOTE}")
    names = [name.removeprefix("refs/heads/") for name in refs if name.startswith("refs/heads/")]
    return next((name for name in ("main", "master") if name in names), names[0] if names else "main")


def _borrow_objects(common_dir: Path, into: Path) -> None:
    (into / "objects/info").mkdir(parents=True, exist_ok=True)
    (into / "objects/info/alternates").write_text(f"{common_dir / 'objects'}\n")
    if (common_dir / "shallow").exists():
        shutil.copyfile(common_dir / "shallow", into / "shallow")


def _write_tree(checkout: Checkout, into: Path) -> str:
    """Record the working tree as a tree object in `into`.

    A copy of the index saves hashing what has not changed; only objects that do not exist are written.
    """
    index = into / "penstock-index"
    if checkout.git_dir is not None and (checkout.git_dir / "index").exists():
        shutil.copyfile(checkout.git_dir / "index", index)
        shutil.copystat(checkout.git_dir / "index", index)
    environment = {
        "GIT_DIR": os.fspath(checkout.git_dir or into),
        "GIT_WORK_TREE": os.fspath(checkout.top),
        "GIT_INDEX_FILE": os.fspath(index),
        "GIT_OBJECT_DIRECTORY": os.fspath(into / "objects"),
    }
    run_git("-c", "core.bare=false", "add", "--all", ".", cwd=checkout.top, environment=environment)
    tree = run_git("write-tree", cwd=checkout.top, environment=environment)
    index.unlink()
    return tree


def _write_refs(checkout: Checkout, into: Path, sha: str) -> None:
    """Give `into` the branches and tags a server would see, and HEAD on the current branch."""
    refs = _branches(checkout)
    if checkout.branch:
        refs[f"refs/heads/{checkout.branch}"] = sha
        (into / "HEAD").write_text(f"ref: refs/heads/{checkout.branch}\n")
    else:
        (into / "HEAD").write_text(f"{sha}\n")
    (into / "packed-refs").write_text("".join(f"{refs[name]} {name}\n" for name in sorted(refs)))


def _branches(checkout: Checkout) -> dict[str, str]:
    known = {name: sha for name, sha in checkout.refs.items() if name != _REMOTE_HEAD}
    remote = {
        f"refs/heads/{name.removeprefix(_REMOTE)}": sha
        for name, sha in known.items()
        if name.startswith(_REMOTE)
    }
    tags = {name: sha for name, sha in known.items() if name.startswith("refs/tags/")}
    heads = {name: sha for name, sha in known.items() if name.startswith("refs/heads/")}
    return tags | (remote or heads)
