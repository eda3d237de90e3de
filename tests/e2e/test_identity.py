"""Identity tokens of jobs, believed by those who only know where the server is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest

from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from penstock.model.project import Organization, Project
from penstock.model.status import WorkflowStatus
from penstock.store import projects
from tests.support.processes import wait_until
from tests.support.server import ServerProcess, joined_parts, running_server, trigger_config

TOKEN = "an-admin-token-of-these-tests"
PREFIX = "oidc.circleci.com/"


class Site(msgspec.Struct, frozen=True):
    """A server whose jobs leave files in a folder."""

    server: ServerProcess
    parts: Parts
    folder: Path

    def run(self, *commands: str) -> str:
        """Run the commands as one step of a job; return what the step printed."""
        script = "".join(f"            {line}\n" for line in commands)
        config = (
            "version: 2.1\njobs:\n  build:\n    machine: true\n    steps:\n      - run:\n"
            f"          command: |\n            cd {self.folder}\n{script}"
            "workflows: {main: {jobs: [build]}}\n"
        )
        pipeline = trigger_config(self.parts, config)
        wait_until(lambda: self.state(pipeline.uuid).is_terminal, seconds=60, what="the job has ended")
        assert self.state(pipeline.uuid) is WorkflowStatus.SUCCESS, self.output(pipeline.uuid)
        return self.output(pipeline.uuid)

    def state(self, pipeline: str) -> WorkflowStatus:
        return summarize_pipeline(self.parts, pipeline).workflows[0].status

    def output(self, pipeline: str) -> str:
        [job] = summarize_pipeline(self.parts, pipeline).workflows[0].jobs
        headers = {"circle-token": TOKEN}
        found = self.server.get(f"/api/private/output/raw/gh/acme/app/{job.number}/output/0/0", **headers)
        return found.text

    def read(self, name: str) -> str:
        """What a job has left."""
        return (self.folder / name).read_text().strip()

    def places(self) -> tuple[Organization, Project]:
        with self.parts.db.read() as tx:
            project = projects.find_project(tx, "gh/acme/app")
            organization = projects.find_organization(tx, "gh/acme")
        assert project is not None
        assert organization is not None
        return organization, project

    def verify(self, token: str, issuer: str, audience: str) -> dict[str, Any]:
        """The claims of a token as a service finds them that knows the issuer alone."""
        found = self.server.get(issuer.removeprefix(self.server.url) + "/.well-known/openid-configuration")
        described = found.json()
        assert described["issuer"] == issuer
        key = jwt.PyJWKClient(described["jwks_uri"]).get_signing_key_from_jwt(token)
        algorithms = described["id_token_signing_alg_values_supported"]
        wanted = ["exp", "iat", "iss", "aud", "sub"]
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=algorithms, issuer=issuer, audience=audience, options={"require": wanted}
        )
        return claims


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("identity")
    (folder / "left").mkdir()
    options = ("--slots", "1", "--executor", "host")
    environment = {"PENSTOCK_ADMIN_TOKEN": TOKEN}
    with (
        running_server(folder / "d", *options, environment=environment) as server,
        joined_parts(folder / "d") as parts,
    ):
        yield Site(server, parts, folder / "left")


def test_a_job_is_known_to_who_knows_the_issuer(site: Site) -> None:
    printed = site.run(
        'printf %s "$CIRCLE_OIDC_TOKEN" > v1', 'printf %s "$CIRCLE_OIDC_TOKEN_V2" > v2', "env | sort > env"
    )
    assert printed == ""
    organization, project = site.places()
    issuer = f"{site.server.url}/oidc/org/{organization.uuid}"
    first = site.verify(site.read("v1"), issuer, organization.uuid)
    environment = dict(line.partition("=")[::2] for line in site.read("env").splitlines())
    nobody = "00000000-0000-0000-0000-000000000000"
    subject = f"org/{organization.uuid}/project/{project.uuid}/user/{nobody}"
    assert first == {
        "iss": issuer,
        "sub": subject,
        "aud": organization.uuid,
        "iat": first["iat"],
        "exp": first["iat"] + 3600,
        f"{PREFIX}context-ids": [],
        f"{PREFIX}job-id": environment["CIRCLE_WORKFLOW_JOB_ID"],
        f"{PREFIX}org-id": environment["CIRCLE_ORGANIZATION_ID"],
        f"{PREFIX}pipeline-definition-id": first[f"{PREFIX}pipeline-definition-id"],
        f"{PREFIX}pipeline-id": environment["CIRCLE_PIPELINE_ID"],
        f"{PREFIX}project-id": environment["CIRCLE_PROJECT_ID"],
        f"{PREFIX}ssh-rerun": False,
        f"{PREFIX}vcs-ref": "refs/heads/main",
        f"{PREFIX}workflow-id": environment["CIRCLE_WORKFLOW_ID"],
    }
