"""Steps that only the first parallel copy does, when the others have passed."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.model.status import StepStatus, TaskStatus
from penstock.plan.step import Run, When
from penstock.wire.messages import CancelTask
from tests.support.agents import QUICK, Bench, assign, host_bench

DEPLOY = Run(name="deploy", command="echo shipped", once=True)
QUEUED, RUNNING, PASSED, FAILED = (
    TaskStatus.QUEUED,
    TaskStatus.RUNNING,
    TaskStatus.SUCCESS,
    TaskStatus.FAILED,
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with host_bench(tmp_path, tuning=msgspec.structs.replace(QUICK, look=0.01, company=0.2)) as bench:
        yield bench


def run(bench: Bench, step: Run, *answers: tuple[TaskStatus, ...], index: int = 0, total: int = 3) -> str:
    """What the copy printed, while the others stood as the answers say one after the other."""
    assignment = assign(step, index=index, total=total)
    bench.server.others[assignment.task] = list(answers)
    bench.server.give(assignment)
    assert bench.server.finish_of(assignment.task).status is PASSED
    return bench.server.output_of(assignment.task).decode()


def test_the_first_copy_waits_until_all_others_have_passed(bench: Bench) -> None:
    answers = [(QUEUED, RUNNING), (RUNNING, RUNNING), (PASSED, RUNNING), (PASSED, PASSED)]
    assert run(bench, DEPLOY, *answers) == "Waiting for 2 other parallel copies\nshipped\n"


def test_other_copies_leave_it_to_the_first(bench: Bench) -> None:
    assert run(bench, DEPLOY, index=1) == "Only the first of the 3 parallel copies does this\n"


def test_a_job_without_copies_waits_for_nobody(bench: Bench) -> None:
    assert run(bench, DEPLOY, total=1) == "shipped\n"


def test_when_another_copy_did_not_pass_it_is_not_done(bench: Bench) -> None:
    assert run(bench, DEPLOY, (PASSED, FAILED)) == "Not done: another parallel copy did not pass\n"


def test_a_step_that_always_runs_only_waits(bench: Bench) -> None:
    always = msgspec.structs.replace(DEPLOY, when=When.ALWAYS)
    assert run(bench, always, (PASSED, FAILED)) == "shipped\n"


def test_a_copy_that_no_agent_takes_is_not_waited_for_without_end(bench: Bench) -> None:
    assignment = assign(DEPLOY, total=2)
    bench.server.others[assignment.task] = [(QUEUED,)]
    bench.server.give(assignment)
    assert bench.server.finish_of(assignment.task).status is FAILED
    [step] = bench.server.steps_of(assignment.task)
    assert step.message == "another parallel copy is not taken by any agent"


def test_the_wait_can_be_canceled(bench: Bench) -> None:
    assignment = assign(DEPLOY, total=2)
    bench.server.others[assignment.task] = [(RUNNING,)]
    bench.server.give(assignment)
    bench.server.wait_until(lambda: b"Waiting for 1" in bench.server.output_of(assignment.task))
    bench.server.cancel(CancelTask(task=assignment.task))
    assert bench.server.finish_of(assignment.task).status is TaskStatus.CANCELED
    assert bench.server.steps_of(assignment.task)[0].status is StepStatus.CANCELED
