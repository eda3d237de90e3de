"""`penstock run` with jobs in containers of a real engine, through its front door."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import msgspec
import pytest

from penstock.agent.executor.docker.engine import Engine, EngineError
from tests.support.command import Outcome, Project, command
from tests.support.docker import (
    IMAGE,
    find_network,
    find_pid,
    list_containers,
    open_test_engine,
    own_engine,
)
from tests.support.docker_images import build_layer, make_image
from tests.support.image_registry import make_stored_image, serve_images
from tests.support.processes import wait_until


@pytest.fixture
def engine() -> Engine:
    return open_test_engine()


def job(*steps: str, images: str = f"[{{image: '{IMAGE}'}}]", more: str = "") -> str:
    """A job in containers: steps and images as YAML, one line each."""
    listed = "".join(f"      - {step}\n" for step in steps)
    extra = f"    {more}\n" if more else ""
    return f"    docker: {images}\n{extra}    steps:\n{listed}"


def config(**jobs: str) -> str:
    """A config of these jobs, which need nothing of each other."""
    listed = "".join(f"  {name}:\n{text}" for name, text in jobs.items())
    flow = "".join(f"      - {name}\n" for name in jobs)
    return f"version: 2.1\njobs:\n{listed}workflows:\n  main:\n    jobs:\n{flow}"


def run(project: Project, engine: Engine, *arguments: str, **environment: str) -> Outcome:
    environment = {"DOCKER_HOST": engine.address, **environment}
    return project.call(
        "run", "--output", str(project.output), "--executor", "docker", *arguments, timeout=120, **environment
    )


def left_by(engine: Engine, project: Project) -> list[str]:
    """Containers of runs of this project."""
    return list_containers(engine, str(project.home), label="penstock.alive")


def test_steps_run_in_the_image_with_the_source_and_the_jobs_variables(
    tmp_path: Path, engine: Engine
) -> None:
    steps = (
        "checkout",
        "run: {name: look, command: cat greeting.txt; pwd}",
        "run: {name: variables, command: 'echo $A $B $C $CIRCLE_JOB $HOME', environment: {C: step}}",
        "run: {name: pass on, command: echo 'export PASSED=on' >> $BASH_ENV}",
        "run: {name: shell, command: 'echo ${BASH_VERSION:-none} $PASSED; false | true && echo lenient'}",
    )
    make_image(engine, "with-bash:1", programs=["/bin/bash"])
    images = "[{image: 'with-bash:1', environment: {A: entry, B: entry}}]"
    text = config(build=job(*steps, images=images, more="environment: {B: job, C: job}"))
    project = Project(tmp_path, text, {"greeting.txt": "hello\n"})
    outcome = run(project, engine)
    assert outcome.status == 1, outcome
    assert outcome.err == ""
    assert project.log("build", "look").startswith("hello\n/root/project\n")
    assert project.log("build", "variables") == "entry job step build /root\n"
    shell = project.log("build", "shell")
    assert shell.startswith("5.")
    assert " on\n" in shell
    assert "lenient" not in shell
    assert left_by(engine, project) == []


@pytest.mark.parametrize("mode", [0o755, 0o700])
@pytest.mark.parametrize("user", ["root", "worker"])
def test_a_checkout_is_a_repository_for_whoever_the_images_user_is(
    tmp_path: Path, engine: Engine, user: str, mode: int
) -> None:
    make_image(engine, "with-git:1", programs=["/usr/bin/git", "/usr/bin/git-upload-pack"])
    look = "cat greeting.txt; git status --short; git log --oneline | wc -l; git fsck --no-dangling"
    text = config(
        build=job(
            "checkout",
            f"run: {{name: look, command: '{look}'}}",
            images=f"[{{image: 'with-git:1', user: {user}}}]",
        )
    )
    project = Project(tmp_path, text, {"greeting.txt": "hello\n"})
    (project.folder / "greeting.txt").write_text("hello again\n")
    (project.folder / ".git/objects").chmod(mode)  # closed to others, as an umask may have it
    outcome = run(project, engine)
    assert outcome.status == 0, outcome
    assert project.log("build", "look") == "hello again\n M greeting.txt\n1\n"


def test_artifacts_may_be_in_memory(tmp_path: Path, engine: Engine) -> None:
    text = config(
        build=job(
            "run: mkdir /dev/shm/sub; echo 1 > /dev/shm/sub/one; echo 2 > /dev/shm/two",
            "store_artifacts: {path: /dev/shm, destination: memory}",
            "store_artifacts: {path: /proc/version}",
            "persist_to_workspace: {root: /dev/shm, paths: [sub]}",
        )
    )
    project = Project(tmp_path, text)
    outcome = run(project, engine)
    assert outcome.status == 1
    assert "/dev/shm/sub is in the container's memory, which the engine does not see" in outcome.out
    artifacts = project.output / "artifacts/build"
    assert (artifacts / "memory/sub/one").read_text() == "1\n"
    assert (artifacts / "memory/two").read_text() == "2\n"
    assert (artifacts / "proc/version").read_text().startswith("Linux version")


def test_caches_workspaces_and_artifacts_pass_between_containers_of_other_users(
    tmp_path: Path, engine: Engine
) -> None:
    first = job(
        "run: mkdir -p out/deep kept && echo 1 > out/deep/file && echo 2 > kept/file && ln -s deep out/link",
        "persist_to_workspace: {root: out, paths: ['.']}",
        "save_cache: {key: k1, paths: [kept]}",
        "run: echo outside > /tmp/outside",
        "store_artifacts: {path: /etc/passwd}",
        "store_artifacts: {path: /tmp/outside, destination: of/tmp}",
        "store_artifacts: {path: out/link}",
    )
    second = job(
        "attach_workspace: {at: /home/worker/there}",
        "restore_cache: {keys: [k1]}",
        "run: {name: look, command: cat kept/file ~/there/link/file; stat -c %U kept ~/there/deep/file;"
        " echo more >> ~/there/deep/file; readlink ~/there/link}",
        images=f"[{{image: '{IMAGE}', user: worker}}]",
    )
    text = config(first=first, second=second).replace("- second", "- second: {requires: [first]}")
    project = Project(tmp_path, text)
    outcome = run(project, engine)
    assert outcome.status == 0, outcome
    assert project.log("second", "look") == "2\n1\nworker\nworker\ndeep\n"
    artifacts = project.output / "artifacts/first"
    assert (artifacts / "etc/passwd").read_text().startswith("root:")
    assert (artifacts / "of/tmp").read_text() == "outside\n"
    stored = sorted(str(path.relative_to(artifacts)) for path in artifacts.rglob("*") if path.is_file())
    assert stored == ["etc/passwd", "of/tmp", "out/link/file"]


def test_services_answer_at_localhost_and_by_name_and_one_that_dies_is_told_of(
    tmp_path: Path, engine: Engine
) -> None:
    serve = "mkdir /www; echo served by $WHO > /www/index.html; exec httpd -f -p 8080 -h /www"
    images = (
        f"[{{image: '{IMAGE}', name: main}},"
        f" {{image: '{IMAGE}', name: web, entrypoint: [sh, -c], command: ['{serve}'],"
        " environment: {WHO: me}},"
        f" {{image: '{IMAGE}', command: [sh, -c, 'echo no disk; exit 3']}}]"
    )
    get = "until wget -qO- http://{}:8080/; do :; done 2>/dev/null"
    text = config(
        build=job(
            f"run: {{name: local, command: '{get.format('localhost')}'}}",
            f"run: {{name: named, command: '{get.format('web')}; ping -c 1 -W 1 main >/dev/null'}}",
            "run: {name: fails, command: exit 1}",
            images=images,
        )
    )
    project = Project(tmp_path, text)
    outcome = run(project, engine, "--json")
    assert outcome.status == 1, outcome
    assert project.log("build", "local") == "served by me\n"
    assert project.log("build", "named") == "served by me\n"
    logs = "".join(path.read_text() for path in (project.output / "logs/build").iterdir())
    assert f"The service {IMAGE} ended with exit status 3:\nno disk\n" in logs
    assert left_by(engine, project) == []


def test_resource_classes_are_bounds_and_never_more_than_the_machine_has(
    tmp_path: Path, engine: Engine
) -> None:
    show = (
        "run: {name: show, command: cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max"
        " /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null || true}"
    )
    text = config(
        little=job(show, more="resource_class: small"), huge=job(show, more="resource_class: 2xlarge+")
    )
    project = Project(tmp_path, text)
    outcome = run(project, engine)
    assert outcome.status == 0, outcome
    memory, quota = project.log("little", "show").split()[:2]
    assert (memory, quota) == (str(2 << 30), "100000")
    machine = engine.machine
    memory, quota = project.log("huge", "show").split()[:2]
    assert int(memory) <= machine.memory
    assert int(quota) == 100000 * min(machine.processors, 20)
    assert "Resource class 2xlarge+ is 20 processors and 40 GiB, this machine has" in project.log(
        "huge", "Spin up environment"
    )


def test_private_images_are_pulled_with_credentials_of_the_project(tmp_path: Path, engine: Engine) -> None:
    image = make_stored_image(build_layer())
    with serve_images({"team/app": image}, find_network(engine), credentials="me:s3cret-word") as registry:
        auth = "auth: {username: me, password: $PASSWORD}"
        name = f"{registry.host}/team/app"
        text = config(
            tagged=job(
                "run: {name: show, command: echo $FROM_REGISTRY}", images=f"[{{image: '{name}:1', {auth}}}]"
            ),
            digest=job(
                "run: {name: show, command: echo $FROM_REGISTRY}",
                images=f"[{{image: '{name}@{image.digest}', {auth}}}]",
            ),
        )
        project = Project(tmp_path, text)
        variables = tmp_path / "project.env"
        variables.write_text("PASSWORD=s3cret-word\n")
        outcome = run(project, engine, "--env-file", str(variables))
    assert outcome.status == 0, outcome
    assert project.log("tagged", "show") == "yes\n"
    assert project.log("digest", "show") == "yes\n"
    assert f"Pulling {name}:1\n" in project.log("tagged", "Spin up environment")


def test_who_is_logged_in_on_the_machine_needs_no_auth_and_who_is_not_is_told(
    tmp_path: Path, engine: Engine
) -> None:
    image = make_stored_image(build_layer())
    with serve_images({"team/mine": image}, find_network(engine), credentials="me:word") as registry:
        project = Project(
            tmp_path, config(build=job("run: 'true'", images=f"[{{image: '{registry.host}/team/mine:1'}}]"))
        )
        refused = run(project, engine, DOCKER_CONFIG=str(tmp_path))
        login = {"auths": {registry.host: {"auth": "bWU6d29yZA=="}}}
        (tmp_path / "config.json").write_text(json.dumps(login))
        allowed = run(project, engine, DOCKER_CONFIG=str(tmp_path))
        wrong = config(
            build=job(
                "run: 'true'",
                images=f"[{{image: '{registry.host}/team/mine:2', auth: {{username: me, password: $NO}}}}]",
            )
        )
        (project.folder / ".circleci/config.yml").write_text(wrong)
        unknown = run(project, engine)
    assert refused.status == 1
    assert f"cannot pull the image {registry.host}/team/mine:1: " in refused.out
    assert "no basic auth credentials. Give the image `auth`, or log in" in refused.out
    assert allowed.status == 0, allowed
    assert "its credentials name the variable NO, which the job does not have" in unknown.out


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        ("127.0.0.1:9/none:1", "cannot pull the image 127.0.0.1:9/none:1: "),
        ("not a name", "'not a name' is no name of an image"),
        ("UPPER/case", "invalid reference format: repository name must be lowercase"),
        ("no-shell:1", "the image no-shell:1 has no /bin/sh, which steps need"),
    ],
)
def test_an_image_of_no_use_fails_its_job_with_a_sentence_and_no_other(
    tmp_path: Path, engine: Engine, image: str, sentence: str
) -> None:
    make_image(engine, "no-shell:1", applets=["true"])
    project = Project(
        tmp_path, config(good=job("run: 'true'"), bad=job("run: 'true'", images=f"[{{image: '{image}'}}]"))
    )
    outcome = run(project, engine)
    assert outcome.status == 1
    assert sentence in outcome.out
    assert "good: success" in outcome.out
    assert "bad: infrastructure_fail" in outcome.out
    assert left_by(engine, project) == []


def test_without_an_engine_docker_is_refused_and_auto_runs_on_the_host(tmp_path: Path) -> None:
    project = Project(tmp_path, config(build=job("run: 'true'")))
    refused = project.run("--executor", "docker")
    assert refused.status == 3
    assert "no Docker engine answers at unix:///no/engine" in refused.err
    fallen_back = project.run()
    assert fallen_back.status == 0
    assert "on this host, with its tools, instead of a container: build" in fallen_back.err


def test_a_container_that_ends_in_mid_step_is_a_loss_and_not_a_failure(
    tmp_path: Path, engine: Engine
) -> None:
    images = f"[{{image: '{IMAGE}', command: [sh, -c, 'until [ -e /tmp/end ]; do :; done; exit 9']}}]"
    project = Project(tmp_path, config(build=job("run: touch /tmp/end; sleep 300", images=images)))
    outcome = run(project, engine)
    assert outcome.status == 1
    assert "the main process of the job's container ended with exit status 9" in outcome.out
    assert "build: infrastructure_fail" in outcome.out
    assert left_by(engine, project) == []


@pytest.mark.slow
def test_an_engine_that_goes_away_in_mid_job_is_an_infrastructure_failure_after_another_attempt(
    tmp_path: Path,
) -> None:
    with own_engine() as engine:
        project = Project(tmp_path, config(build=job("run: sleep 300"), other=job("run: sleep 300")))
        process = start(project, engine, "--json")
        assert process.stdout is not None
        begun = 0
        while begun < 2:
            event = json.loads(process.stdout.readline())
            begun += event["type"] == "step" and event["name"] == "sleep 300"
        os.kill(find_pid(engine), signal.SIGKILL)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    events = Outcome(1, out, "").events()
    ends = {event["name"]: event for event in events if event["type"] == "job"}
    assert {(end["status"], end.get("attempt")) for end in ends.values()} == {("infrastructure_fail", 2)}
    assert all("the Docker engine at unix://" in str(end["message"]) for end in ends.values())


def start(project: Project, engine: Engine, how: str = "--verbose") -> "subprocess.Popen[str]":
    """`penstock run`, to be interfered with."""
    return subprocess.Popen(
        command("run", "--executor", "docker", how),
        cwd=project.folder,
        env=project.environment(DOCKER_HOST=engine.address),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def list_volumes(engine: Engine, container: str) -> list[str]:
    """The volumes the engine made for a container."""
    mounts = msgspec.json.decode(engine.tell("GET", f"/containers/{container}/json"))["Mounts"]
    return [mount["Name"] for mount in mounts if mount["Type"] == "volume"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_in_the_engine_after_a_run_was_ended(
    tmp_path: Path, engine: Engine, number: signal.Signals
) -> None:
    make_image(engine, "with-volume:1", changes=("VOLUME /data",))
    images = f"[{{image: 'with-volume:1'}}, {{image: '{IMAGE}', command: [sleep, '300']}}]"
    project = Project(tmp_path, config(build=job("run: echo begun; sleep 300", images=images)))
    process = start(project, engine)
    assert process.stdout is not None
    while "begun" not in (line := process.stdout.readline()):
        assert line
    made = left_by(engine, project)
    assert len(made) == 2
    (volume,) = [name for each in made for name in list_volumes(engine, each)]
    process.send_signal(number)
    process.communicate(timeout=60)
    wait_until(lambda: left_by(engine, project) == [], seconds=20)
    with pytest.raises(EngineError, match="no such volume"):
        engine.tell("GET", f"/volumes/{volume}")


def test_the_next_run_removes_what_nobody_else_could(tmp_path: Path, engine: Engine) -> None:
    images = f"[{{image: '{IMAGE}'}}, {{image: '{IMAGE}', command: [sleep, '300']}}]"
    project = Project(tmp_path, config(build=job("run: echo begun; sleep 300", images=images)))
    process = start(project, engine)
    assert process.stdout is not None
    while "begun" not in (line := process.stdout.readline()):
        assert line
    family = children_of(process.pid)
    assert family, "a run has a guardian"
    for pid in (*family, process.pid):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert left_by(engine, project) != []
    (project.folder / ".circleci/config.yml").write_text(config(build=job("run: 'true'")))
    assert run(project, engine).status == 0
    assert left_by(engine, project) == []


def children_of(pid: int) -> list[int]:
    """The processes a process started, by all its threads."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


