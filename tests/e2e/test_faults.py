"""Steps that misbehave in every way we know: the run ends with a true verdict and leaves no process."""

import os
import secrets
from pathlib import Path

import msgspec
import pytest

from tests.support.command import Project
from tests.support.measured import run_bounded
from tests.support.processes import processes_with


class Deed(msgspec.Struct):
    """What a step does, how the run must end, and what its log must hold."""

    script: str
    status: int = 0
    log: str = ""


DEEDS = {
    "a daemon in a session of its own": Deed("setsid sleep $TIME & echo over", log="over"),
    "a daemon forked twice": Deed("(setsid sh -c 'sleep $TIME & sleep $TIME' &) ; echo over", log="over"),
    "a daemon that ignores hang-ups": Deed("nohup sleep $TIME > /dev/null 2>&1 & echo over", log="over"),
    "a daemon that shed its variables": Deed("env -i setsid sleep $TIME & sleep 0.1; echo over", log="over"),
    "a daemon that holds the output open": Deed("sleep $TIME & disown; echo over", log="over"),
    "a daemon that ignores every polite signal": Deed(
        "(trap '' TERM INT HUP; setsid sh -c 'while :; do sleep $TIME; done') & echo over", log="over"
    ),
    "output without a newline": Deed("printf unfinished", log="unfinished"),
    "a line of 20 MB": Deed("head -c 20000000 /dev/zero | tr '\\0' x", log="xxxx"),
    "its own folder deleted": Deed('rm -rf "$PWD"; echo over', log="over"),
    "its HOME deleted": Deed('rm -rf "$HOME"; echo over', log="over"),
    "everything it may write to deleted": Deed("rm -rf ~/.. 2> /dev/null || true; echo over", log="over"),
    "output closed": Deed("exec >&- 2>&-; sleep 0.3; exit 4", status=1),
    "its shell killed by a child": Deed("sh -c 'kill -9 $PPID'; sleep $TIME", status=1),
    "itself killed": Deed("kill -9 $$", status=1),
    "its group killed": Deed("kill -9 0", status=1),
    "every process it may signal in its session killed": Deed(
        "sleep $TIME & for n in $(ps -o pid= -s $(ps -o sid= -p $$)); do kill -9 $n; done", status=1
    ),
    "no descriptors left": Deed(
        'ulimit -n 20; for n in $(seq 4 40); do eval "exec $n</dev/null" || exit 7; done', status=1
    ),
    "500 children": Deed("for n in $(seq 500); do sleep $TIME & done; echo over", log="over"),
    "a file larger than it may be": Deed("ulimit -f 10; head -c 1000000 /dev/zero > file", status=1),
    "more memory than it may have": Deed(
        "ulimit -v 200000; head -c 900000000 /dev/zero | tail > /dev/null", status=1
    ),
    "names that are no text": Deed(
        "touch \"$(printf 'a\\377b')\" -- '-x' \"$(printf 'a\\nb')\"; ls", log="-x"
    ),
    "a folder that forbids itself": Deed("mkdir -p a/b; touch a/b/c; chmod 0 a/b a; echo over", log="over"),
    "1400 folders one in the other": Deed(
        "for n in 1 2; do d=$(printf 'dir/%.0s' $(seq 700)); mkdir -p $d; cd $d; done; echo over",
        log="over",
    ),
    "an exit status of its own": Deed("exit 255", status=1),
    "no command": Deed("no-such-command-anywhere", status=1),
}


def config_of(script: str, more: str = "") -> str:
    """A config of one job with one step."""
    command = msgspec.json.encode(script).decode()
    step = f"{{run: {{name: deed, command: {command}{more}}}}}"
    return f"version: 2.1\njobs: {{build: {{machine: true, steps: [{step}]}}}}\n"


def project_of(tmp_path: Path, script: str, more: str = "") -> tuple[Project, str]:
    """A project for the script, and the time its daemons sleep, which no other process has."""
    time = f"900.{secrets.randbelow(10**9):09}"
    return Project(tmp_path, config_of(script.replace("$TIME", time), more)), time


@pytest.mark.parametrize("name", DEEDS)
def test_a_step_that_misbehaves_ends_with_a_true_verdict(tmp_path: Path, name: str) -> None:
    deed = DEEDS[name]
    project, time = project_of(tmp_path, deed.script)
    outcome = project.run()
    assert outcome.status == deed.status, outcome
    assert f"build: {'failed' if deed.status else 'success'}" in outcome.out
    assert "Traceback" not in outcome.out + outcome.err
    (log,) = (project.output / "logs/build").glob("*-deed.log")
    assert deed.log.encode() in log.read_bytes()
    assert processes_with(time) == []
    assert processes_with(str(tmp_path)) == []
    assert list((project.home / "runs").iterdir()) == []


def test_output_of_every_byte_arrives_unchanged(tmp_path: Path) -> None:
    project, _ = project_of(tmp_path, "cat data; printf '\\377\\376\\000'")
    data = os.urandom(300_000)
    script = project.folder / "data"
    script.write_bytes(data)
    config = project.folder / ".circleci/config.yml"
    config.write_text(config.read_text().replace("steps: [", "steps: [checkout, "))
    assert project.run("--verbose").status == 0
    (log,) = (project.output / "logs/build").glob("*-deed.log")
    assert log.read_bytes() == data + b"\xff\xfe\x00"


