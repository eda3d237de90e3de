"""What is special about containers, on a real engine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.agent.executor.docker.engine import Engine
from penstock.agent.executor.docker.executor import DockerExecutor
from penstock.model.run import Revision
from penstock.model.status import Reason, StepStatus, TaskStatus
from penstock.plan.executor import Executor, ExecutorKind, Image
from penstock.plan.step import (
    AttachWorkspace,
    Checkout,
    PersistToWorkspace,
    Run,
    SetupRemoteDocker,
    StoreArtifacts,
)
from penstock.plan.workflow import JobPlan
from penstock.wire.messages import ArtifactStored, Layer, LayerSaved, Source, StepFinished
from tests.support.agents import QUICK, Bench, agent_at_work, assign
from tests.support.docker import IMAGE, busybox_job, list_containers, open_test_engine
from tests.support.docker_images import make_image
from tests.support.processes import wait_until
from tests.support.repositories import git, make_repository
from tests.support.transport import FakeServer

ROOT = Path(__file__).parents[3]


@pytest.fixture
def engine() -> Engine:
    return open_test_engine()


@pytest.fixture
def bench(engine: Engine, tmp_path: Path) -> Iterator[Bench]:
    server = FakeServer()
    with agent_at_work(server, DockerExecutor(engine, tmp_path / "work")) as agent:
        yield Bench(server, agent, tmp_path)


@pytest.fixture
def watched(engine: Engine, tmp_path: Path) -> Iterator[Bench]:
    """The same with an agent that looks often at what tasks use."""
    server = FakeServer()
    tuning = msgspec.structs.replace(QUICK, sample=0.3)
    with agent_at_work(server, DockerExecutor(engine, tmp_path / "work"), tuning=tuning) as agent:
        yield Bench(server, agent, tmp_path)


def outcome(bench: Bench, task: str) -> tuple[TaskStatus, Reason, str]:
    end = bench.server.finish_of(task)
    return end.status, end.reason, end.message


def in_image(name: str, *others: Image, **changes: object) -> JobPlan:
    image = Image(image=name, **changes)  # type: ignore[arg-type] # the fields of Image
    return JobPlan(name="job", executor=Executor(kind=ExecutorKind.DOCKER, images=(image, *others)))


def test_steps_share_the_container_and_its_files(bench: Bench) -> None:
    task = bench.run("pwd; echo kept > note", "cat note; echo $HOME", job=busybox_job())
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS
    assert bench.server.output_of(task) == b"/root/project\nkept\n/root\n"


def test_what_a_busy_container_uses_is_told_with_its_end(watched: Bench, engine: Engine) -> None:
    burn = "end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do :; done; times | tail -n 1"
    service = Image(
        image=IMAGE, command=("sh", "-c", "head -c 64000000 /dev/zero | sort >/dev/null; sleep 9")
    )
    task = watched.run(burn, "sleep 1", job=busybox_job(service))
    used = watched.server.finish_of(task).used
    assert used is not None
    one = 10_000 / engine.machine.processors  # a processor's share of the machine
    assert used.cpu_max >= one * 0.2  # others use it too
    assert used.cpu_max >= used.cpu_median > 0
    assert used.ram_max >= used.ram_median > 0


def test_a_class_is_what_a_container_is_measured_by(watched: Bench) -> None:
    job = busybox_job()
    small = msgspec.structs.replace(
        job, executor=msgspec.structs.replace(job.executor, resource_class="small")
    )
    burn = "end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do :; done"
    task = watched.run(burn, job=small)
    used = watched.server.finish_of(task).used
    assert used is not None
    assert 2_000 <= used.cpu_max <= 15_000  # of the one processor that it may have


def test_steps_run_as_the_images_user_in_its_home(bench: Bench) -> None:
    task = bench.run("id -un; pwd; touch own; stat -c %U own /home/worker", job=busybox_job(user="worker"))
    assert bench.server.output_of(task) == b"worker\n/home/worker/project\nworker\nworker\n"


def test_services_are_reachable_at_localhost_and_by_name(bench: Bench) -> None:
    serve = "mkdir /www; echo served > /www/index.html; exec httpd -f -p 8080 -h /www"
    service = Image(image=IMAGE, name="web", command=("sh", "-c", serve))
    get = "until wget -qO- http://{}:8080/ 2>/dev/null; do :; done"
    task = bench.run(get.format("localhost"), get.format("web"), job=busybox_job(service))
    assert bench.server.output_of(task) == b"served\nserved\n"


def test_the_variables_of_an_image_are_below_the_jobs_own(bench: Bench, engine: Engine) -> None:
    make_image(engine, "with-variables:1", changes=("ENV A=image B=image C=image",))
    job = in_image("with-variables:1", environment={"B": "entry", "C": "entry"})
    task = bench.run("echo $A $B $C", job=job, environment={"C": "job"})
    assert bench.server.output_of(task) == b"image entry job\n"


def test_an_images_entrypoint_runs_only_when_its_label_insists(bench: Bench, engine: Engine) -> None:
    entrypoint = 'ENTRYPOINT ["/bin/sh", "-c", "echo ran > /ran; while :; do sleep 1; done"]'
    make_image(engine, "plain-entrypoint:1", changes=(entrypoint,))
    label = "LABEL com.circleci.preserve-entrypoint=true"
    make_image(engine, "kept-entrypoint:1", changes=(f"{entrypoint}\n{label}",))
    plain = bench.run("cat /ran || echo no", job=in_image("plain-entrypoint:1"))
    kept = bench.run("until cat /ran; do :; done 2>/dev/null", job=in_image("kept-entrypoint:1"))
    assert bench.server.output_of(plain).endswith(b"no\n")
    assert bench.server.output_of(kept) == b"ran\n"


def test_a_main_process_that_ends_at_once_is_shown_with_its_words(bench: Bench) -> None:
    task = bench.run("true", job=busybox_job(command=("sh", "-c", "echo cannot begin; exit 7")))
    status, _, message = outcome(bench, task)
    assert status is TaskStatus.INFRASTRUCTURE_FAIL
    assert message.endswith("ended at once with exit status 7: cannot begin")


def test_a_missing_image_is_one_clear_sentence(bench: Bench) -> None:
    task = bench.run("true", job=in_image("localhost:9/none:1"))
    status, _, message = outcome(bench, task)
    assert status is TaskStatus.INFRASTRUCTURE_FAIL
    assert message.startswith("cannot pull the image localhost:9/none:1: ")
    steps = [event for event in bench.server.of(task) if isinstance(event, StepFinished)]
    assert [step.status for step in steps] == [StepStatus.FAILED]


def test_a_resource_class_bounds_memory_and_processors(bench: Bench) -> None:
    job = busybox_job()
    executor = Executor(kind=job.executor.kind, images=job.executor.images, resource_class="small")
    show = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max"
    task = bench.run(f"{{ {show}; }} 2>/dev/null", job=JobPlan(name="job", executor=executor))
    assert bench.server.output_of(task) == b"2147483648\n"


def test_in_job_commands_need_nothing_but_a_shell(bench: Bench) -> None:
    task = bench.run(
        "mkdir -p t/a; touch t/1.rb t/a/2.rb t/a/3.py; circleci tests glob 't/**/*.rb' 't/a/*.{py,c}'",
        "circleci tests glob 't/**/*' | circleci tests split --total=2 --index=1",
        "printf 'x\\ny\\n' | circleci tests run --command='cat; echo ran' --total=1 --index=0",
        "echo \"it's\" '$WHO ${NO:-not set}' | circleci env subst",
        "head -c 9000 /dev/zero > big; echo 1 > s; echo 1 > z;"
        " printf 'big\\ns\\nz\\n' | circleci tests split --split-by=filesize --total=2 --index=0",
        "circleci nonsense || echo refused",
        "circleci step halt",
        "echo never",
        job=busybox_job(),
        environment={"WHO": "a 'quoted' $HOME"},
    )
    outputs = [bench.server.output_of(task, step=number).decode() for number in range(6)]
    assert outputs[0] == "t/1.rb\nt/a/2.rb\nt/a/3.py\n"
    assert outputs[1] == "t/a/2.rb\n"
    assert outputs[2] == "x\ny\nran\n"
    assert outputs[3] == "it's a 'quoted' $HOME not set\n"
    assert outputs[4] == "big\n"
    assert outputs[5].endswith("refused\n")
    assert b"never" not in bench.server.output_of(task)


def test_an_image_may_have_nothing_but_a_shell(bench: Bench, engine: Engine) -> None:
    make_image(engine, "bare-shell:1", applets=["sh"])
    task = bench.run(
        "cd /; for name in /bin/*; do echo $name; done",
        "echo 1 > one; echo 2 > two; circleci tests glob '*' | circleci tests split --total=2 --index=1",
        Run(name="signalled", command="trap 'echo no' INT; kill -INT $$; echo after"),
        StoreArtifacts(name="store", path="."),
        job=in_image("bare-shell:1"),
    )
    assert outcome(bench, task)[0] is TaskStatus.SUCCESS
    assert bench.server.output_of(task, step=0) == b"/bin/busybox\n/bin/sh\n"
    assert bench.server.output_of(task, step=1) == b"two\n"
    assert bench.server.output_of(task, step=2) == b"no\nafter\n"
    stored = [event.path for event in bench.server.of(task) if isinstance(event, ArtifactStored)]
    assert stored == ["project/one", "project/two"]


@pytest.mark.parametrize("applets", [None, ["sh"]])
def test_a_step_does_not_ignore_an_interrupt(bench: Bench, engine: Engine, applets: list[str] | None) -> None:
    make_image(engine, "interrupted:1", applets=applets)
    task = bench.run("kill -INT $$; echo lived on", job=in_image("interrupted:1"))
    assert bench.server.output_of(task) == b""
    assert outcome(bench, task)[0] is TaskStatus.FAILED


def test_many_in_job_commands_at_once_are_all_answered(bench: Bench) -> None:
    split = 'printf "$n\\n" | circleci tests split --total=1 --index=0'
    call = f"for n in 1 2 3 4 5 6 7 8; do ({split}) & done; wait"
    task = bench.run(call, job=busybox_job())
    assert sorted(bench.server.output_of(task).split()) == [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"]


def test_files_get_in_and_out_owned_by_the_images_user(bench: Bench) -> None:
    first = bench.run(
        "mkdir -p deep/er; echo 1 > deep/er/file",
        PersistToWorkspace(name="persist", root=".", paths=("deep",)),
        StoreArtifacts(name="store", path="/etc/passwd"),
        job=busybox_job(user="worker"),
    )
    layer = next(event for event in bench.server.of(first) if isinstance(event, LayerSaved))
    second = bench.run(
        AttachWorkspace(name="attach", at="/home/worker/new/place"),
        "cd /home/worker; find new | sort | xargs stat -c '%U %n'",
        job=busybox_job(user="worker"),
        layers=(Layer(job="job", blob=layer.blob),),
    )
    paths = ["new", "new/place", "new/place/deep", "new/place/deep/er", "new/place/deep/er/file"]
    assert bench.server.output_of(second, step=1).decode().split() == [
        word for path in paths for word in ("worker", path)
    ]


def test_a_checkout_needs_no_git_in_the_image(bench: Bench, tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository", {"hello.txt": "hello\n"})
    source = Source(url=str(repository), revision=Revision(sha=git(repository, "rev-parse", "HEAD")))
    task = bench.run(Checkout(name="checkout"), "cat hello.txt", job=busybox_job(), source=source)
    assert bench.server.output_of(task, step=1) == b"hello\n"


def test_setup_remote_docker_lends_the_engine(bench: Bench) -> None:
    ask = "printf 'GET /_ping HTTP/1.0\\r\\n\\r\\n' | nc local:${DOCKER_HOST#unix://} | tail -1"
    task = bench.run(
        SetupRemoteDocker(name="docker"),
        f"{ask} || true; test -S ${{DOCKER_HOST#unix://}}",
        job=busybox_job(),
    )
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_a_container_that_vanishes_is_a_loss_not_a_failure_of_the_job(bench: Bench, engine: Engine) -> None:
    assignment = assign("echo begun; sleep 300", "echo never", job=busybox_job())
    bench.server.give(assignment)
    bench.server.wait_until(lambda: b"begun" in bench.server.output_of(assignment.task))
    for container in list_containers(engine, assignment.task):
        engine.tell("DELETE", f"/containers/{container}", {"force": 1})
    status, reason, message = outcome(bench, assignment.task)
    assert (status, reason) == (TaskStatus.INFRASTRUCTURE_FAIL, Reason.AGENT_LOST)
    assert "container" in message
    assert b"never" not in bench.server.output_of(assignment.task)


def test_nothing_is_left_of_a_job_that_was_stopped(bench: Bench, engine: Engine) -> None:
    assignment = assign(
        "echo begun; sleep 300", job=busybox_job(Image(image=IMAGE, command=("sleep", "300")))
    )
    bench.server.give(assignment)
    bench.server.wait_until(lambda: b"begun" in bench.server.output_of(assignment.task))
    assert len(list_containers(engine, assignment.task)) == 2
    bench.agent.stop(now=True)
    assert outcome(bench, assignment.task)[1] is Reason.INTERRUPTED
    wait_until(lambda: not list_containers(engine, assignment.task))


def test_a_step_that_is_silent_too_long_is_ended_with_its_group(bench: Bench) -> None:
    task = bench.run(Run(name="quiet", command="sleep 300 | cat", no_output_timeout=0.2), job=busybox_job())
    assert outcome(bench, task)[:2] == (TaskStatus.TIMEDOUT, Reason.NO_OUTPUT)


AGENT = """
import sys
from pathlib import Path
from penstock.agent.executor.docker.engine import open_engine
from penstock.agent.executor.docker.executor import DockerExecutor
from penstock.agent.executor.host import HostExecutor
from penstock.agent.loop import Agent
from penstock.plan.executor import Image
from tests.support.agents import assign
from tests.support.docker import IMAGE, busybox_job
from tests.support.transport import FakeServer
server, work = FakeServer(), Path(sys.argv[1])
host = HostExecutor(work)
docker = DockerExecutor(open_engine(), work, host.guardian if sys.argv[2] == "guarded" else None)
task = assign("echo begun; sleep 300", job=busybox_job(Image(image=IMAGE, command=("sleep", "300"))))
server.give(task)
print(task.task, flush=True)
import threading
threading.Thread(target=Agent(server, lambda _: docker, name="doomed").run, daemon=True).start()
server.wait_until(lambda: b"begun" in server.output_of(task.task))
print("begun", flush=True)
threading.Event().wait()
"""


def run_and_kill(engine: Engine, work: Path, guarded: str) -> None:
    """An agent that has two containers dies by SIGKILL."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "DOCKER_HOST": engine.address}
    agent = subprocess.Popen(
        [sys.executable, "-c", AGENT, str(work), guarded], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert agent.stdout is not None
    with agent.stdout as told:
        told.readline()
        assert told.readline() == "begun\n"
        agent.kill()
    agent.wait()


def left_by(engine: Engine, work: Path) -> list[str]:
    return list_containers(engine, str(work), label="penstock.alive")


def test_after_kill_9_the_guardian_removes_the_containers(engine: Engine, tmp_path: Path) -> None:
    run_and_kill(engine, tmp_path, "guarded")
    wait_until(lambda: not left_by(engine, tmp_path), seconds=20)
    wait_until(lambda: not any(tmp_path.iterdir()))


def test_after_the_death_of_agent_and_guardian_the_next_agent_removes_the_containers(
    engine: Engine, tmp_path: Path
) -> None:
    run_and_kill(engine, tmp_path, "alone")
    assert left_by(engine, tmp_path)
    server = FakeServer()
    with agent_at_work(server, DockerExecutor(engine, tmp_path / "next")) as agent:
        task = Bench(server, agent, tmp_path).run("true", job=busybox_job())
        assert server.finish_of(task).status is TaskStatus.SUCCESS
    assert not left_by(engine, tmp_path / "docker-")
