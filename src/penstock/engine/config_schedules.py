"""Schedules that configs ask for: `triggers` of workflows (CircleCI config reference: schedule).

The newest pipeline of a branch says which there are for the branch; they fire like those that people make.
"""

import logging

import msgspec

from penstock.engine.unit import Unit
from penstock.kit.ids import new_id
from penstock.model.diagnostic import has_errors
from penstock.model.errors import NotFoundError
from penstock.model.run import Pipeline
from penstock.model.schedule import SYSTEM, Schedule, next_firing
from penstock.plan.plan import Plan
from penstock.plan.workflow import Start
from penstock.store import schedules
from penstock.store.schedules import ScheduleChange

MOST_SCHEDULES = 1000
"""Schedules of a project that its configs may ask for, on all branches together."""

MOST_LETTERS = 500
"""Of the name of a workflow or branch that has any."""

UNKNOWN = "(unknown)"
"""Who pushed when nobody knows; no account can be called so."""

_log = logging.getLogger(__name__)


def note_schedules(unit: Unit, pipeline: Pipeline, plan: Plan) -> None:
    """The project has the schedules that the plan asks for on the pipeline's branch, and no others there.

    A plan with errors changes nothing; a setup config has none.
    """
    branch = pipeline.revision.branch
    if (
        not branch
        or len(branch) > MOST_LETTERS
        or pipeline.revision.fork is not None
        or has_errors(plan.diagnostics)
    ):
        return
    wanted = {} if plan.setup else _list_crons(plan)
    found = schedules.list_schedules(unit.tx, pipeline.project_id, branch=branch, limit=MOST_SCHEDULES)
    present = {each.name: each for each in found}
    for name in sorted(present.keys() - wanted.keys()):
        schedules.delete_schedule(unit.tx, present[name].id)
    for name, crons in wanted.items():
        if name not in present:
            _add(unit, pipeline, name, crons)
        elif (present[name].crons, present[name].actor) != (crons, _name_actor(pipeline)):
            _change(unit, pipeline, present[name], crons)


def choose_scheduled(plan: Plan, workflow: str) -> Plan:
    """The plan with that workflow alone, which starts at once; as it is for "" and after errors.

    Raises NotFoundError when the workflow has no schedule.
    """
    if not workflow or has_errors(plan.diagnostics):
        return plan
    found = plan.workflows.get(workflow)
    if found is None or found.start is not Start.SCHEDULE:
        raise NotFoundError(f"the config has no schedule for {workflow} any more")
    at_once = msgspec.structs.replace(found, start=Start.AT_ONCE)
    return msgspec.structs.replace(plan, workflows={workflow: at_once})


def _list_crons(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The cron texts of each workflow that has some, by key."""
    return {
        key: tuple(schedule.cron for schedule in workflow.schedules)
        for key, workflow in sorted(plan.workflows.items())
        if workflow.start is Start.SCHEDULE and key.isprintable() and len(key) <= MOST_LETTERS
    }


def _name_actor(pipeline: Pipeline) -> str:
    """As whom the workflows run: as who pushed, and never as what people's schedules may run as."""
    return UNKNOWN if pipeline.actor in {"", SYSTEM} else pipeline.actor


def _add(unit: Unit, pipeline: Pipeline, name: str, crons: tuple[str, ...]) -> None:
    if schedules.count_schedules(unit.tx, pipeline.project_id, of_config=True) >= MOST_SCHEDULES:
        _log.warning("pipeline %s: its project has too many scheduled workflows for %s", pipeline.uuid, name)
        return
    record = Schedule(
        id=0,
        uuid=new_id(),
        project_id=pipeline.project_id,
        branch=pipeline.revision.branch,
        name=name,
        description=None,
        timetable=None,
        crons=crons,
        parameters={},
        actor=_name_actor(pipeline),
        created_at=unit.now,
        updated_at=unit.now,
        armed_at=unit.now,
        next_at=None,
    )
    armed = msgspec.structs.replace(record, next_at=next_firing(record, unit.now))
    schedules.ensure_schedule(unit.tx, armed)


def _change(unit: Unit, pipeline: Pipeline, present: Schedule, crons: tuple[str, ...]) -> None:
    """The schedule is as the config has it now; one that is due and has the same times stays due."""
    change = ScheduleChange(id=present.id, actor=_name_actor(pipeline), updated_at=unit.now)
    if crons != present.crons:
        changed = msgspec.structs.replace(present, crons=crons)
        change.crons, change.armed_at = crons, unit.now
        change.next_at = next_firing(changed, unit.now)
    schedules.update_schedules(unit.tx, [change])
