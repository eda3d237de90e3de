"""`--ssh-key` through the front door: installed, offered, never printed."""

import shutil
from pathlib import Path

import pytest

from tests.support.command import Project
from tests.support.keys import known_key, make_key

CONFIG = """
version: 2.1
jobs:
  build:
    machine: true
    steps:
      - add_ssh_keys:
          fingerprints: ["FINGERPRINT"]
      - run: {name: offered, command: ssh -G git.example.com | grep -i '^identityfile' | head -1}
      - run: {name: other, command: ssh -G elsewhere.example.com 2>/dev/null | grep -ci id_rsa_ || true}
      - run: {name: leak, command: cat ~/.ssh/id_rsa_*}
"""


@pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh to offer keys")
def test_a_given_key_is_offered_to_its_host_and_masked(tmp_path: Path) -> None:
    key, file = known_key(7), tmp_path / "key"
    file.write_bytes(make_key(7))
    project = Project(tmp_path, CONFIG.replace("FINGERPRINT", key.md5))
    outcome = project.run("--ssh-key", f"{file}:git.example.com")
    assert outcome.status == 0, outcome
    assert project.log("build", "offered").rstrip().endswith(f".ssh/id_rsa_{key.md5.replace(':', '')}")
    assert project.log("build", "other") == "0\n"
    leaked = project.log("build", "leak")
    secret = [line for line in key.private.splitlines() if len(line) > 16 and "-" not in line]
    assert secret
    assert not [line for line in secret if line in leaked]
    assert find_files(project, secret[1]) == []
    assert project.run("--ssh-key", f"{file}:git.example.com", "--keep").status == 0
    assert list((project.home / "kept").rglob("ssh_config"))
    assert find_files(project, secret[1]) == []


def find_files(project: Project, text: str) -> list[Path]:
    """Files of the data folder in which the text stands."""
    return [path for path in project.home.rglob("*") if path.is_file() and text in read(path)]


def read(path: Path) -> str:
    return path.read_bytes().decode("latin-1")


def test_a_key_that_was_not_given_is_named_before_and_fails_its_step(tmp_path: Path) -> None:
    outcome = Project(tmp_path, CONFIG.replace("FINGERPRINT", "c9:0b:1c")).run()
    assert outcome.status == 1
    assert "no SSH key c9:0b:1c: give it with --ssh-key FILE" in outcome.err
    assert "This project has no SSH key with the fingerprint c9:0b:1c" in outcome.out


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "cannot read"), ("hello", "this is no private SSH key")]
)
def test_a_file_that_is_no_key_is_refused_by_name(tmp_path: Path, content: str | None, sentence: str) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    outcome = Project(tmp_path, CONFIG).run("--ssh-key", str(file))
    assert outcome.status == 2
    assert str(file) in outcome.err
    assert sentence in outcome.err
