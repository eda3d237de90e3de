from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.status import StepStatus
from penstock.plan.step import AddSshKeys
from tests.support.agents import Bench, host_bench
from tests.support.keys import known_key


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with host_bench(tmp_path) as bench:
        yield bench


def install(*fingerprints: str) -> AddSshKeys:
    return AddSshKeys(name="Installing additional ssh keys", fingerprints=fingerprints)


def test_keys_are_files_of_the_home_that_nobody_else_reads(bench: Bench) -> None:
    key = known_key()
    look = "cd ~/.ssh && stat -c '%a %n' id_* config && sha256sum < id_*; ls $PENSTOCK_CONTROL"
    task = bench.run(install(), look, keys=(key,))
    name = f"id_rsa_{key.md5.replace(':', '')}"
    output = bench.server.output_of(task, step=1).decode()
    assert output.startswith(f"600 {name}\n600 config\n")
    assert "ssh_key" not in output
    assert bench.server.output_of(task, step=0).decode() == f"Installed key {key.md5} for any host\n"


def test_a_key_is_offered_to_its_host(bench: Bench) -> None:
    first, second = known_key(1, "git.example.com"), known_key(2)
    task = bench.run(install(), "cat ~/.ssh/config", keys=(first, second))
    config = bench.server.output_of(task, step=1).decode()
    assert config.startswith("Host git.example.com\n  IdentitiesOnly yes\n  IdentityFile ")
    assert "Host *\n  IdentitiesOnly no\n" in config


def test_only_the_keys_that_are_named_are_installed(bench: Bench) -> None:
    first, second = known_key(1), known_key(2)
    task = bench.run(install(second.sha256), "ls ~/.ssh", keys=(first, second))
    shown = bench.server.output_of(task, step=1).decode().split()
    assert shown == ["config", f"id_rsa_{second.md5.replace(':', '')}"]


def test_a_fingerprint_nobody_knows_fails_the_step(bench: Bench) -> None:
    task = bench.run(install("c9:0b:1c"), keys=(known_key(),))
    [step] = bench.server.steps_of(task)
    assert step.status is StepStatus.FAILED
    assert step.message == "This project has no SSH key with the fingerprint c9:0b:1c"


def test_without_keys_the_step_says_so_and_passes(bench: Bench) -> None:
    task = bench.run(install())
    assert bench.server.output_of(task) == b"No SSH keys are stored for this project\n"
