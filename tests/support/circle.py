"""CircleCI's API over a real engine and store, with a repository made of words and an agent made by hand."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from penstock.api.common.app import make_app
from penstock.api.common.caller import find_caller, find_person, recall_caller
from penstock.api.common.meter import Meter
from penstock.api.common.server import Server
from penstock.api.dialects import DIALECTS
from penstock.engine.accounts import create_user, make_admin
from penstock.engine.adopt import HOSTS
from penstock.engine.api_tokens import Wish, issue_token
from penstock.engine.contexts import add_restriction, create_context
from penstock.engine.gateway import Gateway
from penstock.engine.launch import CommitFacts, Fetch, Ref, Workshop, compile_rest
from penstock.engine.lookup import find_project
from penstock.engine.organizations import create_organization, set_member
from penstock.engine.principal import SERVER
from penstock.engine.projects import NewProject, create_project
from penstock.kit.ids import new_id
from penstock.model.access import Role, Scope
from penstock.model.errors import NotFoundError
from penstock.model.output import Artifact, TestCase, TestOutcome
from penstock.model.project import Project
from penstock.model.run import Job
from penstock.store import artifacts, test_results
from penstock.store.restrictions import EVERYONE, RestrictionKind
from penstock.store.sealing import Sealer
from penstock.store.test_results import ReportSet
from penstock.store.users import Profile
from tests.support.http import Reply, Site
from tests.support.lab import HandAgent, Lab

BASE = "http://ci.example.com"
ADMIN = "admin-token-of-the-tests"
APP = "gh/acme/app"

CONFIG = """\
version: 2.1
parameters:
  deep: {type: boolean, default: false}
  word: {type: string, default: ""}
jobs:
  build:
    machine: true
    parallelism: 2
    steps: [checkout, {run: {name: Make, command: make}}]
  test:
    docker: [{image: "cimg/base:current"}]
    resource_class: large
    steps: [{run: make test}]
workflows:
  main:
    jobs:
      - build
      - hold: {type: approval, requires: [build]}
      - test: {requires: [hold], context: [deploy]}
