"""A folder of orbs: what is published stays, and partial versions find the newest."""

from pathlib import Path

import pytest

from penstock.forge.registry.folder import OrbFolder, parse_published
from penstock.forge.registry.orb import LARGEST_ORB
from penstock.language.circleci.orbs import OrbReference
from penstock.model.errors import ConflictError, InvalidError, LimitExceededError, UnavailableError


def publish(folder: OrbFolder, text: str, source: str) -> None:
    folder.publish(parse_published(text), source)


def find(folder: OrbFolder, version: str) -> str | None:
    orb = folder.find(OrbReference("acme/build", version))
    return orb.reference if orb is not None else None


def test_the_newest_fitting_version_is_found(tmp_path: Path) -> None:
    folder = OrbFolder(tmp_path)
    for version in ("1.9.0", "1.10.0", "2.0.0", "dev:a/b"):
        publish(folder, f"acme/build@{version}", version)
    wanted = ("1", "1.9", "volatile", "dev:a/b", "3", "dev:other")
    found = [find(folder, version) for version in wanted]
    assert found == [
        "acme/build@1.10.0", "acme/build@1.9.0", "acme/build@2.0.0", "acme/build@dev:a/b", None, None,
    ]  # fmt: skip
    assert [str(orb) for orb in folder.list_orbs()] == [
        "acme/build@dev:a/b", "acme/build@1.9.0", "acme/build@1.10.0", "acme/build@2.0.0",
    ]  # fmt: skip


def test_a_released_version_never_changes_and_a_development_one_may(tmp_path: Path) -> None:
    folder = OrbFolder(tmp_path)
    for version in ("1.0.0", "dev:x"):
        publish(folder, f"acme/build@{version}", "old")
    publish(folder, "acme/build@1.0.0", "old")
    publish(folder, "acme/build@dev:x", "new")
    with pytest.raises(ConflictError, match="choose a new version"):
        publish(folder, "acme/build@1.0.0", "new")
    orb = folder.find(OrbReference("acme/build", "dev:x"))
    assert orb is not None
    assert orb.source == "new"


@pytest.mark.parametrize("text", ["acme/build", "acme/build@1", "acme/build@volatile", "build@1.0.0", "a/b@"])
def test_only_exact_and_development_versions_are_published(text: str) -> None:
    with pytest.raises(InvalidError, match="NAMESPACE/NAME@VERSION"):
        parse_published(text)


def test_partial_versions_and_huge_sources_are_refused(tmp_path: Path) -> None:
    folder = OrbFolder(tmp_path)
    with pytest.raises(InvalidError, match="MAJOR"):
        folder.publish(OrbReference("acme/build", "1"), "")
    with pytest.raises(LimitExceededError):
        publish(folder, "acme/build@1.0.0", "x" * (LARGEST_ORB + 1))
    assert list(folder.list_orbs()) == []


def test_a_folder_that_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "acme").write_text("a file in the way")
    with pytest.raises(UnavailableError, match="cannot write"):
        publish(OrbFolder(tmp_path), "acme/build@1.0.0", "x")


def test_labels_do_not_leave_the_folder(tmp_path: Path) -> None:
    folder = OrbFolder(tmp_path / "orbs")
    publish(folder, "acme/build@dev:../../../out", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["orbs"]
    assert find(folder, "dev:../../../out") == "acme/build@dev:../../../out"
