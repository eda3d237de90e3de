"""Folders of orbs, packed and unpacked, imported into the registry of this machine."""

from pathlib import Path

import pytest

from penstock.forge.registry.bundle import import_bundle, list_bundle, read_orb
from penstock.forge.registry.folder import OrbFolder
from penstock.language.circleci.orbs import OrbReference
from penstock.model.errors import InvalidError
from tests.support.shared_data import find_shared


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_names_and_versions_come_from_the_paths(tmp_path: Path) -> None:
    files = {
        "acme__build@1.2.3.yml": "{}", "acme__orbs__test-orb.yml": "{}", "README.md": "", "other.yml": "{}",
        "acme/lint/2.0.0.yml": "{}", "acme/lint/notes.yml": "{}", "acme/pack/src/@orb.yml": "{}",
        "some/orb/0.0.1/orb.yml": "{}",
    }  # fmt: skip
    listed = {str(reference) for reference in list_bundle(write(tmp_path, files), "9.0.0")}
    assert listed == {
        "acme/build@1.2.3", "acme/test@9.0.0", "acme/lint@2.0.0", "acme/pack@9.0.0", "some/orb@0.0.1",
    }  # fmt: skip


def test_a_source_folder_is_packed_on_the_way(tmp_path: Path) -> None:
    files = {
        "src/@orb.yml": "description: d\n",
        "src/commands/greet.yml": "steps:\n  - run: {command: <<include(scripts/greet.sh)>>}\n",
        "src/scripts/greet.sh": "cat <<EOF\nhi\nEOF\n",
    }
    packed = read_orb(write(tmp_path, files))
    assert packed == (
        "description: d\ncommands:\n  greet:\n    steps:\n    - run:\n        command: |\n"
        "          cat \\<<EOF\n          hi\n          EOF\n"
    )


def test_one_broken_orb_does_not_keep_the_others_out(tmp_path: Path) -> None:
    files = {"a__good.yml": "commands: {}", "a__bad.yml": "commands: [", "a__list.yml": "[]"}
    registry = OrbFolder(tmp_path / "orbs")
    done, faults = import_bundle(write(tmp_path / "in", files), registry)
    assert [str(reference) for reference in done] == ["a/good@1.0.0"]
    assert len(faults) == 2
    assert list(registry.list_orbs()) == [OrbReference("a/good", "1.0.0")]


def test_a_folder_without_orbs_is_told_of(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InvalidError):
            import_bundle(folder, OrbFolder(tmp_path / "orbs"))


def test_all_orbs_of_the_data_folder_are_imported(tmp_path: Path) -> None:
    folder = find_shared("circleci/orbs")
    done, faults = import_bundle(folder, OrbFolder(tmp_path))
    assert (len(done), faults) == (len(list(folder.glob("*.yml"))), [])
    names = {reference.name for reference in done}
    assert {"circleci/node", "circleci/slack", "artsy/auto"} <= names
