"""What jobs do to an agent: daemons, deaf processes, floods, deleted folders, full disks, kill -9."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.agent.chunk import FRAME
from penstock.model.errors import LimitExceededError, UnavailableError
from penstock.model.status import Reason, StepStatus, TaskStatus
from penstock.plan.step import Run, StoreArtifacts, When
from penstock.wire.messages import CancelTask, LogOutput
from tests.support.agents import Bench, assign, host_bench

ROOT = Path(__file__).parents[3]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with host_bench(tmp_path) as bench:
        yield bench


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait_for_death(pid: int, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still alive"
        time.sleep(0.01)


DAEMON = "bash -c 'trap \"\" TERM HUP; echo $$ >> ../pids; exec sleep 300'"


@pytest.mark.parametrize(
    "start", ["{} &", "(setsid {} &)", "nohup {} > /dev/null 2>&1 &", "(setsid {} >&- 2>&- &)"]
)
def test_daemons_live_until_the_job_ends_and_not_longer(bench: Bench, start: str) -> None:
    task = bench.run(
        start.format(DAEMON),
        "until [ -s ../pids ]; do sleep 0.01; done; kill -0 $(cat ../pids); cat ../pids",
    )
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS, "the daemon died with its step"
    wait_for_death(int(bench.server.output_of(task, step=1)), 1.0)


def test_a_step_is_over_when_its_process_ends_not_when_its_pipe_closes(bench: Bench) -> None:
    begun = time.monotonic()
    task = bench.run("echo before; (setsid sleep 60 &); echo after")
    assert time.monotonic() - begun < 20
    assert bench.server.output_of(task) == b"before\nafter\n"


def test_a_step_that_ignores_sigterm_is_killed_after_the_grace(bench: Bench) -> None:
    command = "trap 'echo no' TERM; echo begun $$; while true; do sleep 0.05 || true; done"
    assignment = assign(command)
    bench.server.give(assignment)
    bench.server.wait_until(lambda: b"begun" in bench.server.output_of(assignment.task))
    bench.server.cancel(CancelTask(task=assignment.task))
    assert bench.server.finish_of(assignment.task).status is TaskStatus.CANCELED
    assert bench.server.steps_of(assignment.task)[0].exit_code == 128 + signal.SIGKILL
    pid = int(bench.server.output_of(assignment.task).split()[1])
    wait_for_death(pid)


def test_a_step_may_clean_up_when_it_is_asked_to_end(bench: Bench) -> None:
    command = "trap 'echo bye; exit 7' TERM; echo begun; while true; do sleep 0.02; done"
    assignment = assign(command)
    bench.server.give(assignment)
    bench.server.wait_until(lambda: b"begun" in bench.server.output_of(assignment.task))
    bench.server.cancel(CancelTask(task=assignment.task))
    bench.server.finish_of(assignment.task)
    assert bench.server.steps_of(assignment.task)[0].exit_code == 7
    assert b"bye" in bench.server.output_of(assignment.task)


def test_binary_output_arrives_as_it_is(bench: Bench) -> None:
    task = bench.run(r"printf '\000\377\376\n\r\033[1m'")
    assert bench.server.output_of(task) == b"\x00\xff\xfe\n\r\x1b[1m"


def test_output_without_a_newline_arrives_while_the_step_runs(bench: Bench) -> None:
    assignment = assign("printf waiting; exec sleep 60")
    bench.server.give(assignment)
    bench.server.wait_until(lambda: bench.server.output_of(assignment.task) == b"waiting")
    bench.server.cancel(CancelTask(task=assignment.task))
    bench.server.finish_of(assignment.task)


def test_ten_megabytes_without_a_newline_are_cut_into_frames(bench: Bench) -> None:
    task = bench.run("head -c 10000000 /dev/zero | tr '\\0' x")
    frames = [event for event in bench.server.of(task) if isinstance(event, LogOutput)]
    assert sum(frame.size for frame in frames) == 10_000_000
    assert max(frame.size for frame in frames) <= FRAME + (1 << 20)
    assert [frame.offset for frame in frames[:2]] == [0, frames[0].size]


def test_a_step_that_closes_its_output_still_runs_to_its_end(bench: Bench) -> None:
    task = bench.run("echo last words; exec > /dev/null 2>&1; sleep 0.3; exit 5")
    assert bench.server.steps_of(task)[0].exit_code == 5
    assert bench.server.output_of(task) == b"last words\n"


def test_a_step_that_deletes_its_folder_fails_the_next_with_a_sentence(bench: Bench) -> None:
    task = bench.run('rm -rf "$PWD"', "true")
    first, second = bench.server.steps_of(task)
    assert first.status is StepStatus.SUCCESS
    assert second.message.startswith("the working directory ")
    assert second.message.endswith(" does not exist")


def test_a_missing_shell_fails_the_step_with_a_sentence(bench: Bench) -> None:
    task = bench.run(Run(name="odd", command="true", shell="/bin/no-such-shell -e"))  # noqa: S604 - a step's field
    assert bench.server.steps_of(task)[0].message == "cannot run /bin/no-such-shell: there is no such program"


def test_a_file_limit_is_the_steps_problem(bench: Bench) -> None:
    task = bench.run(
        "ulimit -f 8; head -c 1000000 /dev/zero > big", Run(name="x", command="echo on", when=When.ALWAYS)
    )
    assert bench.server.steps_of(task)[0].exit_code == 128 + signal.SIGXFSZ
    assert bench.server.output_of(task, step=1) == b"on\n"


@pytest.mark.parametrize("trouble", [UnavailableError("the disk is full"), LimitExceededError("too large")])
def test_an_upload_the_server_refuses_fails_the_step_with_its_sentence(
    bench: Bench, trouble: UnavailableError | LimitExceededError
) -> None:
    bench.server.upload_trouble = trouble
    task = bench.run("echo x > file", StoreArtifacts(name="keep", path="file"))
    assert str(trouble) in bench.server.steps_of(task)[1].message
    assert bench.server.finish_of(task).status is TaskStatus.FAILED


def test_a_hundred_megabytes_arrive_whole(bench: Bench) -> None:
    line = "a line of a log that is neither short nor long\n"
    task = bench.run(f"set +o pipefail; yes '{line.strip()}' | head -c 100000000")
    frames = [event for event in bench.server.of(task) if isinstance(event, LogOutput)]
    assert sum(frame.size for frame in frames) == 100_000_000
    assert frames[-1].first_line + frames[-1].lines == 100_000_000 // len(line)


def test_output_is_held_back_while_the_server_is_away_and_nothing_is_lost(bench: Bench) -> None:
    flood = "base64 -w 75 /dev/urandom | head -c 30000000 | tee ../copy"
    wait = "until [ -e ../go ]; do sleep 0.01; done"
    assignment = assign(f"echo begun; {wait}; set +o pipefail; {flood}", "sha256sum < ../copy")
    bench.server.give(assignment)
    bench.server.wait_until(lambda: b"begun" in bench.server.output_of(assignment.task))
    bench.server.trouble = UnavailableError("away")
    home = next(bench.work.glob(f"*/{assignment.task}/home"))
    (home / "go").touch()
    outbox = bench.agent._outbox
    bench.server.wait_until(lambda: not outbox.has_room)
    assert outbox._bytes < 10 << 20
    assert (home / "copy").stat().st_size < 20_000_000
    bench.server.trouble = None
    assert bench.server.finish_of(assignment.task).status is TaskStatus.SUCCESS
    flooded = bench.server.output_of(assignment.task, step=0).removeprefix(b"begun\n")
    digest = bench.server.output_of(assignment.task, step=1).split()[0].decode()
    assert hashlib.sha256(flooded).hexdigest() == digest


AGENT = """
import sys
from pathlib import Path
from penstock.agent.chunk import FRAME
from penstock.agent.executor.host import HostExecutor
from penstock.agent.loop import Agent
from tests.support.agents import assign
from tests.support.transport import FakeServer
server = FakeServer()
executor = HostExecutor(Path(sys.argv[1]))
server.give(assign(sys.argv[2]))
Agent(server, lambda _: executor, name="doomed").run()
"""


def test_after_kill_9_of_the_agent_nothing_of_its_jobs_is_left(tmp_path: Path) -> None:
    work, pids = tmp_path / "work", tmp_path / "pids"
    note = f"echo $! >> {pids}"
    command = f"(setsid sleep 300 & {note}); sleep 300 & {note}; touch {pids}.done; wait"
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    agent = subprocess.Popen([sys.executable, "-c", AGENT, str(work), command], env=environment)
    deadline = time.monotonic() + 20
    while not (tmp_path / "pids.done").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    agent.kill()
    agent.wait()
    for pid in map(int, pids.read_text().split()):
        wait_for_death(pid, 5.0)
    deadline = time.monotonic() + 5
    while any(work.iterdir()):
        assert time.monotonic() < deadline, "the folders of the dead agent are still there"
        time.sleep(0.01)


ADOPTING = """
import sys, threading
from pathlib import Path
from penstock.agent.executor.host import HostExecutor
from tests.support.agents import agent_at_work, assign
from tests.support.transport import FakeServer
server = FakeServer()
with agent_at_work(server, HostExecutor(Path(sys.argv[1])), slots=2):
    for number in range(6):
        server.give(assign("(setsid env -i sleep 300 &) ; true"))
    server.wait_until(lambda: sum(type(e).__name__ == "TaskFinished" for e in server.events) == 6)
children = [c for t in Path("/proc/self/task").iterdir() for c in (t / "children").read_text().split()]
print(children)
"""


def test_an_adopting_agent_ends_daemons_without_marker_and_leaves_no_zombies(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", ADOPTING, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_a_stopped_agent_reports_its_tasks_as_interrupted(bench: Bench) -> None:
    assignment = assign("echo begun; exec sleep 60")
    bench.server.give(assignment)
    bench.server.wait_until(lambda: b"begun" in bench.server.output_of(assignment.task))
    bench.agent.stop(now=True)
    finish = bench.server.finish_of(assignment.task)
    assert (finish.status, finish.reason) == (TaskStatus.INFRASTRUCTURE_FAIL, Reason.INTERRUPTED)
