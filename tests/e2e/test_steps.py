"""How steps end and what they leave: retries, limits, order, artifacts, reports."""

from pathlib import Path

import pytest

from tests.e2e.test_run import job
from tests.support.command import Project


def names(project: Project) -> list[str]:
    """The steps of the job in their order, by the names of their logs."""
    found = sorted((project.output / "logs/build").iterdir())
    return [path.stem.partition("-")[2] for path in found]


def test_each_attempt_of_a_step_is_shown_and_the_last_counts(tmp_path: Path) -> None:
    flaky = "echo try >> ../tries; cat ../tries; test $(wc -l < ../tries) = 3"
    project = Project(
        tmp_path,
        job(
            f"run: {{name: flaky, max_auto_reruns: 4, auto_rerun_delay: 0s, command: '{flaky}'}}",
            "run: echo end",
        ),
    )
    outcome = project.run()
    assert outcome.status == 0, outcome
    assert names(project) == ["flaky", "flaky", "flaky", "echo end"]
    assert outcome.out.count("Exited with code exit status 1") == 2


def test_a_step_that_fails_each_time_fails_the_job_after_its_last_rerun(tmp_path: Path) -> None:
    project = Project(tmp_path, job("run: {name: bad, max_auto_reruns: 2, command: exit 137}"))
    outcome = project.run()
    assert outcome.status == 1
    assert names(project) == ["bad"] * 3
    assert "Exited with code exit status 137" in outcome.out


def test_a_job_that_runs_too_long_ends_with_nothing_after_it(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        job(
            "run: {name: long, command: 'echo begun; exec sleep 300'}",
            "run: {name: always, when: always, command: 'true'}",
            "store_artifacts: {path: .}",
        ),
    )
    outcome = project.run("--time-limit", "1s")
    assert outcome.status == 1
    assert names(project) == ["long"]
    assert "build: timedout" in outcome.out
    assert "the job took longer than its time limit" in outcome.out


@pytest.mark.parametrize(("text", "status"), [("none", 0), ("1h30m", 0), ("soon", 2), ("0s", 2), ("7", 2)])
def test_the_time_limit_is_a_duration(tmp_path: Path, text: str, status: int) -> None:
    outcome = Project(tmp_path, job("run: 'true'")).run("--time-limit", text)
    assert outcome.status == status
    assert ("--time-limit" in outcome.err) == (status == 2)


def test_after_silence_steps_that_always_run_still_do(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        job(
            "run: {name: silent, no_output_timeout: 1s, command: 'exec sleep 300'}",
            "run: {name: skipped, command: 'true'}",
            "run: {name: on-fail, when: on_fail, command: 'true'}",
            "run: {name: always, when: always, command: 'true'}",
        ),
    )
    outcome = project.run()
    assert outcome.status == 1
    assert names(project) == ["silent", "on-fail", "always"]
    assert "Too long with no output (exceeded 1s): context deadline exceeded" in outcome.out


def test_a_background_step_does_not_fail_the_job_and_ends_with_it(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        job(
            "run: {name: bad, background: true, command: exit 3}",
            f"run: {{name: server, background: true, command: 'echo up; sleep 300; touch {tmp_path}/late'}}",
            "run: {name: work, command: 'sleep 0.3'}",
        ),
    )
    outcome = project.run()
    assert outcome.status == 0, outcome
    assert "bad" in outcome.out
    assert not (tmp_path / "late").exists()


def test_artifacts_are_files_folders_and_what_globs_match(tmp_path: Path) -> None:
    make = "mkdir -p out/a/b; cd out; echo 1 > a/b/c.txt; echo 2 > d.log; ln -s .. a/loop; ln -s d.log link"
    project = Project(
        tmp_path,
        job(
            f"run: {make}; ln -s /nowhere dangling; mkfifo pipe",
            "store_artifacts: {path: out, destination: whole}",
            "store_artifacts: {path: out/d.log}",
            "store_artifacts: {path: out/d.log, destination: renamed.log}",
            "store_artifacts: {path: 'out/**/*.txt', destination: globbed}",
            "store_artifacts: {path: 'out/*.log'}",
            "store_artifacts: {path: out/none}",
        ),
    )
    outcome = project.run()
    assert outcome.status == 0, outcome
    top = project.output / "artifacts/build"
    stored = {str(path.relative_to(top)): path.read_text() for path in top.rglob("*") if path.is_file()}
    assert stored == {
        "whole/a/b/c.txt": "1\n",
        "whole/d.log": "2\n",
        "whole/link": "2\n",
        "out/d.log": "2\n",
        "renamed.log": "2\n",
        "globbed/a/b/c.txt": "1\n",
    }


def test_a_broken_report_is_a_warning_with_its_place_and_the_rest_counts(tmp_path: Path) -> None:
    good = '<testsuite><testcase name="fine"/><testcase name="bad"><failure/></testcase></testsuite>'
    cut = '<testsuite><testcase name="kept"/><testcase name='
    files = {"r/good.xml": good, "r/deep/cut.xml": cut, "r/empty.xml": "", "r/notes.txt": "no report"}
    project = Project(tmp_path, job("checkout", "store_test_results: {path: r}"), files)
    outcome = project.run()
    assert outcome.status == 0, outcome
    assert "Tests: 2 passed, 1 failed" in outcome.out
    warnings = [line for line in outcome.out.splitlines() if line.startswith("Warning: build: ")]
    assert len(warnings) == 2
    assert "test results in deep/cut.xml could not be read: not well-formed XML: " in warnings[0]
    assert ": line 1, column 34" in warnings[0]
    assert "empty.xml" in warnings[1]
