"""Starts a pipeline: its rows, its workflows, and everything of it that can run at once."""

import logging
from collections.abc import Mapping

import msgspec

from penstock.engine.config_schedules import note_schedules
from penstock.engine.decisions import Judgement, record_judgement
from penstock.engine.effects import settle
from penstock.engine.facts import ASKED_BY
from penstock.engine.feed import PipelineChanged
from penstock.engine.flow import load_flow
from penstock.engine.start import make_roots
from penstock.engine.statuses import promise_error
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import new_id
from penstock.kit.trace import REQUEST
from penstock.lifecycle.events import CancelRequested
from penstock.lifecycle.pipeline import PipelineMove, advance_pipeline
from penstock.model.diagnostic import has_errors
from penstock.model.project import Project
from penstock.model.run import Pipeline, Revision, TriggerType
from penstock.model.status import PipelineStatus, Reason
from penstock.plan.plan import Plan, encode
from penstock.store import counters, pipelines, projects, workflows
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
    the command that runs the pipeline, `labels` are facts kept with it. A pipeline that `supersedes` has
    the workflows of older ones of its branch stopped; one that `schedules` says which workflows of its
    branch are to start by themselves. A `judgement` is what policies say of its config.
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
    supersedes: bool = False
    judgement: Judgement | None = None
    schedules: bool = False


_log = logging.getLogger(__name__)


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

    A plan with errors makes an errored pipeline without workflows. One that is stored already is left as it
    is.
    """
    return transact(parts, lambda unit: _trigger(unit, request))


def _trigger(unit: Unit, request: TriggerRequest) -> Pipeline:
    present = pipelines.pipeline_by_uuid(unit.tx, request.uuid)
    if present is not None:
        return present
    labels = {**request.labels, ASKED_BY: asked} if (asked := REQUEST.get()) else request.labels
    pipeline = pipelines.insert_pipeline(
        unit.tx, _make_pipeline(unit, request), owner=request.owner, labels=labels
    )
    unit.afterwards.append(lambda: _tell(pipeline))
    plan = request.plan
    config = StoredConfig(source=request.source, compiled=plan.compiled, plan=encode(plan))
    pipelines.save_config(unit.tx, pipeline.id, config)
    if request.judgement is not None:
        record_judgement(unit, pipeline.id, request.judgement)
    unit.changes.append(
        PipelineChanged(at=unit.now, pipeline=pipeline.uuid, number=pipeline.number, status=pipeline.status)
    )
    if pipeline.errors:
        promise_error(unit, pipeline, request.labels)
    if not make_roots(unit, pipeline, plan):
        unit.ended.add(pipeline.id)
    if request.supersedes:
        _cancel_older(unit, pipeline)
    if request.schedules:
        note_schedules(unit, pipeline, plan)
    settle(unit)
    return pipeline


def _tell(pipeline: Pipeline) -> None:
    facts = {"pipeline": pipeline.uuid, "project": pipeline.project_id, "number": pipeline.number}
    _log.info("pipeline triggered", extra={"facts": facts})


def _cancel_older(unit: Unit, pipeline: Pipeline) -> None:
    """Ask the workflows of older pipelines of the branch to stop, but for those of schedules.

    CircleCI docs: auto-cancel.
    """
    branch = pipeline.revision.branch
    for workflow in workflows.open_workflows(unit.tx, project_id=pipeline.project_id, branch=branch):
        if workflow.pipeline_id >= pipeline.id:
            continue
        flow = load_flow(unit, workflow.id)
        if flow.facts.pipeline.trigger is not TriggerType.SCHEDULE:
            flow.apply(CancelRequested(reason=Reason.STRATEGY))


def _make_pipeline(unit: Unit, request: TriggerRequest) -> Pipeline:
    failed = has_errors(request.plan.diagnostics)
    return Pipeline(
        id=0,
        uuid=request.uuid,
        project_id=request.project_id,
        number=request.number,
        status=advance_pipeline(PipelineStatus.PENDING, _choose_move(request.plan, failed=failed)),
        created_at=unit.now,
        updated_at=unit.now,
        trigger=request.trigger,
        actor=request.actor,
        revision=request.revision,
        language=request.plan.language,
        parameters=dict(request.parameters),
        errors=request.plan.diagnostics if failed else (),
    )


def _choose_move(plan: Plan, *, failed: bool) -> PipelineMove:
    """What a new pipeline's config makes of it."""
    if failed:
        return PipelineMove.REFUSE
    return PipelineMove.ASK_SETUP if plan.setup else PipelineMove.COMPILE
