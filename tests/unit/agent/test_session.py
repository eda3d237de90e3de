"""Order, verdicts, limits and stops of one task, with real processes."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.model.status import Reason, StepStatus, TaskStatus
from penstock.plan.step import Checkout, Retry, Run, RuntimeCondition, StoreArtifacts, Tool, When
from penstock.plan.workflow import JobPlan
from penstock.wire.messages import CancelTask, StepFinished, StepStarted
from tests.support.agents import Bench, assign, host_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with host_bench(tmp_path) as bench:
        yield bench


def names_of(bench: Bench, task: str) -> list[str]:
    return [event.name for event in bench.server.of(task) if isinstance(event, StepStarted)]


def start(bench: Bench, *steps: Run | str, sign: str, job: JobPlan | None = None) -> str:
    """A task that has printed the sign."""
    assignment = assign(*steps, job=job)
    bench.server.give(assignment)
    bench.server.wait_until(lambda: sign.encode() in bench.server.output_of(assignment.task))
    return assignment.task


def test_events_come_in_order_and_pairs(bench: Bench) -> None:
    task = bench.run("echo one", "echo two")
    kinds = [type(event).__name__ for event in bench.server.of(task)]
    step = ["StepStarted", "LogOutput", "StepFinished"]
    assert kinds == ["TaskStarted", *step, *step, "TaskFinished"]
    assert bench.server.output_of(task) == b"one\ntwo\n"
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_after_a_failure_only_steps_for_failures_run(bench: Bench) -> None:
    task = bench.run(
        "exit 3",
        "echo skipped",
        Run(name="on fail", command="true", when=When.ON_FAIL),
        Run(name="always", command="true", when=When.ALWAYS),
    )
    assert names_of(bench, task) == ["exit 3", "on fail", "always"]
    finish = bench.server.finish_of(task)
    assert (finish.status, finish.reason) == (TaskStatus.FAILED, Reason.TEST)
    assert finish.message == "Exited with code exit status 3"
    assert bench.server.steps_of(task)[0].exit_code == 3


def test_without_a_failure_steps_for_failures_do_not_run(bench: Bench) -> None:
    task = bench.run("true", Run(name="on fail", command="true", when=When.ON_FAIL))
    assert names_of(bench, task) == ["true"]


def test_a_step_that_does_not_count_leaves_the_verdict(bench: Bench) -> None:
    task = bench.run(Run(name="epilogue", command="false", counts=False), "echo after")
    assert names_of(bench, task) == ["epilogue", "echo after"]
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_each_attempt_of_a_retried_step_is_shown_and_the_last_counts(bench: Bench) -> None:
    command = "echo x >> ../tries; test $(wc -l < ../tries) = 3"
    task = bench.run(Run(name="flaky", command=command, retry=Retry(attempts=5)))
    assert [step.status for step in bench.server.steps_of(task)] == [
        StepStatus.FAILED,
        StepStatus.FAILED,
        StepStatus.SUCCESS,
    ]
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_halt_ends_the_job_well_and_skips_even_steps_that_always_run(bench: Bench) -> None:
    task = bench.run("circleci-agent step halt", Run(name="always", command="false", when=When.ALWAYS))
    assert names_of(bench, task) == ["circleci-agent step halt"]
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_silence_ends_a_step_and_the_task_counts_as_timed_out(bench: Bench) -> None:
    task = bench.run(
        Run(name="silent", command="echo begun; exec sleep 60", no_output_timeout=0.2),
        Run(name="always", command="true", when=When.ALWAYS),
    )
    silent, always = bench.server.steps_of(task)
    assert silent.status is StepStatus.TIMEDOUT
    assert silent.message == "Too long with no output (exceeded 0.2s): context deadline exceeded"
    assert always.status is StepStatus.SUCCESS
    finish = bench.server.finish_of(task)
    assert (finish.status, finish.reason) == (TaskStatus.TIMEDOUT, Reason.NO_OUTPUT)


def test_output_keeps_a_step_alive(bench: Bench) -> None:
    command = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done"
    task = bench.run(Run(name="talks", command=command, no_output_timeout=0.5))
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_a_steps_own_limit_ends_it(bench: Bench) -> None:
    task = bench.run(Run(name="long", command="exec sleep 60", timeout=0.2))
    finish = bench.server.finish_of(task)
    assert (finish.status, finish.reason) == (TaskStatus.TIMEDOUT, Reason.TIMEOUT)


def test_the_jobs_limit_ends_it_with_nothing_after(bench: Bench) -> None:
    job = JobPlan(name="job", time_limit=0.3)
    task = bench.run("exec sleep 60", Run(name="always", command="true", when=When.ALWAYS), job=job)
    assert names_of(bench, task) == ["exec sleep 60"]
    finish = bench.server.finish_of(task)
    assert (finish.status, finish.reason) == (TaskStatus.TIMEDOUT, Reason.TIMEOUT)


def test_a_cancel_ends_the_running_step_and_runs_nothing_more(bench: Bench) -> None:
    always = Run(name="always", command="true", when=When.ALWAYS)
    task = start(bench, "echo begun; exec sleep 60", always, sign="begun")
    bench.server.cancel(CancelTask(task=task))
    finish = bench.server.finish_of(task)
    assert (finish.status, finish.reason) == (TaskStatus.CANCELED, Reason.USER)
    assert [step.status for step in bench.server.steps_of(task)] == [StepStatus.CANCELED]


def test_a_cancel_with_clean_up_runs_what_always_runs(bench: Bench) -> None:
    steps = (
        "echo begun; exec sleep 60",
        "echo skipped",
        Run(name="on fail", command="true", when=When.ON_FAIL),
        Run(name="always", command="echo cleaning", when=When.ALWAYS),
    )
    task = start(bench, *steps, sign="begun")
    bench.server.cancel(CancelTask(task=task, clean_up=True, reason=Reason.FAST_FAILING))
    finish = bench.server.finish_of(task)
    assert (finish.status, finish.reason) == (TaskStatus.CANCELED, Reason.FAST_FAILING)
    assert names_of(bench, task) == ["echo begun; exec sleep 60", "always"]
    assert b"cleaning" in bench.server.output_of(task)


def test_a_second_harder_cancel_ends_the_clean_up(bench: Bench) -> None:
    clean_up = Run(name="always", command="echo cleaning; exec sleep 60", when=When.ALWAYS)
    task = start(bench, "echo begun; exec sleep 60", clean_up, sign="begun")
    bench.server.cancel(CancelTask(task=task, clean_up=True))
    bench.server.wait_until(lambda: b"cleaning" in bench.server.output_of(task))
    bench.server.cancel(CancelTask(task=task))
    assert bench.server.finish_of(task).status is TaskStatus.CANCELED
    assert bench.server.steps_of(task)[-1].status is StepStatus.CANCELED


def test_a_background_step_runs_beside_the_others_and_ends_with_the_job(bench: Bench) -> None:
    server = Run(name="server", command="echo up; touch ../up; exec sleep 60", background=True)
    task = bench.run(server, "until [ -e ../up ]; do sleep 0.01; done")
    first = next(event for event in bench.server.of(task) if isinstance(event, StepStarted))
    assert first.background
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS
    ends = {event.step: event for event in bench.server.of(task) if isinstance(event, StepFinished)}
    assert ends[0].status is StepStatus.SUCCESS
    assert bench.server.output_of(task, step=0) == b"up\n"


def test_a_background_step_that_fails_does_not_fail_the_job(bench: Bench) -> None:
    task = bench.run(Run(name="server", command="exit 4", background=True), "sleep 0.2")
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS
    ends = {event.step: event for event in bench.server.steps_of(task)}
    assert (ends[0].status, ends[0].exit_code) == (StepStatus.FAILED, 4)


def test_variables_have_their_order_and_are_literal(bench: Bench) -> None:
    job = JobPlan(name="job", environment={"B": "job", "C": "job", "D": "$A"})
    step = Run(name="show", command='echo "$A $B $C $D"', environment={"C": "step"})
    task = bench.run(step, job=job, environment={"A": "below", "B": "below", "C": "below"})
    assert bench.server.output_of(task) == b"below job step $A\n"


def test_state_passes_between_steps_by_bash_env(bench: Bench) -> None:
    task = bench.run("echo 'export GREETING=hello' >> $BASH_ENV", "echo $GREETING")
    assert bench.server.output_of(task) == b"hello\n"


def test_secrets_are_masked(bench: Bench) -> None:
    task = bench.run("echo token: $TOKEN", environment={"TOKEN": "s3cr3t-value"}, secrets=("s3cr3t-value",))
    assert bench.server.output_of(task) == b"token: ****\n"


def test_a_condition_nobody_can_decide_fails_the_step_with_a_reason(bench: Bench) -> None:
    condition = RuntimeCondition(language="klingon", text="x")
    task = bench.run(Run(name="maybe", command="true", condition=condition))
    assert (
        bench.server.steps_of(task)[0].message == "this agent cannot decide conditions written in 'klingon'"
    )


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (Tool(name="pylint", tool="pylint"), "this agent has no tool named 'pylint'"),
        (Checkout(name="checkout"), "this pipeline has no source to check out"),
        (StoreArtifacts(name="keep", path="/nowhere"), "No artifact files found at /nowhere"),
    ],
)
def test_a_step_that_cannot_be_done_says_why(bench: Bench, step: Tool, sentence: str) -> None:
    task = bench.run(step)
    assert bench.server.steps_of(task)[0].message == sentence
    assert bench.server.output_of(task).decode() == f"{sentence}\n"
    assert bench.server.finish_of(task).status is TaskStatus.FAILED


def test_the_folder_of_a_task_is_removed(bench: Bench) -> None:
    task = bench.run("mkdir -p locked/inside && chmod 0 locked; pwd")
    top = Path(bench.server.output_of(task).decode().strip()).parents[1]
    bench.server.wait_until(lambda: not top.exists())


def test_results_are_the_same_after_a_round_trip_through_json(bench: Bench) -> None:
    task = bench.run("true")
    event = bench.server.steps_of(task)[0]
    assert msgspec.json.decode(msgspec.json.encode(event), type=StepFinished) == event
