"""The variables, shells and folders steps find, through the front door."""

from pathlib import Path

import pytest

from tests.support.command import Project


def test_of_several_values_of_a_variable_the_nearest_wins(tmp_path: Path) -> None:
    """CircleCI docs, order of precedence: command, step, job, built-in, later context, context, project."""
    config = """
version: 2.1
executors:
  plain:
    machine: true
    environment: {G: executor, H: executor}
jobs:
  build:
    executor: plain
    environment: {CIRCLE_USERNAME: job, H: job, I: job, J: job, K: job}
    steps:
      - run: echo 'export K=bash_env J=bash_env' >> "$BASH_ENV"
      - run:
          name: show
          environment: {I: step, J: step, L: step}
          command: |
            L=command
            echo "$A $B $C $D $E $G $H $I $J $K $L $CIRCLE_JOB $CIRCLE_USERNAME"
workflows:
  main:
    jobs:
      - build:
          context: [first, second]
"""
    values = {
        "project": "ABCDEFGHI",
        "first": "BCDEFGHI",
        "second": "CDEFGHI",
    }
    for name, names in values.items():
        lines = [f"{each}={name}" for each in names]
        (tmp_path / name).write_text("\n".join([*lines, f"CIRCLE_JOB={name}", "CIRCLE_USERNAME=x"]))
    project = Project(tmp_path, config)
    outcome = project.run(
        "--env-file", str(tmp_path / "project"),
        "--context", f"second={tmp_path / 'second'}", "--context", f"first={tmp_path / 'first'}",
    )  # fmt: skip
    assert outcome.status == 0, outcome
    expected = "project first second second second executor job step bash_env bash_env command build job"
    masked = expected.replace("project", "****").replace("first", "****").replace("second", "****")
    assert project.log("build", "show") == f"{masked}\n"


def test_values_are_literal_and_numbers_and_booleans_become_text(tmp_path: Path) -> None:
    config = """
version: 2.1
jobs:
  build:
    machine: true
    environment:
      - WHOLE: 7
        YES: yes
      - TEXT: $HOME and ${WHOLE} $(date) ~
      - EMPTY: ""
        QUOTED: "1.10"
        FRACTION: 2.5
    steps:
      - run: {name: show, command: 'echo "$WHOLE|$YES|$TEXT|$EMPTY|$QUOTED|$FRACTION"'}
"""
    project = Project(tmp_path, config)
    assert project.run().status == 0
    assert project.log("build", "show") == "7|true|$HOME and ${WHOLE} $(date) ~||1.10|2.5\n"


def test_built_in_variables_describe_the_job(tmp_path: Path) -> None:
    names = [
        "CI",
        "CIRCLECI",
        "CIRCLE_BRANCH",
        "CIRCLE_BUILD_NUM",
        "CIRCLE_JOB",
        "CIRCLE_NODE_INDEX",
        "CIRCLE_NODE_TOTAL",
        "CIRCLE_PREVIOUS_BUILD_NUM",
        "CIRCLE_PROJECT_REPONAME",
        "CIRCLE_PROJECT_USERNAME",
        "CIRCLE_STAGE",
        "CIRCLE_WORKING_DIRECTORY",
        "CIRCLE_PULL_REQUEST",
        "CIRCLE_TAG",
        "CIRCLE_COMPARE_URL",
        "CIRCLE_BUILD_URL",
    ]
    shown = "; ".join(f'echo "{name}=${{{name}-unset}}"' for name in names)
    config = f"""
version: 2.1
jobs:
  build:
    machine: true
    working_directory: ~/elsewhere
    steps:
      - run: {{name: show, command: '{shown}'}}
      - run: {{name: folders, command: 'test -d "$CIRCLE_INTERNAL_TASK_DATA" && test -f "$CIRCLE_SHELL_ENV"'}}
"""
    project = Project(tmp_path, config)
    assert project.run().status == 0
    assert "CIRCLE_PREVIOUS_BUILD_NUM=unset" in project.log("build", "show")
    assert project.run("--branch", "topic").status == 0
    assert "CIRCLE_PREVIOUS_BUILD_NUM=unset" in project.log("build", "show")
    assert project.run().status == 0
    found = dict(line.partition("=")[::2] for line in project.log("build", "show").splitlines())
    assert found == {
        "CI": "true",
        "CIRCLECI": "true",
        "CIRCLE_BRANCH": "main",
        "CIRCLE_BUILD_NUM": "3",
        "CIRCLE_JOB": "build",
        "CIRCLE_NODE_INDEX": "0",
        "CIRCLE_NODE_TOTAL": "1",
        "CIRCLE_PREVIOUS_BUILD_NUM": "1",
        "CIRCLE_PROJECT_REPONAME": "app",
        "CIRCLE_PROJECT_USERNAME": "local",
        "CIRCLE_STAGE": "build",
        "CIRCLE_WORKING_DIRECTORY": "~/elsewhere",
        **dict.fromkeys(("CIRCLE_PULL_REQUEST", "CIRCLE_TAG", "CIRCLE_COMPARE_URL"), "unset"),
        "CIRCLE_BUILD_URL": "unset",
    }


