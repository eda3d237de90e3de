from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.status import StepStatus
from penstock.plan.step import Run
from penstock.plan.workflow import JobPlan
from tests.support.agents import Bench, host_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with host_bench(tmp_path) as bench:
        yield bench


def show(bench: Bench, step: Run | str, job: JobPlan | None = None) -> str:
    return bench.server.output_of(bench.run(step, job=job)).decode()


def test_the_default_shell_stops_at_the_first_failure_also_in_a_pipe(bench: Bench) -> None:
    task = bench.run("false; echo not reached")
    assert bench.server.output_of(task) == b""
    task = bench.run("false | true")
    assert bench.server.steps_of(task)[0].status is StepStatus.FAILED


def test_a_first_line_names_the_interpreter(bench: Bench) -> None:
    assert show(bench, "#!/usr/bin/env python3\nimport sys; print(sys.version_info.major)") == "3\n"


def with_shell(shell: str, command: str) -> Run:
    return Run(name="x", command=command, shell=shell)


def test_a_steps_shell_goes_above_the_jobs(bench: Bench) -> None:
    job = JobPlan(name="job", shell="/bin/sh -e")  # noqa: S604 - a field of the plan
    assert show(bench, "echo $0", job) == "/bin/sh\n"
    assert show(bench, with_shell("/bin/bash", "echo $0"), job) == "/bin/bash\n"


def test_other_interpreters_get_a_script(bench: Bench) -> None:
    assert show(bench, with_shell("python3 -I", "print(6 * 7)")) == "42\n"


def test_a_shell_that_ends_in_c_gets_the_text(bench: Bench) -> None:
    assert show(bench, with_shell("python3 -c", "print(6 * 7)")) == "42\n"


def test_a_text_longer_than_an_argument_may_be_runs(bench: Bench) -> None:
    assert show(bench, f"x={'y' * 300_000}\necho ${{#x}}") == "300000\n"


def test_directories_are_relative_to_the_jobs_and_tilde_is_the_tasks_home(bench: Bench) -> None:
    job = JobPlan(name="job", working_directory="~/app")
    task = bench.run(
        "mkdir sub; pwd",
        Run(name="sub", command="pwd", working_directory="sub"),
        Run(name="home", command="pwd; echo $HOME", working_directory="~"),
        Run(name="none", command="pwd", working_directory="$HOME"),
        job=job,
    )
    outputs = [bench.server.output_of(task, step=number).decode().split() for number in range(4)]
    home = outputs[2][0]
    assert outputs[:3] == [[f"{home}/app"], [f"{home}/app/sub"], [home, home]]
    assert bench.server.steps_of(task)[3].message == f"the working directory {home}/app/$HOME does not exist"


def test_nothing_of_the_agents_own_environment_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_AGENT", "x")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example.com")
    with host_bench(tmp_path) as bench:
        output = show(bench, "env")
    assert "SECRET_OF_THE_AGENT" not in output
    assert "PIP_INDEX_URL=https://mirror.example.com" in output


def test_what_no_process_can_be_given_is_said(bench: Bench) -> None:
    task = bench.run(Run(name="x", command="true", environment={"A": "zero\0byte"}))
    assert "a variable is malformed (embedded null byte)" in bench.server.steps_of(task)[0].message
