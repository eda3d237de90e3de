"""Compiling a large CircleCI config, beside the bare load of the same text by PyYAML's C loader."""

import time
from collections.abc import Callable

import yaml

from bench.figure import Figure
from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context

LINES = 5000
LIMIT = 3.0
"""Times the load: what compiling may cost at most."""

_HEAD = """\
version: 2.1
parameters:
  deploy: {type: boolean, default: false}
  image-tag: {type: string, default: "3.12"}
anchors:
  only-main: &only-main
    filters: {branches: {only: [main, /release-.*/]}}
  environment: &environment
    CI_MODE: full
    RETRIES: 3
executors:
  python:
    parameters:
      tag: {type: string, default: << pipeline.parameters.image-tag >>}
    docker:
      - image: cimg/python:<< parameters.tag >>
      - image: cimg/postgres:16.2
        environment: {POSTGRES_USER: app, POSTGRES_DB: app}
    resource_class: large
  machine:
    machine: {image: ubuntu-2404:current, docker_layer_caching: true}
commands:
"""
_COMMAND = """\
  install-{n}:
    description: Installs the dependencies of service {n}
    parameters:
      path: {{type: string, default: services/s{n}}}
      cache: {{type: boolean, default: true}}
      after: {{type: steps, default: []}}
    steps:
      - when:
          condition: << parameters.cache >>
          steps:
            - restore_cache:
                keys:
                  - deps-v{n}-{{{{ arch }}}}-{{{{ checksum "<< parameters.path >>/lock" }}}}
                  - deps-v{n}-
      - run:
          name: Install << parameters.path >>
          command: |
            cd << parameters.path >>
            python -m pip install -r requirements.txt
            python -m pip check
      - unless:
          condition: {{not: << parameters.cache >>}}
          steps:
            - save_cache:
                key: deps-v{n}-{{{{ arch }}}}-{{{{ checksum "<< parameters.path >>/lock" }}}}
                paths: [~/.cache/pip]
      - steps: << parameters.after >>
"""
_JOB = """\
  test-{n}:
    parameters:
      python: {{type: string, default: "3.12"}}
      shards: {{type: integer, default: 2}}
    executor:
      name: python
      tag: << parameters.python >>
    parallelism: << parameters.shards >>
    environment:
      <<: *environment
      SERVICE: s{n}
    steps:
      - checkout
      - install-{n}:
          after:
            - run: echo "installed for << parameters.python >>"
      - run:
          name: Unit tests
          command: |
            set -euo pipefail
            files=$(circleci tests glob "services/s{n}/**/test_*.py" | circleci tests split)
            python -m pytest --junitxml=reports/unit.xml $files
          no_output_timeout: 20m
      - run:
          name: Integration tests
          command: make -C services/s{n} integration
          environment: {{DATABASE_URL: "postgresql://app@localhost/app"}}
      - store_test_results: {{path: reports}}
      - store_artifacts: {{path: reports, destination: unit-{n}}}
      - persist_to_workspace: {{root: ., paths: [dist/s{n}]}}
  deploy-{n}:
    executor: machine
    steps:
      - attach_workspace: {{at: .}}
      - run: ./deploy.sh s{n} << pipeline.number >>
      - run:
          name: Tell everybody
          command: ./notify.sh s{n}
          when: on_fail
"""
_ENTRY = """\
      - test-{n}:
          matrix:
            parameters: {{python: ["3.11", "3.12"]}}
          context: [ci, pypi]
      - deploy-{n}:
          requires: [test-{n}]
          <<: *only-main
"""


def make_config(lines: int = LINES) -> str:
    """A config of about that many lines, of the shape large ones have."""
    per_service = sum(part.count("\n") for part in (_COMMAND, _JOB, _ENTRY))
    services = range(1, (lines - _HEAD.count("\n")) // per_service + 1)
    parts = [
        _HEAD,
        *(_COMMAND.format(n=n) for n in services),
        "jobs:\n",
        *(_JOB.format(n=n) for n in services),
    ]
    parts += ["workflows:\n", "  main:\n", "    jobs:\n", *(_ENTRY.format(n=n) for n in services)]
    return "".join(parts)


def measure(action: Callable[[], object], rounds: int = 7) -> float:
    """The best CPU time of some rounds, in milliseconds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    return best * 1000


def run() -> list[Figure]:
    """Compile time of a large config as a ratio to PyYAML's bare C load of the same text."""
    text = make_config()
    context = Context(branch="main", values={"pipeline.number": 7})
    plan = compile_config(text, context)
    assert plan.workflows, plan.diagnostics[:3]
    load = measure(lambda: yaml.load(text, yaml.CSafeLoader))
    compiled = measure(lambda: compile_config(text, context))
    jobs = sum(len(workflow.jobs) for workflow in plan.workflows.values())
    return [
        Figure(
            what=f"compile a config of {text.count(chr(10))} lines into {jobs} jobs, time",
            measured=f"{compiled:.0f} ms",
            floor=f"{load:.0f} ms bare C load of the same text",
            value=compiled / load,
            limit=LIMIT,
            unit="x",
        )
    ]