@pytest.mark.parametrize(
    ("step", "output"),
    [
        ("{command: 'false | true; echo not here'}", ""),
        ("{shell: /bin/sh, command: 'false; echo \"$0\"'}", "/bin/sh\n"),
        ("{shell: /bin/bash -x, command: 'echo a'}", "+ echo a\na\n"),
        ('{shell: /bin/bash -euo pipefail, command: "echo ${NONE-none}"}', "none\n"),
        ("{command: \"#!/usr/bin/env python3\\nimport sys\\nprint('py', sys.argv[1:])\"}", "py []\n"),
        ("{shell: /bin/sh -e -c, command: 'echo dash-c'}", "dash-c\n"),
        ("{command: 'test -t 0 || test -t 1 || test -t 2 || echo no tty'}", "no tty\n"),
        ("{command: 'read -r line || echo nothing to read'}", "nothing to read\n"),
        ("{command: 'printenv TERM || echo no terminal'}", "no terminal\n"),
        ("{working_directory: sub/deeper, command: 'basename $PWD'}", "deeper\n"),
        ("{working_directory: ~/beside, command: 'echo ${PWD#$HOME}'}", "/beside\n"),
    ],
)
def test_a_shell_is_what_the_step_says(tmp_path: Path, step: str, output: str) -> None:
    config = f"""
version: 2.1
jobs:
  build:
    machine: true
    steps:
      - run: mkdir -p sub/deeper ~/beside
      - run: {{name: show, {step[1:]}
"""
    project = Project(tmp_path, config)
    project.run()
    assert project.log("build", "show").removesuffix("Exited with code exit status 1\n") == output


@pytest.mark.parametrize("folder", ["$HOME/project", "sub/none"])
def test_a_working_directory_of_a_step_must_exist_and_is_literal(tmp_path: Path, folder: str) -> None:
    config = f"""
version: 2.1
jobs:
  build:
    machine: true
    steps:
      - run: {{name: show, working_directory: "{folder}", command: pwd}}
"""
    outcome = Project(tmp_path, config).run()
    assert outcome.status == 1
    assert f"{folder} does not exist" in outcome.out


def test_shells_of_step_job_and_executor_have_their_order(tmp_path: Path) -> None:
    config = """
version: 2.1
executors:
  plain: {machine: true, shell: /bin/sh -c 'echo executor' executor}
jobs:
  one:
    executor: plain
    shell: /bin/bash -u
    steps:
      - run: {name: job, command: 'echo "$- $UNKNOWN"'}
      - run: {name: step, when: always, shell: /bin/sh, command: 'echo "$-"'}
workflows:
  main:
    jobs: [one]
"""
    project = Project(tmp_path, config)
    assert project.run().status == 1
    assert "UNKNOWN: unbound variable" in project.log("one", "job")
    assert "u" not in project.log("one", "step")
