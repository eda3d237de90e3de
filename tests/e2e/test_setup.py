"""Dynamic configuration from the command line: a setup workflow continues its pipeline on this machine."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.command import Outcome, Project
from tests.support.docker import open_test_engine
from tests.support.docker_images import make_image
from tests.support.repositories import git, write_files
from tests.support.shared_data import find_shared

ORB = """\
commands:
  continue:
    parameters:
      file: {type: string}
      parameters: {type: string, default: "{}"}
    steps:
      - run:
          name: Continue
          command: |
            test -n "$CIRCLE_CONTINUATION_KEY" || exit 9
            cat >compose.py <<'END'
            import json, os, sys
            body = {"continuation-key": os.environ["CIRCLE_CONTINUATION_KEY"]}
            body |= {"configuration": open(sys.argv[1]).read(), "parameters": json.loads(sys.argv[2])}
            print(json.dumps(body))
            END
            python3 compose.py '<< parameters.file >>' '<< parameters.parameters >>' >body.json
            cat body.json
            [ "$(curl --retry 5 -o /dev/stderr -w '%{http_code}' -XPOST -H 'Content-Type: application/json' \
              --data @body.json "https://circleci.com/api/v2/pipeline/continue")" -eq 200 ]
jobs:
  pass-on:
    machine: true
    parameters:
      file: {type: string, default: rest.yml}
      parameters: {type: string, default: "{}"}
    steps:
      - checkout
      - continue: {file: << parameters.file >>, parameters: << parameters.parameters >>}
"""
SETUP = f"""\
version: 2.1
setup: true
parameters:
  size: {{type: integer, default: 1}}
orbs:
  go:
{"".join(f"    {line}" for line in ORB.splitlines(keepends=True))}
workflows:
  choose:
    jobs: [go/pass-on: {{parameters: '{{"ship": true, "word": "hello"}}', context: secrets}}]
"""
REST = """\
version: 2.1
parameters:
  size: {type: integer, default: 1}
  ship: {type: boolean, default: false}
  word: {type: string, default: ""}
jobs:
  make:
    machine: true
    steps:
      - checkout
      - run: {name: say, command: 'echo << pipeline.parameters.size >> << pipeline.parameters.word >> $TOKEN'}
      - run: {name: key, command: 'echo "key: $CIRCLE_CONTINUATION_KEY."; test ! -e "${PATH%%:*}/curl"'}
  send: {machine: true, steps: [run: "true"]}
workflows:
  build:
    jobs: [make: {context: secrets}]
  ship:
    when: << pipeline.parameters.ship >>
    jobs: [hold: {type: approval}, send: {requires: [hold]}]
"""


def make_project(folder: Path, setup: str = SETUP, rest: str = REST, **files: str) -> Project:
    (folder / "secret.env").write_text("TOKEN=confidential\n")
    return Project(folder, setup, {"rest.yml": rest, **files})


def run(project: Project, *arguments: str, timeout: float = 60, **environment: str) -> Outcome:
    context = f"secrets={project.folder.parent / 'secret.env'}"
    return project.run("--context", context, *arguments, timeout=timeout, **environment)


def names_of(done: Outcome) -> dict[str, list[str]]:
    """The jobs of each workflow of the summary."""
    summary = json.loads(done.out.splitlines()[-1])
    return {flow["name"]: [job["name"] for job in flow["jobs"]] for flow in summary["workflows"]}


def test_a_setup_continues_with_parameters_secrets_and_approvals(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    done = run(project, "--param", "size=7", "--approve", "hold")
    assert done.status == 0, done.err
    for line in ("choose: success", "build: success", "ship: success", "Pipeline 1: success"):
        assert line in done.out
    assert project.log("make", "say") == "7 hello ****\n"
    assert project.log("make", "key") == "key: .\n"
    printed = project.log("go-pass-on", "Continue")
    assert '"continuation-key": "****"' in printed
    assert printed.endswith('{"message":"Accepted."}')
    assert "nothing continues" not in done.err


def test_the_command_of_penstock_continues_too(tmp_path: Path) -> None:
    setup = """\
version: 2.1
setup: true
jobs:
  pick:
    machine: true
    steps:
      - checkout
      - run: echo '{"word":"there"}' >given.json
      - run: circleci continue --config rest.yml --parameters @given.json
workflows: {choose: {jobs: [pick]}}
"""
    project = make_project(tmp_path, setup)
    assert run(project).status == 0
    assert project.log("make", "say") == "1 there ****\n"


@pytest.mark.parametrize(
    ("asked", "run_jobs"),
    [
        (["--job", "make"], {"choose": ["go/pass-on"], "build": ["make"]}),
        (["--workflow", "ship", "--approve", "all"], {"choose": ["go/pass-on"], "ship": ["hold", "send"]}),
        (["--workflow", "choose"], {"choose": ["go/pass-on"]}),
    ],
)
def test_selections_apply_to_what_follows(
    asked: list[str], run_jobs: dict[str, list[str]], tmp_path: Path
) -> None:
    done = run(make_project(tmp_path), "--json", *asked)
    assert done.status == 0, done.err
    assert names_of(done) == run_jobs


def test_what_nobody_knows_is_said_after_the_setup(tmp_path: Path) -> None:
    done = run(make_project(tmp_path), "--job", "nope")
    assert done.status == 2
    assert "there is no job named 'nope'; there are hold, make, send" in done.err
    assert "Pipeline 1: error" in done.out


def test_a_failure_in_what_follows_counts(tmp_path: Path) -> None:
    rest = REST.replace("run: {name: say, command: 'echo", "run: {name: say, command: 'exit 3 #")
    done = run(make_project(tmp_path, rest=rest), "--job", "make")
    assert done.status == 1
    assert "make: say failed, exit 3" in done.out
    assert "choose: success" in done.out


def test_errors_in_what_follows_have_a_place(tmp_path: Path) -> None:
    rest = REST.replace("jobs: [make: {context: secrets}]", "jobs: [mkae]")
    project = make_project(tmp_path, rest=rest)
    done = run(project)
    assert done.status == 2
    assert "continuation:16:12: error" in done.err
    assert "mkae" in project.log("go-pass-on", "Continue")
    assert "Pipeline 1: error" in done.out
    listed = project.call("runs")
    assert " error " in listed.out


@pytest.mark.parametrize(
    ("rest", "given", "said"),
    [
        (REST, "--param=ship=true", "Conflicting pipeline parameters."),
        (REST.replace("  word: {type: string", "  other: {type: string"), "", "Unexpected argument(s): word"),
        ("setup: true\n" + REST.partition("  ship:\n")[0], "", "continues only once"),
    ],
    ids=["conflict", "unexpected", "again"],
)
def test_what_is_wrong_with_the_request_fails_the_job(
    rest: str, given: str, said: str, tmp_path: Path
) -> None:
    setup = SETUP.replace(
        "parameters:\n  size", "parameters:\n  ship: {type: boolean, default: false}\n  size", 1
    )
    project = make_project(tmp_path, setup if "ship" in given else SETUP, rest)
    done = run(project, *([given] if given else []))
    assert done.status == 1
    assert said in project.log("go-pass-on", "Continue")
    assert "Pipeline 1: failed" in done.out


def test_a_setup_that_does_not_continue_says_so(tmp_path: Path) -> None:
    setup = "version: 2.1\nsetup: true\njobs: {pick: {machine: true, steps: [run: 'true']}}\n"
    done = run(make_project(tmp_path, setup + "workflows: {choose: {jobs: [pick]}}\n"))
    assert done.status == 0
    assert "penstock: the setup workflow has not continued the pipeline" in done.err


def test_a_pipeline_continues_once(tmp_path: Path) -> None:
    setup = """\
version: 2.1
setup: true
jobs:
  pick:
    machine: true
    steps:
      - checkout
      - run: circleci continue --config rest.yml
      - run: circleci continue --config rest.yml || echo refused
workflows: {choose: {jobs: [pick]}}
"""
    project = make_project(tmp_path, setup)
    assert run(project).status == 0
    (log,) = (project.output / "logs/pick").glob("*refused*")
    assert log.read_text() == "The pipeline has already been continued.\nrefused\n"


PATHS = """\
version: 2.1
setup: true
orbs: {path-filtering: circleci/path-filtering@2.0.1}
workflows:
  generate-config:
    jobs:
      - path-filtering/filter:
          base-revision: main
          config-path: .circleci/continue_config.yml
          mapping: |
            src/.* build-code true
            doc/.* build-docs true
"""
CHOSEN = """\
version: 2.1
parameters:
  build-code: {type: boolean, default: false}
  build-docs: {type: boolean, default: false}
jobs:
  code: {machine: true, steps: [checkout, run: cat src/a.c]}
  docs: {machine: true, steps: [run: exit 1]}
workflows:
  code: {when: << pipeline.parameters.build-code >>, jobs: [code]}
  docs: {when: << pipeline.parameters.build-docs >>, jobs: [docs]}
"""
YQ = """\
import sys, yaml
merged = {}
for name in sys.argv[3:]:
    merged |= yaml.safe_load(open(name))
yaml.safe_dump(merged, sys.stdout)
"""
JQ_ORB = "commands: {install: {steps: [run: jq --version]}}\n"


def test_the_path_filtering_orb_works_as_it_is_published(tmp_path: Path) -> None:
    if shutil.which("jq") is None or shutil.which("curl") is None:
        pytest.skip("the orb needs jq and curl")
    orbs = find_shared("circleci/orbs")
    project = Project(tmp_path, PATHS, {".circleci/continue_config.yml": CHOSEN, "jq.yml": JQ_ORB})
    for name, file in {
        "circleci/path-filtering@2.0.1": orbs / "CircleCI-Public__path-filtering-orb.yml",
        "circleci/continuation@2.0.1": orbs / "CircleCI-Public__continuation-orb.yml",
        "circleci/jq@3.0.2": project.folder / "jq.yml",
    }.items():
        assert project.call("orb", "publish", name, str(file)).status == 0
    git(project.folder, "branch", "-M", "main")
    git(project.folder, "checkout", "-b", "topic")
    write_files(project.folder, {"src/a.c": "int a;\n"})
    git(project.folder, "add", ".")
    git(project.folder, "commit", "-m", "change the source")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "yq").write_text(
        f'#!/bin/sh\nexec {sys.executable} {tools}/yq.py "$@"\n'
    )  # the orb would download it
    (tools / "yq").chmod(0o755)
    (tools / "yq.py").write_text(YQ)
    done = project.run("--json", timeout=120, PATH=f"{tools}:{os.environ['PATH']}")
    assert done.status == 0, done.out + done.err
    assert names_of(done) == {"generate-config": ["path-filtering/filter"], "code": ["code"]}
    assert "Accepted." in project.log("path-filtering-filter", "Continue Pipeline")


IN_SHELL = """\
version: 2.1
setup: true
jobs:
  pick:
    docker: [{image: "penstock-shell:latest"}]
    steps:
      - checkout
      - run: |
          circleci continue --config rest.yml --parameters '{"word": "inside"}'
workflows: {choose: {jobs: [pick]}}
"""
IN_CONTAINER = """\
version: 2.1
parameters: {word: {type: string, default: ""}}
jobs:
  make:
    docker: [{image: "penstock-shell:latest"}]
    steps: [run: {name: say, command: "test ! -e /bin/cat && echo << pipeline.parameters.word >>"}]
workflows: {build: {jobs: [make]}}
"""


def test_a_container_with_only_a_shell_continues_too(tmp_path: Path) -> None:
    engine = open_test_engine()
    make_image(engine, "penstock-shell:latest", applets=("sh",))
    project = Project(tmp_path, IN_SHELL, {"rest.yml": IN_CONTAINER})
    done = project.run("--executor", "docker", DOCKER_HOST=engine.address)
    assert done.status == 0, done.out + done.err
    assert "build: success" in done.out
    assert project.log("make", "say") == "inside\n"
