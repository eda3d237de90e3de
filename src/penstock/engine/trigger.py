"""Starts a pipeline: its rows, its workflows, and everything of it that can run at once."""

from collections.abc import Mapping

import msgspec

from penstock.engine.effects import settle
from penstock.engine.feed import PipelineChanged
from penstock.engine.start import NewWorkflow, begin_workflow, make_workflow
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import new_id
from penstock.model.diagnostic import has_errors
from penstock.model.project import Project
from penstock.model.run import Pipeline, Revision, TriggerType
from penstock.model.status import PipelineStatus
from penstock.plan.plan import Plan, encode
from penstock.plan.workflow import Start, WorkflowPlan
from penstock.store import counters, pipelines, projects
from penstock.store.pipelines import StoredConfig


class ProjectRef(msgspec.Struct, frozen=True, kw_only=True):
    """A project by what it is called; it is made when it does not exist."""

    organization: str  # slug
    name: str
    url: str = ""
    default_branch: str = "main"

    @property
    def slug(self) -> str:
        """The project's slug."""
        return f"{self.organization}/{self.name}"


class TriggerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline is made of. The plan is compiled; with errors in it the pipeline only records them.

    `uuid` and `number` may be given when the config was compiled with them. `owner` is the lock file of
    the command that runs the pipeline, `labels` are facts kept with it.
    """

    project_id: int
    uuid: str
    number: int
    trigger: TriggerType
    actor: str
    revision: Revision
    plan: Plan
    source: str
    parameters: Mapping[str, str | int | bool] = {}
    owner: str = ""
    labels: Mapping[str, str] = {}


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """The name of a pipeline to come, which its config may mention."""

    project: Project
    uuid: str
    number: int


def reserve_pipeline(parts: Parts, ref: ProjectRef) -> Reservation:
    """The project, made when needed, and an id and number that no other pipeline gets."""

    def work(unit: Unit) -> Reservation:
        name = ref.organization.rpartition("/")[2]
        organization = projects.ensure_organization(unit.tx, ref.organization, name=name, now=unit.now)
        project = projects.ensure_project(
            unit.tx,
            Project(
                id=0,
                uuid=new_id(),
                organization_id=organization.id,
                slug=ref.slug,
                name=ref.name,
                url=ref.url,
                default_branch=ref.default_branch,
                created_at=unit.now,
            ),
        )
        number = counters.next_number(unit.tx, project.id, counters.CounterKind.PIPELINE)
        return Reservation(project=project, uuid=new_id(), number=number)

    return transact(parts, work)


def trigger_pipeline(parts: Parts, request: TriggerRequest) -> Pipeline:
    """Store the pipeline with its workflows and start those that start at once.

    A plan with errors makes an errored pipeline without workflows.
    """
    return transact(parts, lambda unit: _trigger(unit, request))


def _trigger(unit: Unit, request: TriggerRequest) -> Pipeline:
    pipeline = pipelines.insert_pipeline(
        unit.tx, _make_pipeline(unit, request), owner=request.owner, labels=request.labels
    )
    plan = request.plan
    config = StoredConfig(source=request.source, compiled=plan.compiled, plan=encode(plan))
    pipelines.save_config(unit.tx, pipeline.id, config)
    unit.changes.append(
        PipelineChanged(at=unit.now, pipeline=pipeline.uuid, number=pipeline.number, status=pipeline.status)
    )
    for key, workflow_plan in plan.workflows.items():
        _make_root(unit, pipeline, key, workflow_plan)
    if not any(each.start in _AT_TRIGGER for each in plan.workflows.values()):
        unit.ended.add(pipeline.id)
    settle(unit)
    return pipeline


_AT_TRIGGER = {Start.AT_ONCE, Start.HELD}


def _make_root(unit: Unit, pipeline: Pipeline, key: str, plan: WorkflowPlan) -> None:
    """Make the workflow if it is made with its pipeline; it begins unless a person is to start it."""
    if plan.start in _AT_TRIGGER:
        held = plan.start is Start.HELD
        workflow = make_workflow(unit, pipeline, NewWorkflow(key=key, plan=plan, held=held))
        if not held:
            begin_workflow(unit, workflow.id)


def _make_pipeline(unit: Unit, request: TriggerRequest) -> Pipeline:
    failed = has_errors(request.plan.diagnostics)
    status = PipelineStatus.ERRORED if failed else PipelineStatus.CREATED
    return Pipeline(
        id=0,
        uuid=request.uuid,
        project_id=request.project_id,
        number=request.number,
        status=PipelineStatus.SETUP if request.plan.setup and not failed else status,
        created_at=unit.now,
        updated_at=unit.now,
        trigger=request.trigger,
        actor=request.actor,
        revision=request.revision,
        language=request.plan.language,
        parameters=dict(request.parameters),
        errors=request.plan.diagnostics if failed else (),
    )
