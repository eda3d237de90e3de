"""Identity tokens of jobs, believed by those who only know where the server is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

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


ASK = "circleci run oidc get"


def test_a_job_asks_for_a_token_of_its_own_choice(site: Site) -> None:
    printed = site.run(
        f'{ASK} --claims \'{{"aud": "a-service"}}\' > one',
        f'{ASK} --root-issuer --claims=\'{{"aud":["a","b"]}}\' --ttl 10m > many',
        f"circleci-agent run oidc get > usual; {ASK} | tail -c 20 | wc -c",
        "echo this is $(cat one) && echo and this $CIRCLE_OIDC_TOKEN_V2",
    )
    assert printed == "20\nthis is ****\nand this ****\n"
    organization, _ = site.places()
    issuer = f"{site.server.url}/oidc/org/{organization.uuid}"
    one = site.verify(site.read("one"), issuer, "a-service")
    assert one["aud"] == "a-service"
    assert one["exp"] - one["iat"] == 3600
    for audience in "ab":
        many = site.verify(site.read("many"), f"{site.server.url}/oidc", audience)
        assert (many["aud"], many["exp"] - many["iat"]) == (["a", "b"], 600)
        assert many[f"{PREFIX}org-id"] == organization.uuid
    assert site.verify(site.read("usual"), issuer, organization.uuid)["sub"] == one["sub"]
    with pytest.raises(jwt.InvalidAudienceError):
        site.verify(site.read("one"), issuer, organization.uuid)
    with pytest.raises(jwt.InvalidIssuerError):
        site.verify(site.read("many"), issuer, "a")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ('--claims \'{"sub": "me"}\'', "--claims must be JSON like"),
        ("--claims '[]'", "--claims must be JSON like"),
        ('--claims \'{"aud": ""}\'', "audience: a name has 1 to 255 printable characters"),
        ('--claims \'{"aud": ["a", 1]}\'', "--claims must be JSON like"),
        ("--ttl 2h", "ttl: a job may ask for 1s to 3600s"),
        ("--ttl soon", "ttl: a duration is written like 30m"),
        ("--colour red", "unknown argument --colour"),
    ],
)
def test_what_makes_no_sense_is_said_so_and_no_token_is_printed(site: Site, words: str, says: str) -> None:
    printed = site.run(f"if {ASK} {words} > none; then exit 1; fi", "test ! -s none")
    assert printed.startswith(f"Error: {says}"), printed


def test_a_token_that_was_tampered_with_is_not_believed(site: Site) -> None:
    site.run(f"{ASK} > good")
    organization, _ = site.places()
    issuer = f"{site.server.url}/oidc/org/{organization.uuid}"
    head, body, signature = site.read("good").split(".")
    claims = json.loads(jwt.utils.base64url_decode(body))
    forged = jwt.utils.base64url_encode(json.dumps(claims | {"sub": "org/other"}).encode()).decode()
    with pytest.raises(jwt.InvalidSignatureError):
        site.verify(f"{head}.{forged}.{signature}", issuer, organization.uuid)
    own = rsa.generate_private_key(65537, 2048)
    stolen = jwt.encode(claims, own, "RS256", headers=jwt.get_unverified_header(site.read("good")))
    with pytest.raises(jwt.InvalidSignatureError):
        site.verify(stolen, issuer, organization.uuid)


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
