"""A mirror follows its origin, tells why it cannot, and survives whatever is done to it."""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from penstock.forge.address import Policy, Protocol
from penstock.forge.credentials import Credentials, HostKeys
from penstock.forge.lock import hold_lock
from penstock.forge.mirror import Mirror
from penstock.forge.process import Bounds
from penstock.model.errors import (
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    PenstockError,
    UnavailableError,
)
from tests.support.disks import small_disk
from tests.support.git_host import TOKEN, serve_git
from tests.support.repositories import git, make_repository, write_files

EVERYWHERE = Policy(protocols=frozenset(Protocol))
UNKNOWN = "12" * 20


def commit_files(source: Path, files: dict[str, str], message: str = "more") -> str:
    write_files(source, files)
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--allow-empty", f"--message={message}")
    return git(source, "rev-parse", "HEAD")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_repository(
        tmp_path / "source/app", {".circleci/config.yml": "version: 2.1\n", "a/b.txt": "b"}
    )


@pytest.fixture
def mirror(tmp_path: Path, source: Path) -> Mirror:
    return open_mirror(tmp_path, str(source))


def open_mirror(tmp_path: Path, url: str, credentials: Credentials | None = None) -> Mirror:
    return Mirror(tmp_path / "mirror", url, credentials, policy=EVERYWHERE, bounds=Bounds(seconds=60))


def test_branches_tags_and_files_of_the_origin_are_here(mirror: Mirror, source: Path) -> None:
    first = git(source, "rev-parse", "HEAD")
    git(source, "tag", "--annotate", "v1", "--message=one")
    git(source, "checkout", "--quiet", "-b", "feature/x")
    second = commit_files(source, {"c": "c"}, "subject\n\nbody\nof two lines\n")
    git(source, "checkout", "--quiet", "main")
    mirror.fetch()
    assert mirror.default_branch() == "main"
    assert mirror.list_branches() == {"main": first, "feature/x": second}
    assert mirror.list_tags() == {"v1": first}
    assert mirror.resolve("v1").sha == mirror.resolve("").sha == mirror.resolve(first).sha == first
    found = mirror.resolve("feature/x")
    assert (found.sha, found.subject, found.body) == (second, "subject", "body\nof two lines")
    assert (found.author, found.authorship.email) == ("Author", "author@example.com")
    assert (found.authorship.committer, found.authorship.committer_email) == (
        "Author",
        "author@example.com",
    )
    times = [int(text) * 1000 for text in git(source, "log", "-1", "--format=%at %ct", second).split()]
    assert [found.authorship.authored_at, found.authorship.committed_at] == times
    assert mirror.read_file(first, ".circleci/config.yml") == b"version: 2.1\n"
    assert mirror.list_files(second) == [".circleci/config.yml", "a/b.txt", "c"]
    assert mirror.list_changed(first, second) == ["c"]
    assert mirror.find_branches_of(second) == ["feature/x"]
    assert mirror.find_branches_of(first) == ["feature/x", "main"]
    assert mirror.find_branches_of(UNKNOWN) == []


@pytest.mark.parametrize("date", ["99999999999999", "18446744073709551615", "-5", "x", ""])
def test_a_commit_may_say_that_it_was_made_at_any_time(mirror: Mirror, source: Path, date: str) -> None:
    tree = git(source, "rev-parse", "HEAD^{tree}")
    person = f"A <a@example.com> {date} +0000"
    text = f"tree {tree}\nauthor {person}\ncommitter {person}\n\nodd\n"
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "--literally", "-w", "--stdin"],
        cwd=source,
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    git(source, "update-ref", "refs/heads/odd", made.stdout.strip())
    mirror.fetch()
    found = mirror.resolve("odd")
    assert found.subject == "odd"
    assert 0 <= found.authorship.committed_at <= 253_402_300_799_000


def test_a_mirror_that_was_never_fetched_is_fetched_when_it_is_read(mirror: Mirror, source: Path) -> None:
    assert mirror.resolve("main").sha == git(source, "rev-parse", "HEAD")


def test_a_removed_mirror_leaves_nothing_behind(mirror: Mirror) -> None:
    mirror.fetch()
    mirror.remove()
    assert [path.name for path in mirror.folder.iterdir()] == ["lock"]
    mirror.remove()
    assert mirror.resolve("main").subject == "first"