@pytest.mark.slow
def test_thirty_jobs_at_a_time_have_a_container_each(tmp_path: Path, engine: Engine) -> None:
    text = config(many=job("run: echo $CIRCLE_NODE_INDEX", more="parallelism: 30"))
    project = Project(tmp_path, text)
    outcome = run(project, engine, "--max-parallel", "30")
    assert outcome.status == 0, outcome
    told = {path.read_text() for path in (project.output / "logs").glob("many-*/*echo*.log")}
    assert told == {f"{index}\n" for index in range(30)}
    assert left_by(engine, project) == []


def test_a_full_disk_of_the_engine_is_said_by_who_meets_it(tmp_path: Path) -> None:
    first = job("run: head -c 3000000 /dev/urandom > file", "persist_to_workspace: {root: ., paths: [file]}")
    second = job(
        "run: {name: fill, command: cat /dev/zero > /big || true}",
        "attach_workspace: {at: there}",
        "store_artifacts: {path: /etc/passwd}",
    )
    text = config(first=first, second=second).replace("- second", "- second: {requires: [first]}")
    project = Project(tmp_path, text)
    with own_engine(megabytes=100) as engine:
        outcome = run(project, engine)
        again = run(Project(tmp_path / "again", config(build=job("run: echo works"))), engine)
    assert outcome.status == 1
    assert "first: success" in outcome.out
    assert "No space left on device" in project.log("second", "fill")
    assert "no space left on device" in project.log("second", "Attaching workspace")
    assert "second: failed" in outcome.out
    assert (project.output / "artifacts/second/etc/passwd").exists()
    assert again.status == 0, again


def test_remote_docker_is_the_engine_of_the_job(tmp_path: Path, engine: Engine) -> None:
    if (client := shutil.which("docker")) is None:
        pytest.skip("no docker client on this machine")
    make_image(engine, "with-client:1", programs=[client])
    text = config(
        build=job(
            "setup_remote_docker: {version: default, docker_layer_caching: true}",
            "run: {name: nested, command: docker run --rm penstock-test:latest echo inside}",
            images="[{image: 'with-client:1', user: worker}]",
        )
    )
    project = Project(tmp_path, text)
    outcome = run(project, engine)
    assert outcome.status == 0, outcome
    assert project.log("build", "nested") == "inside\n"
