"""Makes the pipelines that schedules promised when they fired, or notes why there is none."""

import logging

import msgspec

from penstock.engine.access import Action, may
from penstock.engine.deliver import is_last_try
from penstock.engine.event_values import Value, pack_values
from penstock.engine.firing import LATE, MISSED, Firing
from penstock.engine.held import Held
from penstock.engine.launch import (
    CommitFacts,
    Fetch,
    Ref,
    Wish,
    Workshop,
    check_open,
    draft_commit,
    read_config,
    start_draft,
)
from penstock.engine.principal import Principal
from penstock.engine.schedules import REFS
from penstock.engine.transact import transact
from penstock.engine.unit import Parts
from penstock.forge.hooks.skip import find_skip
from penstock.kit.shapes import learn
from penstock.model.access import Scope
from penstock.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    PenstockError,
    RefusedError,
    UnavailableError,
)
from penstock.model.project import Project
from penstock.model.run import TriggerType
from penstock.model.schedule import SYSTEM, Schedule
from penstock.model.settings import ProjectSettings
from penstock.store import memberships, pipelines, projects, removal, schedules, users
from penstock.store.database import Transaction
from penstock.store.outbox import Letter

PATIENCE = 60_000
"""Milliseconds after which a firing counts as one that had to wait."""

_log = logging.getLogger(__name__)


class _OutdatedError(Exception):
    """A config asked for a schedule that there is no more."""


class _Ready(msgspec.Struct, frozen=True):
    """A firing of which a pipeline can be made."""

    firing: Firing
    schedule: Schedule
    project: Project
    settings: ProjectSettings

    @property
    def ref(self) -> Ref:
        """What is to be built."""
        if self.schedule.branch:
            return Ref(branch=self.schedule.branch)
        given = self.schedule.parameters
        return Ref(branch=str(given.get("branch", "")), tag=str(given.get("tag", "")))