def test_a_repository_that_names_its_objects_by_sha256_is_mirrored(tmp_path: Path) -> None:
    source = tmp_path / "modern"
    source.mkdir()
    git(source, "init", "--quiet", "--initial-branch=main", "--object-format=sha256")
    sha = commit_files(source, {"a": "1"})
    mirror = open_mirror(tmp_path, str(source))
    mirror.fetch("refs/heads/main", commit=sha)
    assert len(sha) == 64
    assert mirror.read_file(sha, "a") == b"1"


def test_a_shallow_clone_is_mirrored_as_far_as_it_goes(tmp_path: Path, source: Path) -> None:
    sha = commit_files(source, {"c": "c"})
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{source}", "shallow")
    mirror = open_mirror(tmp_path, str(tmp_path / "shallow"))
    assert mirror.resolve("main").sha == sha


def test_one_ref_is_fetched_alone(mirror: Mirror, source: Path) -> None:
    mirror.fetch()
    git(source, "branch", "other")
    second = commit_files(source, {"c": "c"})
    mirror.fetch("refs/heads/main")
    assert mirror.list_branches() == {"main": second}


def test_what_the_origin_deleted_or_rewrote_is_followed(mirror: Mirror, source: Path) -> None:
    git(source, "branch", "gone")
    git(source, "tag", "moving")
    old = commit_files(source, {"c": "c"})
    mirror.fetch()
    git(source, "branch", "--delete", "gone")
    git(source, "reset", "--quiet", "--hard", "HEAD~")
    new = commit_files(source, {"d": "d"})
    git(source, "tag", "--force", "moving")
    mirror.fetch()
    assert mirror.list_branches() == {"main": new}
    assert mirror.list_tags() == {"moving": new}
    assert mirror.read_file(old, "c") == b"c"  # a rerun of what was pushed away still finds it


def test_a_branch_may_take_the_place_of_a_folder_of_branches(mirror: Mirror, source: Path) -> None:
    git(source, "branch", "a")
    mirror.fetch()
    git(source, "branch", "--delete", "a")
    git(source, "branch", "a/b")
    mirror.fetch("refs/heads/a/b")
    assert sorted(mirror.list_branches()) == ["a/b", "main"]


def test_the_default_branch_follows_the_origins_head(mirror: Mirror, source: Path) -> None:
    mirror.fetch()
    git(source, "checkout", "--quiet", "-b", "trunk")
    mirror.fetch()
    assert mirror.default_branch() == "trunk"


def test_a_ref_of_a_pull_request_is_fetched_by_its_name(mirror: Mirror, source: Path) -> None:
    sha = git(source, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "proposal")
    git(source, "update-ref", "refs/pull/7/head", sha)
    mirror.fetch()
    with pytest.raises(NotFoundError, match="no branch or tag pull/7/head"):
        mirror.resolve("pull/7/head")
    mirror.fetch("refs/pull/7/head")
    assert mirror.resolve("pull/7/head").sha == sha
    assert mirror.resolve("refs/pull/7/head").subject == "proposal"


def test_the_branch_of_a_fork_is_fetched_beside_the_project(mirror: Mirror, source: Path) -> None:
    fork = source.parent / "fork"
    git(source.parent, "clone", "--quiet", str(source), str(fork))
    sha = commit_files(fork, {"theirs": "1"})
    mirror.fetch_fork(str(fork), "main", "refs/pull/7/head")
    assert mirror.resolve("pull/7/head").sha == sha
    mirror.fetch()
    assert mirror.list_branches() == {"main": git(source, "rev-parse", "HEAD")}
    assert mirror.resolve("pull/7/head").sha == sha


def test_a_token_does_not_go_to_a_fork_elsewhere(tmp_path: Path, source: Path) -> None:
    with serve_git(source.parent) as host, serve_git(source.parent) as other:
        mirror = open_mirror(tmp_path, f"{host.address}/app", Credentials(token=TOKEN))
        mirror.fetch_fork(f"{other.address}/app", "main", "refs/pull/7/head")
        assert set(other.headers) == {""}
        mirror.fetch_fork(f"{host.address}/app", "main", "refs/pull/8/head")
        assert all(host.headers)


def test_a_commit_that_is_here_is_not_fetched_again(mirror: Mirror, source: Path) -> None:
    sha = git(source, "rev-parse", "HEAD")
    mirror.fetch(commit=sha)
    source.rename(source.parent / "elsewhere")
    mirror.fetch(commit=sha)
    with pytest.raises(NotFoundError, match="there is no repository"):
        mirror.fetch(commit=UNKNOWN)


