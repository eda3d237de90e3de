"""A server as far as schedules are concerned: it looks for what is due, and makes what was promised."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from penstock.engine.deliver import deliver_letters
from penstock.engine.firing import SCHEDULE, fire_schedules
from penstock.engine.launch import CommitFacts, Ref, Wish, Workshop, launch_pipeline
from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER, Principal
from penstock.engine.projects import NewProject, create_project
from penstock.engine.scheduled import ScheduleDesk
from penstock.engine.schedules import NewSchedule, create_schedule
from penstock.model.access import Role, User
from penstock.model.project import Project
from penstock.model.run import Pipeline
from penstock.model.schedule import Schedule
from penstock.store import projects, schedules, users
from tests.support.circle import WordCode
from tests.support.clocks import HandClock
from tests.support.lab import Lab
from tests.support.people import add_member, add_person, sign_in
from tests.support.schedules import HOURLY

HOUR = 3600.0

PLAIN = """\
version: 2.1
parameters: {deep: {type: boolean, default: false}}
jobs: {build: {machine: true, steps: [{run: make}]}}
workflows: {main: {jobs: [build]}}
"""


class ToldCode(WordCode):
    """The same, with messages for commits and errors that are raised first."""

    def __init__(self) -> None:
        super().__init__()
        self.configs = {"main": PLAIN, "dev": PLAIN, "v1": PLAIN}
        self.message = "Make it so"
        self.errors: list[Exception] = []
        self.before: Callable[[], None] = lambda: None

    def resolve(self, project: Project, ref: Ref) -> CommitFacts:
        """The commit of the branch."""
        self.before()
        if self.errors:
            raise self.errors.pop(0)
        return msgspec.structs.replace(super().resolve(project, ref), subject=self.message)


class Bell(Lab):
    """One of the servers on a database; all of them see the same code and have the same clock."""

    def __init__(self, url: str, folder: Path, *, clock: HandClock | None = None) -> None:
        super().__init__(url, folder, clock=clock)
        self.code = ToldCode()
        self.workshop = Workshop(code=self.code)
        self.desk = ScheduleDesk(self.workshop)

    def add_project(self, name: str = "app") -> Project:
        """The project `gh/acme/<name>`."""
        with self.parts.db.read() as tx:
            found = projects.find_organization(tx, "gh/acme")
        owner = found or create_organization(self.parts, SERVER, host="gh", name="acme")
        return create_project(
            self.parts, SERVER, owner, NewProject(name=name, url="https://example.com/a.git")
        )

    def add_member(self, login: str, role: Role = Role.MEMBER) -> Principal:
        """Somebody of `gh/acme`."""
        with self.parts.db.read() as tx:
            owner = projects.find_organization(tx, "gh/acme")
        assert owner is not None
        user = add_person(self.parts, login)
        add_member(self.parts, user, owner, role)
        return sign_in(self.parts, user)

    def person(self, login: str) -> User:
        """The account of that login."""
        with self.parts.db.read() as tx:
            found = users.user_by_login(tx, login)
        assert found is not None
        return found

    def launch(self, project: Project, branch: str, **more: Any) -> Pipeline:  # noqa: ANN401 - of any field
        """A pipeline of the branch that somebody asked for."""
        wish = Wish(**{"ref": Ref(branch=branch), "actor": "ada", **more})
        return launch_pipeline(self.parts, self.workshop, project, wish)

    def list_schedules(self, project: Project) -> list[Schedule]:
        """Those of the project, of either kind."""
        with self.parts.db.read() as tx:
            return schedules.list_every(tx, project.id)

    def schedule(self, project: Project, by: Principal = SERVER, **more: Any) -> Schedule:  # noqa: ANN401 - of any field
        """A schedule of the project, once an hour unless it says otherwise."""
        values: dict[str, Any] = {
            "name": "hourly",
            "timetable": HOURLY,
            "parameters": {"branch": "main"},
            "system": False,
        }
        return create_schedule(self.parts, by, project, NewSchedule(**values | more))

    def find(self, schedule: Schedule) -> Schedule:
        """The schedule as it is now."""
        with self.parts.db.read() as tx:
            found = schedules.schedule_by_uuid(tx, schedule.uuid)
        assert found is not None
        return found

    def wait_for(self, schedule: Schedule, late: float = 0.0) -> None:
        """The schedule's next firing is due, or was so many seconds ago."""
        due = self.find(schedule).next_at
        assert due is not None
        self.clock.advance((due - self.clock.now()) / 1000 + late)

    def fire(self) -> int | None:
        """Promise what is due."""
        return fire_schedules(self.parts)

    def deliver(self) -> None:
        """Keep what was promised, as far as it can be kept now."""
        due: int | None = self.clock.now()
        while due is not None and due <= self.clock.now():
            due = deliver_letters(self.parts, {SCHEDULE: self.desk.deliver}, most=20)

    def ring(self) -> list[Pipeline]:
        """Both; all pipelines there are then, newest first."""
        self.fire()
        self.deliver()
        return self.every_pipeline()
