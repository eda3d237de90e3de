"""A live server with a project whose repository lies on this machine, for clients of others to talk to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER
from penstock.engine.projects import NewProject, create_project
from tests.support.repositories import git, make_repository
from tests.support.server import ServerProcess, joined_parts, running_server

TOKEN = "a-token-for-clients"

CONFIG = """\
version: 2.1
parameters:
  word: {type: string, default: "none"}
jobs:
  build:
    machine: true
    steps:
      - checkout
      - run:
          name: Make
          command: |
            echo "the word is << pipeline.parameters.word >>"
            mkdir out && echo made > out/made.txt && cp report.xml out/
      - store_artifacts: {path: out, destination: kept}
      - store_test_results: {path: out}
  deploy:
    machine: true
    steps:
      - run: {name: Deploy, command: "echo deploying; test -e $MARK/ready"}
workflows:
  main:
    jobs:
      - build
      - hold: {type: approval, requires: [build]}
      - deploy: {requires: [hold]}
"""

REPORT = """\
<testsuite name="s"><testcase classname="math" name="adds" time="0.25"/>
<testcase classname="math" name="fails" time="0.5"><failure message="no">1 is not 2</failure></testcase>
</testsuite>
"""


@contextmanager
def served_project(folder: Path, config: str = CONFIG) -> Iterator[ServerProcess]:
    """A running server with the project `gh/acme/app`; its job `deploy` passes once `ready` is there."""
    config = config.replace("$MARK", str(folder))
    source = make_repository(folder / "source", {".circleci/config.yml": config, "report.xml": REPORT})
    git(folder, "clone", "--quiet", "--bare", str(source), "app.git")
    settings = ("--git-protocols", "file", "--git-protocols", "ssh", "--executor", "host")
    environment = {"PENSTOCK_ADMIN_TOKEN": TOKEN}
    with running_server(folder / "data", *settings, environment=environment) as server:
        with joined_parts(folder / "data") as parts:
            acme = create_organization(parts, SERVER, host="gh", name="acme")
            create_project(parts, SERVER, acme, NewProject(name="app", url=str(folder / "app.git")))
        yield server