def test_a_commit_that_is_on_no_branch_any_more_is_fetched_by_its_name(mirror: Mirror, source: Path) -> None:
    lost = commit_files(source, {"c": "c"})
    git(source, "reset", "--quiet", "--hard", "HEAD~")
    git(source, "config", "uploadpack.allowAnySHA1InWant", "true")
    mirror.fetch(commit=lost)
    assert mirror.read_file(lost, "c") == b"c"


def test_an_empty_repository_has_no_branches(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    mirror = open_mirror(tmp_path, str(tmp_path / "empty.git"))
    mirror.fetch()
    assert mirror.list_branches() == {}
    with pytest.raises(NotFoundError, match="no branch or tag main"):
        mirror.resolve("")


def test_what_the_origin_does_not_have_is_not_found(mirror: Mirror) -> None:
    with pytest.raises(NotFoundError, match="no such branch, tag or commit"):
        mirror.fetch("refs/heads/nowhere")
    with pytest.raises(NotFoundError, match="no such branch, tag or commit"):
        mirror.fetch(commit=UNKNOWN)
    for read in (mirror.list_files, mirror.resolve):
        with pytest.raises(NotFoundError, match="no commit 1212"):
            read(UNKNOWN)
    with pytest.raises(NotFoundError, match="no commit 1212"):
        mirror.read_file(UNKNOWN, "a")
    with pytest.raises(NotFoundError, match="no commit 1212"):
        mirror.list_changed(mirror.resolve("").sha, UNKNOWN)


@pytest.mark.parametrize(
    "ref", ["--upload-pack=touch x", "-x", "a..b", "a b", "@{-1}", "a:b", "x.lock", "", "\0", "\ud800"]
)
def test_a_name_git_could_misread_never_reaches_it(mirror: Mirror, ref: str) -> None:
    with pytest.raises(InvalidError, match="no name of a branch or tag"):
        mirror.fetch(ref)
    for commit in ("HEAD", "abc", "-x" * 20):
        with pytest.raises(InvalidError, match="a commit is named by"):
            mirror.read_file(commit, "a")


def test_another_address_makes_another_mirror(mirror: Mirror, tmp_path: Path) -> None:
    mirror.fetch()
    secret = mirror.resolve("main").sha
    other = make_repository(tmp_path / "source/other", {"x": "x"})
    moved = open_mirror(tmp_path, str(other))
    with pytest.raises(NotFoundError):
        moved.read_file(secret, "a/b.txt")
    assert moved.list_files(moved.resolve("main").sha) == ["x"]


def test_a_private_repository_opens_with_its_token_only(tmp_path: Path, source: Path) -> None:
    with serve_git(source.parent) as host:
        host.private = True
        url = f"{host.address}/app"
        opened = open_mirror(tmp_path, url, Credentials(token=TOKEN))
        opened.fetch()
        assert opened.resolve("main").subject == "first"
        inside = open_mirror(tmp_path / "2", url.replace("://", f"://me:{TOKEN}@"))
        inside.fetch()
        assert TOKEN not in "".join(
            path.read_text() for path in inside.repository.glob("*") if path.is_file()
        )
        for credentials in (None, Credentials(token="wr0ng-token")):
            with pytest.raises(ForbiddenError, match="refuses the given credentials") as caught:
                open_mirror(tmp_path / "3", url, credentials).fetch()
            assert "wr0ng" not in str(caught.value)


def test_the_token_is_in_no_process_list_and_no_representation(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    wrapper = make_program(
        tmp_path / "bin/git", f'echo "$@" >> {seen}\nPATH=${{PATH#*:}} exec git "$@"\n', monkeypatch
    )
    assert wrapper.exists()
    with serve_git(source.parent) as host:
        credentials = Credentials(token=TOKEN)
        open_mirror(tmp_path, f"{host.address}/app", credentials).fetch()
        assert any(host.headers)
    assert "fetch" in seen.read_text()
    assert TOKEN not in seen.read_text() + repr(credentials)


def make_program(path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program found before all others of its name."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
    return path


def test_a_token_is_never_carried_to_where_a_host_redirects(tmp_path: Path, source: Path) -> None:
    with serve_git(source.parent) as thief, serve_git(source.parent) as host:
        host.status, host.location = 302, thief.address
        with pytest.raises(InvalidError, match="redirects"):
            open_mirror(tmp_path, f"{host.address}/app", Credentials(token=TOKEN)).fetch()
        assert thief.paths == []
        open_mirror(tmp_path, f"{host.address}/app").fetch()
        assert thief.paths != []


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (404, NotFoundError, "there is no repository"),
        (403, ForbiddenError, "refuses the given credentials"),
        (500, UnavailableError, "does not answer"),
        (429, UnavailableError, "does not answer"),
    ],
)
def test_a_hosts_refusal_is_told_as_what_it_is(
    tmp_path: Path, source: Path, status: int, kind: type[PenstockError], words: str
) -> None:
    with serve_git(source.parent) as host:
        host.status = status
        with pytest.raises(kind, match=words):
            open_mirror(tmp_path, f"{host.address}/app").fetch()


def test_a_host_that_says_nothing_is_given_up_and_nothing_is_left_running(
    tmp_path: Path, source: Path
) -> None:
    with serve_git(source.parent) as host:
        host.gate.clear()
        mirror = Mirror(
            tmp_path / "mirror", f"{host.address}/app", policy=EVERYWHERE, bounds=Bounds(seconds=0.5)
        )
        with pytest.raises(UnavailableError, match="did not answer within"):
            mirror.fetch()
        with hold_lock(tmp_path / "mirror/lock", 5):  # no child holds it any more
            pass


def test_nobody_there_is_told_of(tmp_path: Path, source: Path) -> None:
    with serve_git(source.parent) as host:
        address = host.address
    with pytest.raises(UnavailableError, match="does not answer"):
        open_mirror(tmp_path, f"{address}/app").fetch()


def test_ssh_is_called_with_the_key_and_the_known_hosts_given(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    script = f'for word; do echo "$word" >> {seen}; last=$word; done\nexec sh -c "$last"\n'
    make_program(tmp_path / "bin/ssh", script, monkeypatch)
    credentials = Credentials(
        key=tmp_path / "my key", known_hosts=tmp_path / "known hosts", host_keys=HostKeys.NEW
    )
    mirror = open_mirror(tmp_path, f"git@example.com:{source}", credentials)
    mirror.fetch()
    assert mirror.resolve("main").subject == "first"
    words = seen.read_text().splitlines()
    assert words[words.index("-i") + 1] == str(tmp_path / "my key")
    assert {"BatchMode=yes", "StrictHostKeyChecking=accept-new", "IdentitiesOnly=yes"} <= set(words)
    assert f'UserKnownHostsFile="{tmp_path}/known hosts"' in words
    assert "git@example.com" in words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("git@example.com: Permission denied (publickey).", "refuses the given credentials"),
        ("Host key verification failed.", "known hosts"),
    ],
)
def test_what_ssh_says_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, words: str
) -> None:
    make_program(tmp_path / "bin/ssh", f"echo '{said}' >&2\nexit 255\n", monkeypatch)
    with pytest.raises(ForbiddenError, match=words):
        open_mirror(tmp_path, "git@example.com:acme/app.git").fetch()


