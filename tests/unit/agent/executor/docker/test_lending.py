from pathlib import Path

import pytest

from penstock.agent.executor.docker.containers import Mount
from penstock.agent.executor.docker.lending import is_readable, lend_source, list_objects, needs_ssh
from penstock.model.run import Revision
from penstock.wire.messages import Source


def make_objects(folder: Path, *alternates: str) -> Path:
    """A repository's folder of objects that borrows from others."""
    objects = folder / "objects"
    (objects / "info").mkdir(parents=True)
    (folder / "HEAD").touch()
    if alternates:
        (objects / "info/alternates").write_text("# comment\n" + "".join(f"{each}\n" for each in alternates))
    return objects


def test_objects_are_borrowed_over_any_number_of_repositories_but_never_twice(tmp_path: Path) -> None:
    third = make_objects(tmp_path / "c", str(tmp_path / "a/objects"))
    second = make_objects(tmp_path / "b", "../../c/objects", "/no/such/folder")
    first = make_objects(tmp_path / "a", str(second))
    assert list_objects(first) == [first, second, third]


def test_a_repository_that_borrows_is_lent_with_what_it_borrows_in_the_containers_words(
    tmp_path: Path,
) -> None:
    third = make_objects(tmp_path / "c")
    second = make_objects(tmp_path / "b", str(third))
    make_objects(tmp_path / "a", str(second))
    mounts = lend_source(tmp_path / "a", tmp_path)
    assert mounts == [
        Mount(str(tmp_path / "a"), "/penstock/source"),
        Mount(str(tmp_path / "alternates"), "/penstock/source/objects/info/alternates"),
        Mount(str(second), "/penstock/objects/0"),
        Mount(str(tmp_path / "nothing"), "/penstock/objects/0/info/alternates"),
        Mount(str(third), "/penstock/objects/1"),
    ]
    assert (tmp_path / "alternates").read_text() == "/penstock/objects/0\n/penstock/objects/1\n"
    assert all(mount.read_only for mount in mounts)


def test_a_repository_that_borrows_nothing_is_lent_alone(tmp_path: Path) -> None:
    make_objects(tmp_path / "a")
    assert lend_source(tmp_path / "a", tmp_path) == [Mount(str(tmp_path / "a"), "/penstock/source")]


def test_what_an_umask_closed_is_readable_only_for_root_and_its_owner(tmp_path: Path) -> None:
    second = make_objects(tmp_path / "b")
    make_objects(tmp_path / "a", str(second))
    for path in (tmp_path / "a", tmp_path / "a/HEAD", tmp_path / "a/objects", second):
        path.chmod(0o755)
    assert is_readable(tmp_path / "a", 1234)
    second.chmod(0o750)
    assert not is_readable(tmp_path / "a", 1234)
    assert is_readable(tmp_path / "a", 0)


@pytest.mark.parametrize(
    ("url", "needed"),
    [
        ("ssh://git@git.example.com/app.git", True),
        ("git@github.com:acme/app.git", True),
        ("https://github.com/acme/app.git", False),
        ("/srv/git/app.git", False),
        ("file:///srv/git/app.git", False),
    ],
)
def test_what_is_cloned_over_ssh_needs_that_program(url: str, *, needed: bool) -> None:
    assert needs_ssh(Source(url=url, revision=Revision(sha="1" * 40))) is needed


def test_what_has_no_source_needs_none() -> None:
    assert not needs_ssh(None)