def test_200_megabytes_of_output_are_kept_in_little_memory(tmp_path: Path) -> None:
    project, _ = project_of(tmp_path, "yes 0123456789abcdefghijklmnopqrstuvwxyz | head -c 200000000 || true")
    found = run_bounded(project, "run", "--output", str(project.output))
    assert found.status == 0, found
    (log,) = (project.output / "logs/build").glob("*-deed.log")
    assert log.stat().st_size == 200_000_000
    stored = sum(path.stat().st_size for path in project.home.rglob("*") if path.is_file())
    assert stored < 20_000_000


def test_a_silent_step_that_ignores_signals_is_ended_all_the_same(tmp_path: Path) -> None:
    project, time = project_of(
        tmp_path, "trap '' TERM INT HUP; while :; do sleep $TIME; done", ", no_output_timeout: 1s"
    )
    outcome = project.run()
    assert outcome.status == 1
    assert "Too long with no output" in outcome.out
    assert processes_with(time) == []


def test_a_stopped_step_counts_as_silent(tmp_path: Path) -> None:
    project, time = project_of(tmp_path, "sleep $TIME & kill -STOP $$", ", no_output_timeout: 1s")
    outcome = project.run()
    assert outcome.status == 1
    assert "Too long with no output" in outcome.out
    assert processes_with(time) == []


def test_colours_and_progress_of_a_job_do_not_reach_a_pipe(tmp_path: Path) -> None:
    project, _ = project_of(
        tmp_path, "printf 'a\\033[31mred\\n\\033[2J\\033]0;title\\007clear\\n10%%\\r100%%\\n'; exit 1"
    )
    outcome = project.run("--verbose")
    assert outcome.status == 1
    assert "build | ared\n" in outcome.out
    assert "  clear\n  100%\n" in outcome.out
    assert "\x1b" not in outcome.out
    assert "\r" not in outcome.out
    assert "\x1b[31mred" in project.log("build", "deed")


def test_names_with_signs_quotes_and_slashes_work_everywhere(tmp_path: Path) -> None:
    names = ["a/b", "a-b", 'it\'s "quoted"', "ümläut 🎉", "../up", "evil \x1b[2J name", "<< >>", "x" * 300]
    jobs = {
        name: {"machine": True, "steps": [{"run": f"echo {number}"}]} for number, name in enumerate(names)
    }
    jobs["<< >>"]["steps"] = [{"run": "mkdir o; touch o/f"}, {"store_artifacts": {"path": "o"}}]
    config = {"version": 2.1, "jobs": jobs, "workflows": {"main": {"jobs": list(jobs)}}}
    project = Project(tmp_path, msgspec.json.encode(config).decode())
    validated = project.call("validate")
    if validated.status == 2:
        assert "Traceback" not in validated.err
        del jobs["<< >>"]
        config["workflows"] = {"main": {"jobs": list(jobs)}}
        (project.folder / ".circleci/config.yml").write_bytes(msgspec.json.encode(config))
    outcome = project.run()
    assert outcome.status == 0, outcome
    assert "\x1b" not in outcome.out
    folders = list((project.output / "logs").iterdir())
    assert len(folders) == len(jobs)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["app", "output"]
    assert project.call("logs", "a/b").out == "0\n"


def test_artifacts_that_want_the_same_place_are_all_kept(tmp_path: Path) -> None:
    config = """
    version: 2.1
    jobs:
      build:
        machine: true
        steps:
          - run: mkdir o; echo one > o/x; echo two > y
          - store_artifacts: {path: o/x, destination: a}
          - store_artifacts: {path: y, destination: a/b}
          - store_artifacts: {path: y, destination: ../../../escaped}
    workflows: {one: {jobs: [build]}, two: {jobs: [build]}}
    """
    project = Project(tmp_path, config)
    outcome = project.run()
    assert outcome.status == 0, outcome
    found = {
        str(path.relative_to(project.output / "artifacts")): path.read_text()
        for path in (project.output / "artifacts").rglob("*")
        if path.is_file()
    }
    expected = {"a": "one\n", "a~2/b": "two\n", "escaped": "two\n"}
    assert found == {f"build{copy}/{name}": text for copy in ("", "~2") for name, text in expected.items()}


def test_artifacts_whose_names_are_no_text_fail_nothing(tmp_path: Path) -> None:
    steps = """
      - run: mkdir -p o; touch "$(printf 'o/a\\377b')" "$(printf 'o/c\\nd')" o/p; ln -s . o/l; mkfifo o/q
      - store_artifacts: {path: o}
      - store_test_results: {path: o}
      - persist_to_workspace: {root: ., paths: [o]}
      - save_cache: {key: k, paths: [o]}
    """
    project = Project(tmp_path, f"version: 2.1\njobs:\n  build:\n    machine: true\n    steps:\n{steps}")
    outcome = project.run()
    assert outcome.status == 0, outcome
    assert (project.output / "artifacts/build/o/p").exists()