def damage(repository: Path, how: str) -> None:
    pack = next((repository / "objects/pack").glob("*.pack"))
    if how == "pack":
        pack.chmod(0o644)
        pack.write_bytes(pack.read_bytes()[:100])
    elif how == "no objects":
        pack.unlink()
    else:
        text = {"HEAD": "", "config": "[core\n", "packed-refs": "\0\1\2 nonsense\n"}[how]
        (repository / how).write_text(text)


@pytest.mark.parametrize("how", ["pack", "no objects", "HEAD", "config", "packed-refs"])
@pytest.mark.parametrize("then", ["read", "fetch"])
def test_a_damaged_mirror_is_made_anew(mirror: Mirror, source: Path, how: str, then: str) -> None:
    sha = commit_files(source, {str(number): "x" * number for number in range(120)})
    mirror.fetch()  # more than a hundred objects stay in one pack
    damage(mirror.repository, how)
    if then == "fetch":
        sha = commit_files(source, {"7": "new"})
        mirror.fetch(commit=sha)
        assert mirror.read_file(sha, "7") == b"new"
    assert mirror.read_file(sha, "8") == b"x" * 8
    assert mirror.resolve("main").sha == sha


def test_a_damaged_origin_is_not_copied_for_ever(mirror: Mirror, source: Path) -> None:
    tree = git(source, "rev-parse", "HEAD^{tree}")
    (source / f".git/objects/{tree[:2]}/{tree[2:]}").unlink()
    with pytest.raises(UnavailableError):
        mirror.fetch()


def test_what_a_killed_git_left_is_no_hindrance(mirror: Mirror, source: Path) -> None:
    mirror.fetch()
    sha = commit_files(source, {"c": "c"})
    for name in ("refs/heads/main.lock", "packed-refs.lock", "HEAD.lock"):
        (mirror.repository / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror.repository / name).touch()
    mirror.fetch()
    assert mirror.resolve("main").sha == sha


