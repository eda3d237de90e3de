"""A site that git hosts send webhooks to: what they announce is fetched from a table, statuses are kept."""

from collections.abc import Mapping
from threading import Barrier

from penstock.engine.deliver import deliver_letters
from penstock.engine.launch import CommitFacts, Fetch, Workshop
from penstock.engine.principal import SERVER
from penstock.engine.project_settings import add_hook_secret, change_project_settings
from penstock.engine.push import PUSH, PushDesk
from penstock.engine.status_desk import StatusDesk
from penstock.engine.statuses import STATUS
from penstock.forge.status.request import Request
from penstock.forge.status.send import Outcome, Sent
from penstock.model.errors import NotFoundError, PenstockError
from penstock.model.project import Project
from penstock.model.run import Authorship, Pipeline
from penstock.store import variables
from tests.support import hooks
from tests.support.circle import CONFIG, CircleSite, WordCode
from tests.support.http import Reply
from tests.support.records import NOW


class CommitTable(WordCode):
    """Commits by name, each with its message; all have the same config. `errors` are raised first."""

    def __init__(self) -> None:
        super().__init__()
        self.messages = {hooks.AFTER: "fix the pump", hooks.OTHER: "more"}
        self.errors: list[PenstockError] = []
        self.fetched: list[Fetch] = []
        self.config = CONFIG
        self.meeting: Barrier | None = None  # where those who fetch wait for each other

    def obtain(self, project: Project, fetch: Fetch) -> CommitFacts:
        """The commit of the table."""
        self.fetched.append(fetch)
        if self.meeting is not None:
            self.meeting.wait(20)
        if self.errors:
            raise self.errors.pop(0)
        sha = fetch.sha or hooks.OTHER
        if sha not in self.messages:
            raise NotFoundError(f"{project.slug} has no commit {sha}")
        subject, _, body = self.messages[sha].partition("\n\n")
        made = Authorship(
            email="ann@example.com",
            authored_at=NOW,
            committer="Bob",
            committer_email="bob@example.com",
            committed_at=NOW + 1000,
        )
        return CommitFacts(sha=sha, author="Ann", authorship=made, subject=subject, body=body)

    def read_file(self, project: Project, sha: str, path: str) -> bytes:
        """The config."""
        return self.config.encode() if sha in self.messages else super().read_file(project, sha, path)


class HookSite:
    """Wraps a site whose project's webhooks are signed with the secret of `tests.support.hooks`."""

    def __init__(self, site: CircleSite) -> None:
        self.site = site
        self.parts = site.parts
        self.project = site.project
        self.commits = CommitTable()
        self.secret = add_hook_secret(self.parts, site.sealer, SERVER, site.project, hooks.SECRET)
        self.pushes = PushDesk(Workshop(code=self.commits))
        self.statuses = StatusDesk(site.sealer, self._send)
        with site.parts.db.write() as tx:
            place = variables.of_project(site.project.id)
            variables.set_variable(tx, site.sealer, place, "TOKEN", "s3cret", now=site.lab.clock.now())
        self.sent: list[Request] = []
        self.outcomes: list[Sent] = []

    def _send(self, request: Request) -> Sent:
        self.sent.append(request)
        return self.outcomes.pop(0) if self.outcomes else Sent(outcome=Outcome.DELIVERED, status=201)

    def change(self, **settings: object) -> None:
        """The project has these settings."""
        change_project_settings(self.parts, SERVER, self.project, settings)

    def send(self, message: hooks.Message, name: str = "") -> Reply:
        """The reply to a webhook for the project of that slug or UUID, by default the site's own."""
        headers: Mapping[str, str] = {key.lower(): value for key, value in message.headers.items()}
        return self.site.send("POST", f"/hooks/{name or self.project.uuid}", message.body, headers)

    def carry(self) -> int | None:
        """Deliver all letters about pushes that are due; when the next one is."""
        due = deliver_letters(self.parts, {PUSH: self.pushes.deliver})
        while due is not None and due <= self.parts.clock.now():
            due = deliver_letters(self.parts, {PUSH: self.pushes.deliver})
        return due

    def tell(self) -> int | None:
        """The same for statuses."""
        due = deliver_letters(self.parts, {STATUS: self.statuses.deliver})
        while due is not None and due <= self.parts.clock.now():
            due = deliver_letters(self.parts, {STATUS: self.statuses.deliver})
        return due

    def build(self, message: hooks.Message) -> list[Pipeline]:
        """The pipelines there are, oldest first, once the webhook was heard and what it promised done."""
        assert self.send(message).status in {200, 202}
        self.carry()
        return self.pipelines()

    def pipelines(self) -> list[Pipeline]:
        """All pipelines, oldest first."""
        return sorted(self.site.lab.every_pipeline(), key=lambda pipeline: pipeline.id)