class ScheduleDesk:
    """Makes the pipelines of firings; threads that get the same letter do not both work at it."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._held = Held()

    def deliver(self, parts: Parts, letter: Letter) -> None:
        """An `engine.deliver.Deliver`."""
        firing = msgspec.convert(letter.payload, learn(Firing))
        with self._held.hold(firing.pipeline, "its commit is still being fetched"):
            launch_firing(parts, self._workshop, firing, again=letter.attempts > 1, last=is_last_try(letter))


def launch_firing(
    parts: Parts, workshop: Workshop, firing: Firing, *, again: bool = False, last: bool = False
) -> str:
    """Why there is no pipeline, "" when there is one; the schedule knows which, or why there is none.

    Nothing is made twice, and nothing of a schedule that is gone. Raises UnavailableError when the origin
    does not answer; the `last` time that makes an errored pipeline. A firing that was tried in vain, as it
    is made `again`, or that had to wait, makes way for a later one: they never pile up.
    """
    with parts.db.read() as tx:
        made = pipelines.pipeline_by_uuid(tx, firing.pipeline)
        late = parts.clock.now() - firing.due
        found = "" if made is not None else _prepare(tx, firing, waited=again or late > PATIENCE)
    if isinstance(found, _Ready) and late > 2 * LATE and not last:
        found = MISSED
    if isinstance(found, _Ready):
        try:
            outcome = _launch(parts, workshop, found, last=last)
        except ConflictError:
            outcome = ""  # another server was first
        except RefusedError as error:
            outcome = str(error)
        except _OutdatedError as error:
            outcome = str(error)
            transact(parts, lambda unit: schedules.delete_schedule(unit.tx, found.schedule.id))
    else:
        outcome = found
    if outcome:
        _log.info("schedule %s did not run what was due at %d: %s", firing.schedule, firing.due, outcome)
    pipeline = "" if outcome else firing.pipeline
    transact(
        parts,
        lambda unit: schedules.note_outcome(
            unit.tx, firing.schedule, firing.due, pipeline=pipeline, outcome=outcome
        ),
    )
    return outcome


def _prepare(tx: Transaction, firing: Firing, *, waited: bool) -> "_Ready | str":
    """All that the store knows of it, or why there is to be no pipeline."""
    schedule = schedules.schedule_by_uuid(tx, firing.schedule)
    project = None if schedule is None else projects.get_project(tx, schedule.project_id)
    if schedule is None or project is None or removal.is_marked(project):
        return "the schedule was deleted"
    if waited and schedule.fired_at is not None and schedule.fired_at > firing.due:
        return "it could not be made before the next one was due"
    if denial := _find_denial(tx, schedule, project):
        return denial
    try:
        settings = check_open(tx, project)
    except RefusedError as error:
        return str(error)
    return _Ready(firing, schedule, project, settings)


def _find_denial(tx: Transaction, schedule: Schedule, project: Project) -> str:
    """Why whom the schedule runs as may run nothing there any more; empty when they may."""
    if schedule.actor == SYSTEM:
        return ""
    user = users.user_by_login(tx, schedule.actor)
    if schedule.branch and user is None:
        return ""  # somebody who pushes has no need of an account
    if user is None or user.disabled_at is not None:
        return f"it runs as {schedule.actor}, whose account is disabled"
    roles = memberships.roles_of(tx, user.id)
    if schedule.branch or may(
        Principal(user=user, roles=roles, scopes=frozenset(Scope)), Action.RUN_PIPELINE, project
    ):
        return ""
    return f"it runs as {schedule.actor}, who may not run pipelines of this project any more"


def _launch(parts: Parts, workshop: Workshop, ready: _Ready, *, last: bool) -> str:
    """Why there is no pipeline, "" when it was made."""
    commit, fault = _obtain(workshop, ready, last=last)
    mark = find_skip(commit.subject, commit.body)
    if mark:
        return f"commit {commit.sha[:12]} says {mark}"
    source, schedule = b"", ready.schedule
    if not fault:
        source, fault = read_config(workshop, ready.project, commit.sha, ready.settings.config_path)
    wish = Wish(
        ref=ready.ref,
        actor=schedule.actor,
        parameters={name: value for name, value in schedule.parameters.items() if name not in REFS},
        trigger=TriggerType.SCHEDULE,
    )
    values = _list_values(schedule)
    draft = draft_commit(ready.project, ready.settings, wish, commit, None)
    complete = msgspec.structs.replace(
        draft,
        uuid=ready.firing.pipeline,
        source=source,
        fault=fault,
        values=values,
        labels=dict(draft.labels) | pack_values(values),
        workflow=schedule.name if schedule.branch else "",
    )
    try:
        start_draft(parts, workshop, ready.settings, complete)
    except NotFoundError as error:
        if not schedule.branch:
            raise
        raise _OutdatedError(str(error)) from error
    return ""


def _list_values(schedule: Schedule) -> dict[str, Value]:
    """What the config may ask about the schedule (CircleCI docs: pipeline values)."""
    if schedule.branch:
        return {"pipeline.trigger_source": "schedule"}
    return {"pipeline.schedule.id": schedule.uuid, "pipeline.schedule.name": schedule.name}


def _obtain(workshop: Workshop, ready: _Ready, *, last: bool) -> tuple[CommitFacts, str]:
    """The commit the branch or tag is at, or why it cannot be had.

    Only branches of the repository itself are meant, whatever they are called: no code of strangers runs.
    """
    ref = ready.ref
    name = f"refs/tags/{ref.tag}" if ref.tag else f"refs/heads/{ref.branch}"
    try:
        return workshop.code.obtain(ready.project, Fetch(ref=name)), ""
    except UnavailableError as error:
        if not last:
            raise
        fault = str(error)
    except NotFoundError as error:
        if ready.schedule.branch and _is_gone(workshop, ready.project, ref.branch):
            raise _OutdatedError(str(error)) from error
        fault = str(error)
    except (ForbiddenError, InvalidError, LimitExceededError) as error:
        fault = str(error)
    return CommitFacts(sha=""), f"Failed to fetch the commit: {fault}"


def _is_gone(workshop: Workshop, project: Project, branch: str) -> bool:
    """True when it is the branch that is missing, not access to the repository."""
    if branch == project.default_branch:
        return False
    try:
        workshop.code.obtain(project, Fetch(ref=f"refs/heads/{project.default_branch}"))
    except PenstockError:
        return False
    return True