def test_a_server_killed_in_the_middle_of_a_fetch_leaves_a_usable_mirror(
    tmp_path: Path, source: Path
) -> None:
    script = (
        "import sys; from pathlib import Path; from penstock.forge.mirror import Mirror; "
        "from penstock.forge.address import Policy, Protocol; "
        "Mirror(Path(sys.argv[1]), sys.argv[2], policy=Policy(protocols=frozenset(Protocol))).fetch()"
    )
    with serve_git(source.parent) as host:
        host.gate.clear()
        url = f"{host.address}/app"
        command = [sys.executable, "-c", script, str(tmp_path / "mirror"), url]
        with subprocess.Popen(command) as process:
            assert host.asked.wait(30)
            process.send_signal(signal.SIGKILL)
        with (
            pytest.raises(UnavailableError, match="another process"),
            hold_lock(tmp_path / "mirror/lock", 0.05),
        ):
            pass  # the orphaned git still works there
        host.gate.set()
        mirror = open_mirror(tmp_path, url)
        mirror.fetch()
        assert mirror.resolve("main").subject == "first"


def test_a_fetch_killed_at_any_moment_leaves_a_usable_mirror(tmp_path: Path, source: Path) -> None:
    commit_files(
        source, {f"{number}/{each}": f"{number} {each}" for number in range(30) for each in range(30)}
    )
    script = (
        "import sys; from pathlib import Path; from penstock.forge.mirror import Mirror; "
        "from penstock.forge.address import Policy, Protocol; print('begun', flush=True)\n"
        "policy = Policy(protocols=frozenset(Protocol))\n"
        "while True: mirror = Mirror(Path(sys.argv[1]), sys.argv[2], policy=policy); "
        "mirror.fetch(); mirror.tidy(); mirror.remove()"
    )
    for round_ in range(8):
        command = [sys.executable, "-c", script, str(tmp_path / "mirror"), str(source)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.02 + 0.035 * round_)
            process.send_signal(signal.SIGKILL)
        mirror = open_mirror(tmp_path, str(source))
        assert mirror.read_file(mirror.resolve("main").sha, "7/7") == b"7 7"
        mirror.fetch()
        git(mirror.repository, "fsck", "--strict")


def test_many_fetch_the_same_new_mirror_at_once(tmp_path: Path, source: Path) -> None:
    failures: list[PenstockError] = []

    def work() -> None:
        try:
            mirror = open_mirror(tmp_path, str(source))
            mirror.fetch("refs/heads/main")
            assert mirror.read_file(mirror.resolve("main").sha, "a/b.txt") == b"b"
        except PenstockError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_many_mend_the_same_damaged_mirror_once(mirror: Mirror, tmp_path: Path, source: Path) -> None:
    commit_files(source, {str(number): "x" * number for number in range(120)})
    mirror.fetch()
    sha = mirror.resolve("main").sha
    damage(mirror.repository, "no objects")
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(open_mirror(tmp_path, str(source)).read_file(sha, "7")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"x" * 7] * 6


def test_readers_are_right_while_the_mirror_is_replaced_again_and_again(
    mirror: Mirror, tmp_path: Path
) -> None:
    sha = mirror.resolve("main").sha
    over = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        reader = open_mirror(tmp_path, mirror.address.url)
        while not over.is_set():
            try:
                found = (reader.read_file(sha, "a/b.txt"), list(reader.list_branches()))
            except PenstockError as error:
                wrong.append(error)
            else:
                wrong.extend([found] if found != (b"b", ["main"]) else [])

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(12):
        mirror.remove()
        mirror.fetch()
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_many_fetches_do_not_make_a_mirror_slow(mirror: Mirror, source: Path) -> None:
    for number in range(8):
        commit_files(source, {f"{number}/{each}": f"{number} {each}" for each in range(120)})
        mirror.fetch("refs/heads/main")
    lost = git(source, "rev-parse", "HEAD")
    git(source, "reset", "--quiet", "--hard", "HEAD~")
    mirror.fetch()
    assert len(list((mirror.repository / "objects/pack").glob("*.pack"))) == 8
    mirror.tidy()
    assert len(list((mirror.repository / "objects/pack").glob("*.pack"))) <= 2
    assert mirror.read_file(lost, "7/7") == b"7 7"