"""


TAGGED = CONFIG.replace(
    "jobs:\n      - build\n", "jobs:\n      - build: {filters: {tags: {only: /.*/}}}\n"
).replace("requires:", "filters: {tags: {only: /.*/}}, requires:")
"""The same, for tags too."""


class WordCode:
    """A source of code: the config of each project by branch or tag, "" for the default one."""

    def __init__(self) -> None:
        self.configs: dict[str, str] = {"main": CONFIG, "v1": TAGGED, "dev": CONFIG}
        self.foreign: set[str] = set()  # those whose commits are on no branch

    def obtain(self, project: Project, fetch: Fetch) -> CommitFacts:
        """The commit of a branch or tag that has a config."""
        return self.resolve(
            project, Ref(branch=fetch.ref.removeprefix("refs/heads/").removeprefix("refs/tags/"))
        )

    def resolve(self, project: Project, ref: Ref) -> CommitFacts:
        """The commit of a branch that has a config."""
        name = ref.tag or ref.branch
        if name not in self.configs:
            raise NotFoundError(f"{project.slug} has no branch or tag {name}")
        sha = name.encode().hex().ljust(40, "0")[:40]
        foreign = name in self.foreign
        return CommitFacts(sha=sha, author="Ada", subject="Make it so", body="", foreign=foreign)

    def read_file(self, project: Project, sha: str, path: str) -> bytes:
        """The config of the branch the commit was made from."""
        name = bytes.fromhex(sha).rstrip(b"\0").decode()
        if not self.configs[name]:
            raise NotFoundError(f"{project.slug} has no file {path}")
        return self.configs[name].encode()


class CircleSite(Site):
    """A site that speaks all dialects, with an organization `gh/acme`, its project `app`, and an agent.

    The organization has a context `deploy` that is for everyone.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.sealer = Sealer([b"k" * 32])
        self.lab = Lab(url, folder, seal=self.sealer)
        self.parts = self.lab.parts
        self.code = WordCode()
        self.everybody_clones = False
        workshop = Workshop(code=self.code, hosts=HOSTS, is_open=lambda _project: self.everybody_clones)
        self.lab.gateway = Gateway(self.parts, compiler=compile_rest(self.parts, workshop))
        self.server = Server(
            parts=self.parts,
            gateway=self.lab.gateway,
            meter=Meter(),
            sealer=self.sealer,
            authenticate=partial(find_caller, self.parts),
            recall=partial(recall_caller, self.parts),
            log_in=partial(find_person, self.parts),
            workshop=workshop,
            base_url=BASE,
        )
        self.app = make_app(self.server, DIALECTS)
        make_admin(self.parts, token=ADMIN)
        self.acme = create_organization(self.parts, SERVER, host="gh", name="acme")
        self.project = self.add_project("app")
        self.context = create_context(self.parts, SERVER, self.acme, "deploy").uuid
        add_restriction(self.parts, SERVER, self.context, RestrictionKind.GROUP, EVERYONE)
        self.worker: HandAgent = self.lab.agent(slots=8, labels=["large"])
        self.token = ADMIN

    def close(self) -> None:
        """Nothing is open any more."""
        self.app.close()
        self.server.workshop.referee.close()
        self.lab.close()

    def open_repositories(self) -> None:
        """Everybody may clone the repositories of all projects."""
        self.everybody_clones = True

    def add_project(self, name: str) -> Project:
        """A project of `gh/acme`."""
        url = f"https://github.com/acme/{name}.git"
        return create_project(self.parts, SERVER, self.acme, NewProject(name=name, url=url))

    def add_person(self, login: str, role: Role | None = None, *scopes: Scope) -> str:
        """The token of somebody new, who is this in `gh/acme` when it is anything."""
        user = create_user(self.parts, SERVER, Profile(login=login, email=f"{login}@example.com"))
        if role is not None:
            set_member(self.parts, SERVER, self.acme, user.uuid, role)
        wish = Wish(label="test", scopes=scopes or (Scope.ADMIN,), user=user.uuid)
        return issue_token(self.parts, SERVER, wish).secret

    def restrict_context(self) -> None:
        """No project may use the context of the config's last job."""
        add_restriction(self.parts, SERVER, self.context, RestrictionKind.PROJECT, new_id())

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The reply to a request with the token, by default the administrator's; "" sends none."""
        chosen = self.token if token is None else token
        data = b"" if body is None else msgspec.json.encode(body)
        return self.send(
            method, path, data, {**({"circle-token": chosen} if chosen else {}), **(headers or {})}
        )

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The reply to a request as it is given."""
        return self.ask(method, path, body, cut=False, **(headers or {}))

    def get(self, path: str, **more: Any) -> Any:  # noqa: ANN401 - whatever was answered
        """The body of the answer to a GET of API v2, which must succeed."""
        return self.succeed("GET", f"/api/v2/{path}", None, 200, **more)

    def post(self, path: str, body: object = None, status: int = 200, **more: Any) -> Any:  # noqa: ANN401 - whatever was answered
        """The body of the answer to a POST to API v2, which must end with this status."""
        return self.succeed("POST", f"/api/v2/{path}", body, status, **more)

    def succeed(self, method: str, path: str, body: object, status: int, **more: Any) -> Any:  # noqa: ANN401 - the same
        """The body of the answer, which has this status."""
        reply = self.call(method, path, body, **more)
        assert reply.status == status, (method, path, reply.status, reply.body)
        return reply.json()

    def trigger(self, **body: object) -> dict[str, Any]:
        """A pipeline of the project, triggered by the API."""
        made: dict[str, Any] = self.post(f"project/{APP}/pipeline", body, 201)
        return made

    def build(self) -> Job:
        """The newest pipeline's job `build` has passed, with an artifact, two tests and some output."""
        pipeline = self.lab.every_pipeline()[0]
        for assignment in self.worker.claim(2):
            self.worker.begin(assignment.task)
            self.worker.end(assignment.task)
        job = self.lab.job(pipeline, "build")
        self.leave_results(job)
        return job

    def leave_results(self, job: Job) -> None:
        """The job has an artifact and two tests."""
        self.leave_artifact(job, "out/a b.html")
        place = ReportSet(
            project_id=job.project_id,
            job_name=job.name,
            job_id=job.id,
            task_index=0,
            now=self.lab.clock.now(),
        )
        cases = [
            TestCase(name="adds", classname="math", file="m.py", source="pytest", result=TestOutcome.SUCCESS),
            TestCase(name="fails", result=TestOutcome.FAILURE, seconds=0.5, message="no"),
        ]
        with self.parts.db.write() as tx:
            test_results.save_cases(tx, place, cases)

    def leave_artifact(self, job: Job, path: str) -> None:
        """The job has an artifact at the path."""
        blob = f"artifacts/{job.uuid[-2:]}/{job.uuid}/{new_id()}"
        self.parts.blobs.put(blob, [b"<p>", b"hi"])
        kept = Artifact(uuid=new_id(), job_id=job.id, task_index=0, path=path, size=5, blob=blob)
        with self.parts.db.write() as tx:
            artifacts.save_artifact(tx, kept, now=self.lab.clock.now())

    def get_workflow(self) -> str:
        """The id of the newest pipeline's workflow."""
        return self.lab.workflow(self.lab.every_pipeline()[0]).uuid

    def find(self, slug: str) -> Project:
        """The project of that slug."""
        with self.parts.db.read() as tx:
            return find_project(tx, slug)
