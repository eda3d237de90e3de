"""A pipeline over two agents on other machines: what one leaves behind the other finds."""

from pathlib import Path

from penstock.engine.principal import SERVER
from penstock.engine.project_settings import set_credentials
from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from penstock.model.credentials import CloneCredentials
from penstock.model.summary import WorkflowSummary
from penstock.store.pipelines import list_pipelines
from tests.e2e.test_agent import read_job
from tests.support.agent_process import make_join_token, running_agent
from tests.support.docker import IMAGE, list_containers, open_test_engine
from tests.support.git_host import TOKEN, serve_git
from tests.support.processes import wait_until
from tests.support.pushing import Origin, add_built_project, announce, sealer_of, tell_push
from tests.support.server import joined_parts, running_server

CONFIG = """
version: 2.1
jobs:
  make:
    machine: true
    resource_class: acme/one
    steps:
      - checkout
      - restore_cache: {keys: ['deps-{{ checksum "word" }}', deps-]}
      - run: test -e cached && echo hit || { head -c 9000000 /dev/urandom > cached; echo miss; }
      - save_cache: {key: 'deps-{{ checksum "word" }}', paths: [cached]}
      - run: mkdir -p out && cp cached out/ && sha256sum cached > sum
      - persist_to_workspace: {root: ., paths: [out, sum]}
      - store_artifacts: {path: out}
      - run: |
          mkdir results
          echo '<testsuite><testcase classname="a" name="b"/></testsuite>' > results/junit.xml
      - store_test_results: {path: results}
  check:
    machine: true
    resource_class: acme/two
    parallelism: 2
    steps:
      - attach_workspace: {at: /tmp/FOLDER}
      - run: cd /tmp/FOLDER && mv out/cached . && sha256sum -c sum && mv cached out/
workflows:
  main:
    jobs:
      - make
      - check: {requires: [make]}
"""


def end_of(parts: Parts, count: int) -> WorkflowSummary:
    """The newest pipeline's workflow, once that many pipelines are there and it has ended."""
    found: list[WorkflowSummary] = []

    def is_over() -> bool:
        with parts.db.read() as tx:
            every = list_pipelines(tx, limit=100)
        if len(every) < count:
            return False
        found[:] = summarize_pipeline(parts, every[0].uuid).workflows
        return bool(found) and found[0].status.is_terminal

    wait_until(is_over, seconds=60, what="the pipeline ended")
    return found[0]


def test_two_agents_share_what_jobs_leave_behind(tmp_path: Path) -> None:
    origin = Origin(tmp_path, CONFIG.replace("/tmp/FOLDER", str(tmp_path / "attached")))
    with (
        serve_git(tmp_path) as host,
        running_server(tmp_path / "data", "--slots", "0", "--git-protocols", "http") as server,
        joined_parts(server.folder.root) as parts,
        running_agent(tmp_path / "a", server.url, make_join_token(parts, "acme/one")),
        running_agent(tmp_path / "b", server.url, make_join_token(parts, "acme/two")),
    ):
        host.private = True
        project = add_built_project(parts, sealer_of(server), f"{host.address}/app.git")
        credentials = CloneCredentials(token=TOKEN)
        set_credentials(parts, sealer_of(server), SERVER, project, credentials)
        for number in (1, 2):
            sha = origin.push(message=f"push {number}")
            assert announce(server, project, tell_push(sha)).status_code < 300
            workflow = end_of(parts, number)
            assert workflow.status == "success", workflow
            make = next(job for job in workflow.jobs if job.name == "make")
            assert make.artifacts == ("out/cached",)
            assert make.tests is not None
            assert ("hit\n" if number > 1 else "miss\n") in read_job(parts, make.uuid)


IN_CONTAINER = """
version: 2.1
jobs:
  build:
    docker: [{image: IMAGE}]
    resource_class: acme/one
    steps:
      - checkout
      - run: cat word; ls /; hostname
      - run: 'mkdir -p out && cp word out/'
      - store_artifacts: {path: out}
workflows: {main: {jobs: [build]}}
"""


def test_an_agent_runs_jobs_in_containers_with_a_private_repository(tmp_path: Path) -> None:
    engine = open_test_engine()
    origin = Origin(tmp_path, IN_CONTAINER.replace("IMAGE", IMAGE))
    with (
        serve_git(tmp_path) as host,
        running_server(tmp_path / "data", "--slots", "0", "--git-protocols", "http") as server,
        joined_parts(server.folder.root) as parts,
        running_agent(
            tmp_path / "a",
            server.url,
            make_join_token(parts, "acme/one"),
            "--executor",
            "docker",
            environment={"DOCKER_HOST": engine.address},
        ) as agent,
    ):
        host.private = True
        project = add_built_project(parts, sealer_of(server), f"{host.address}/app.git")
        set_credentials(parts, sealer_of(server), SERVER, project, CloneCredentials(token=TOKEN))
        assert announce(server, project, tell_push(origin.push())).status_code < 300
        workflow = end_of(parts, 1)
        (job,) = workflow.jobs
        printed = read_job(parts, job.uuid)
        assert workflow.status == "success", printed
        assert "first" in printed
        assert TOKEN not in printed
        assert job.artifacts == ("out/word",)
        assert agent.stop() == 0
        assert list_containers(engine, str(tmp_path / "a"), label="penstock.alive") == []