def test_a_full_disk_is_told_of_and_hurts_nothing(tmp_path: Path, source: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        mirror = Mirror(disk / "mirror", str(source), policy=EVERYWHERE)
        mirror.fetch()
        (source / "big").write_bytes(os.urandom(2_000_000))
        commit_files(source, {})
        with pytest.raises(UnavailableError, match="full"):
            mirror.fetch()
        assert mirror.resolve("main").subject == "first"


def test_a_repository_larger_than_allowed_is_refused(tmp_path: Path, source: Path) -> None:
    (source / "big").write_bytes(os.urandom(2_000_000))
    commit_files(source, {})
    bounds = Bounds(seconds=60, largest_file=1_000_000)
    mirror = Mirror(tmp_path / "mirror", str(source), policy=EVERYWHERE, bounds=bounds)
    with pytest.raises(LimitExceededError, match="larger than this server takes"):
        mirror.fetch()
    (source / "big").unlink()
    git(source, "commit", "--quiet", "--all", "--amend", "--allow-empty", "--message=small")
    mirror.fetch()
    assert mirror.resolve("main").subject == "small"


def test_a_file_larger_than_allowed_is_refused(mirror: Mirror, source: Path) -> None:
    sha = commit_files(source, {"big": "x" * 100_000})
    mirror.fetch()
    for largest in (10, 99_999):
        with pytest.raises(LimitExceededError, match="big is larger than"):
            mirror.read_file(sha, "big", largest)
    assert len(mirror.read_file(sha, "big", 100_000)) == 100_000


def test_a_linked_config_is_followed_inside_the_repository_only(mirror: Mirror, source: Path) -> None:
    (source / "inside").symlink_to("a/b.txt")
    (source / "folder").symlink_to("a")
    (source / "outside").symlink_to("/etc/passwd")
    (source / "above").symlink_to("../../secret")
    (source / "nowhere").symlink_to("missing")
    (source / "circle").symlink_to("circle")
    sha = commit_files(source, {})
    mirror.fetch()
    assert mirror.read_file(sha, "inside") == mirror.read_file(sha, "folder/b.txt") == b"b"
    for path in ("outside", "above", "nowhere", "circle"):
        with pytest.raises(InvalidError, match="symbolic link"):
            mirror.read_file(sha, path)


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../x", "a\nb", "a\0b", "\ud800"])
def test_a_path_that_is_none_inside_a_repository_is_refused(mirror: Mirror, path: str) -> None:
    with pytest.raises(InvalidError, match="no path inside"):
        mirror.read_file(mirror.resolve("").sha, path)


def test_a_file_that_is_not_there_is_not_found(mirror: Mirror) -> None:
    sha = mirror.resolve("").sha
    for path in ("nowhere", "a/nowhere", "a b", "a/b.txt/c"):
        with pytest.raises((NotFoundError, InvalidError)):
            mirror.read_file(sha, path)
    with pytest.raises(InvalidError, match="a is no file"):
        mirror.read_file(sha, "a")


def test_names_and_messages_that_are_no_utf8_are_shown_all_the_same(mirror: Mirror, source: Path) -> None:
    (source / os.fsdecode(b"caf\xe9")).write_text("x")
    git(source, "add", "--all")
    who = "A <a@example.com> 1700000000 +0000"
    text = f"tree {git(source, 'write-tree')}\nauthor {who}\ncommitter {who}\n\n".encode() + b"caf\xe9"
    (source.parent / "commit").write_bytes(text)
    sha = git(source, "hash-object", "-t", "commit", "-w", str(source.parent / "commit"))
    git(source, "reset", "--quiet", "--hard", sha)
    mirror.fetch()
    found = mirror.resolve("main")
    assert found.subject.encode() == "caf\N{REPLACEMENT CHARACTER}".encode()
    assert "caf\N{REPLACEMENT CHARACTER}" in mirror.list_files(found.sha)


def test_changes_are_counted_from_where_the_branch_left(mirror: Mirror, source: Path) -> None:
    git(source, "checkout", "--quiet", "-b", "topic")
    topic = commit_files(source, {"mine": "1"})
    git(source, "checkout", "--quiet", "main")
    main = commit_files(source, {"theirs": "1"})
    git(source, "checkout", "--quiet", "--orphan", "apart")
    apart = commit_files(source, {"new": "1"})
    mirror.fetch()
    assert mirror.list_changed(main, topic) == ["mine"]
    assert mirror.list_changed(apart, topic) == ["mine", "new", "theirs"]
    assert mirror.list_changed(main, main) == []
