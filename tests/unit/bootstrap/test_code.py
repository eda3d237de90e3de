"""A server reads projects through mirrors of their repositories."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.bootstrap import code as wiring
from penstock.bootstrap.code import MirroredCode
from penstock.engine.launch import Fetch, Ref
from penstock.engine.principal import SERVER
from penstock.engine.project_settings import set_credentials
from penstock.forge.address import Policy, Protocol
from penstock.forge.lock import hold_lock
from penstock.model.credentials import CloneCredentials
from penstock.model.errors import ForbiddenError, InvalidError, NotFoundError, RefusedError, UnavailableError
from penstock.model.project import Project
from penstock.store import removal
from penstock.store.sealing import Sealer
from tests.support.keys import make_key
from tests.support.lab import Lab
from tests.support.records import add_project
from tests.support.repositories import git, make_repository

SEALER = Sealer([b"k" * 32])
FILES = Policy(protocols=frozenset({Protocol.FILE}))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(f"sqlite:///{tmp_path / 'p.db'}", tmp_path)
    yield made
    made.close()


@pytest.fixture
def project(lab: Lab, tmp_path: Path) -> Project:
    """A project with the branch `main`, the tag `v1` and a pull request."""
    source = make_repository(tmp_path / "source", {"a.yml": "first"})
    git(source, "tag", "v1")
    git(source, "checkout", "--quiet", "-b", "dev/x")
    (source / "a.yml").write_text("second")
    git(source, "commit", "--quiet", "--all", "--message=second\n\nmore")
    git(source, "update-ref", "refs/pull/7/head", "HEAD")
    git(source, "checkout", "--quiet", "main")
    with lab.parts.db.write() as tx:
        return msgspec.structs.replace(add_project(tx), url=str(source))


def open_code(lab: Lab, folder: Path, policy: Policy = FILES) -> MirroredCode:
    return MirroredCode(folder / "mirrors", lab.parts.db, SEALER, policy)


@pytest.mark.parametrize(
    ("ref", "text", "subject"),
    [
        (Ref(branch="main"), b"first", "first"),
        (Ref(tag="v1"), b"first", "first"),
        (Ref(branch="dev/x"), b"second", "second"),
        (Ref(branch="pull/7/head"), b"second", "second"),
        (Ref(branch="pull/7"), b"second", "second"),
    ],
)
def test_a_ref_is_fetched_and_a_file_of_it_read(
    lab: Lab, project: Project, tmp_path: Path, ref: Ref, text: bytes, subject: str
) -> None:
    code = open_code(lab, tmp_path)
    commit = code.resolve(project, ref)
    assert commit.subject == subject
    assert code.read_file(project, commit.sha, "a.yml") == text


def test_commits_of_pull_requests_are_foreign_unless_they_are_on_a_branch(
    lab: Lab, project: Project, tmp_path: Path
) -> None:
    code = open_code(lab, tmp_path)
    assert not code.resolve(project, Ref(branch="dev/x")).foreign
    assert not code.resolve(project, Ref(branch="pull/7/head")).foreign
    source = Path(project.url)
    git(source, "commit", "--quiet", "--allow-empty", "--message=theirs")
    git(source, "update-ref", "refs/pull/8/head", "HEAD")
    git(source, "reset", "--quiet", "--hard", "HEAD~1")
    assert code.resolve(project, Ref(branch="pull/8/head")).foreign
    git(source, "update-ref", "refs/heads/merged", "refs/pull/8/head")
    assert not code.resolve(project, Ref(branch="pull/8")).foreign


def test_a_commit_is_had_by_its_name_when_its_branch_has_gone(
    lab: Lab, project: Project, tmp_path: Path
) -> None:
    code = open_code(lab, tmp_path)
    source = Path(project.url)
    sha = git(source, "rev-parse", "dev/x")
    git(source, "update-ref", "-d", "refs/heads/dev/x")
    git(source, "update-ref", "-d", "refs/pull/7/head")
    wanted = Fetch(ref="refs/heads/dev/x", sha=sha)
    assert code.obtain(project, wanted).body == "more"
    assert code.read_file(project, sha, "a.yml") == b"second"
    with pytest.raises(NotFoundError):
        code.obtain(project, Fetch(ref="refs/heads/dev/x", sha="1" * 40))
    with pytest.raises(NotFoundError):
        code.obtain(project, Fetch(ref="refs/heads/dev/x"))


def test_an_annotated_tag_stands_for_its_commit(lab: Lab, project: Project, tmp_path: Path) -> None:
    source = Path(project.url)
    git(source, "tag", "--annotate", "--message=two", "v2")
    tag, commit = git(source, "rev-parse", "v2"), git(source, "rev-parse", "main")
    assert open_code(lab, tmp_path).obtain(project, Fetch(ref="refs/tags/v2", sha=tag)).sha == commit


def test_a_commit_of_a_fork_is_fetched_from_there(lab: Lab, project: Project, tmp_path: Path) -> None:
    fork = make_repository(tmp_path / "fork", {"a.yml": "theirs"})
    sha = git(fork, "rev-parse", "HEAD")
    code = open_code(lab, tmp_path)
    for wanted in (sha, ""):
        assert code.obtain(project, Fetch(ref="refs/heads/main", sha=wanted, url=str(fork))).sha == sha
    assert code.read_file(project, sha, "a.yml") == b"theirs"
    for url in ("ext::sh -c touch% /tmp/x", "--upload-pack=x", "https://x.invalid/a"):
        with pytest.raises((InvalidError, ForbiddenError)):
            code.obtain(project, Fetch(ref="refs/heads/main", sha=sha, url=url))


def test_a_branch_is_as_the_origin_has_it_now(lab: Lab, project: Project, tmp_path: Path) -> None:
    code = open_code(lab, tmp_path)
    before = code.resolve(project, Ref(branch="main"))
    git(Path(project.url), "commit", "--quiet", "--allow-empty", "--message=later")
    after = code.resolve(project, Ref(branch="main"))
    assert (before.subject, after.subject) == ("first", "later")


@pytest.mark.parametrize(
    ("ref", "kind"),
    [
        (Ref(branch="gone"), NotFoundError),
        (Ref(tag="main"), NotFoundError),
        (Ref(branch="--upload-pack=touch x"), InvalidError),
        (Ref(branch="a..b"), InvalidError),
        (Ref(branch="pull/../../heads/main"), InvalidError),
    ],
)
def test_what_is_no_ref_is_told_so(
    lab: Lab, project: Project, tmp_path: Path, ref: Ref, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        open_code(lab, tmp_path).resolve(project, ref)


def test_an_address_that_is_not_allowed_is_not_followed(lab: Lab, project: Project, tmp_path: Path) -> None:
    with pytest.raises(ForbiddenError):
        open_code(lab, tmp_path, Policy()).resolve(project, Ref(branch="main"))


def test_the_mirror_of_a_project_that_is_gone_goes_too(lab: Lab, project: Project, tmp_path: Path) -> None:
    code = open_code(lab, tmp_path)
    mirror = tmp_path / "mirrors" / project.uuid
    (tmp_path / "mirrors/of-somebody").mkdir(parents=True)
    code.resolve(project, Ref(branch="main"))
    code.sweep()
    assert (mirror / "mirror.git").is_dir()
    with lab.parts.db.write() as tx:
        removal.mark_project(tx, project.id, now=1)
    with hold_lock(mirror / "lock", 1):
        code.sweep()
        assert (mirror / "mirror.git").is_dir(), "somebody works in it"
    code.sweep()
    assert not mirror.exists()
    assert (tmp_path / "mirrors/of-somebody").is_dir()


def test_keys_lie_in_files_only_while_git_runs(
    lab: Lab, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = CloneCredentials(private_key=make_key().decode(), known_hosts="host key")
    set_credentials(lab.parts, SEALER, SERVER, project, sealed)
    keys = tmp_path / "keys"
    keys.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(keys))
    open_code(lab, tmp_path).resolve(project, Ref(branch="main"))
    assert list(keys.iterdir()) == []
    kept = [file for file in tmp_path.rglob("*") if file.is_file() and b"PRIVATE KEY" in file.read_bytes()]
    assert kept == []


def test_slow_origins_leave_others_their_turn(
    lab: Lab, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "PATIENCE", 0.01)
    code = MirroredCode(tmp_path / "mirrors", lab.parts.db, SEALER, FILES, most=1)

    assert code._turns.acquire()
    with pytest.raises(UnavailableError):
        code.resolve(project, Ref(branch="main"))
    code._turns.release()
    assert code.resolve(project, Ref(branch="main")).subject == "first"


def test_a_project_that_has_no_repository_yet_says_so(lab: Lab, project: Project, tmp_path: Path) -> None:
    bare = msgspec.structs.replace(project, url="")
    with pytest.raises(RefusedError, match="no repository yet"):
        open_code(lab, tmp_path).resolve(bare, Ref(branch="main"))
    assert not open_code(lab, tmp_path).is_open(project)  # what lies on this machine is not for everybody


def test_a_file_is_read_though_the_address_changed_since_its_commit_was_fetched(
    lab: Lab, project: Project, tmp_path: Path
) -> None:
    code = open_code(lab, tmp_path)
    found = code.resolve(project, Ref(branch="main"))
    git(tmp_path, "clone", "--quiet", "--bare", "source", "moved.git")
    moved = msgspec.structs.replace(project, url=str(tmp_path / "moved.git"))
    assert code.read_file(moved, found.sha, "a.yml") == b"first"
