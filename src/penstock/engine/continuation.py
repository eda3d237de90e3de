"""Dynamic configuration: a pipeline whose setup workflow hands in the config of the rest.

`CircleCI docs: dynamic configuration`: the jobs of a setup workflow get a key. With it one request may
continue the pipeline, within six hours of its creation; the workflows of that config are of the same
pipeline. What is wrong with the request refuses it, and the key stays good for a better one. A request
that is in order but whose config has errors is taken, and the pipeline ends errored: it continues only once.
"""

from collections.abc import Callable, Mapping

import msgspec

from penstock.engine.effects import settle
from penstock.engine.event_values import load_values
from penstock.engine.facts import present
from penstock.engine.feed import PipelineChanged
from penstock.engine.flow import load_flow
from penstock.engine.start import make_roots
from penstock.engine.statuses import promise_error
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.lifecycle.pipeline import PipelineMove, advance_pipeline
from penstock.model.diagnostic import Diagnostic, has_errors
from penstock.model.errors import (
    InvalidError,
    LimitExceededError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from penstock.model.project import Project
from penstock.model.run import Pipeline
from penstock.model.status import JobStatus, PipelineStatus
from penstock.plan.plan import Plan, decode_plan, encode
from penstock.store import continuations, jobs, pipelines, projects, tasks
from penstock.store.continuations import ContinuationKey
from penstock.store.database import Transaction
from penstock.store.failures import RolledBackError
from penstock.store.pipelines import PipelineChange, StoredConfig
from penstock.wire.messages import Continue, Continued

VALID = 6 * 3600 * 1000
"""Milliseconds after the pipeline's creation in which it may be continued."""

MOST_BYTES = 4 << 20
"""Size of a config that a pipeline may continue with."""

MOST_PARAMETERS, MOST_NAME, MOST_VALUE = 100, 128, 512
"""How many parameters a request may give, and how long (CircleCI API v2: continuePipeline)."""

SETUP_CONFIG = "setup"
"""The name under which the setup config of a continued pipeline is kept."""

_WAITS = {PipelineStatus.SETUP_PENDING, PipelineStatus.SETUP}
_FAULTS = {"conflicting-parameters", "setup-again", "unexpected-argument"}
"""Codes of findings that are about the request rather than the config."""

Arguments = Mapping[str, str | int | bool]


class Continuation(msgspec.Struct, frozen=True, kw_only=True):
    """A request to continue. One that arrives twice under the same `request` name is one request."""

    key: str
    configuration: str
    parameters: Arguments = {}
    request: str = ""


class ToCompile(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan of a continuation is made from; `given` are the arguments of the request."""

    project: Project
    pipeline: Pipeline
    setup: Plan
    source: str
    given: Arguments
    values: Mapping[str, str | int | bool | None] = {}  # what the event brought along


Compiler = Callable[[ToCompile], Plan]
"""Compiles the config a pipeline continues with; mistakes are in the plan's diagnostics."""


def continue_pipeline(parts: Parts, compiler: Compiler, wish: Continuation) -> Pipeline:
    """The pipeline goes on with the workflows of the config, or is errored with what is wrong in it.

    Raises NotFoundError for an unknown key; RefusedError when the pipeline does not wait for a
    continuation (any more); InvalidError for arguments that contradict those of the trigger or that the
    config does not know, and for another setup config; LimitExceededError for what is too large. Then
    nothing has changed.
    """
    check_size(wish)
    with parts.db.read() as tx:
        key, pipeline = _find_pipeline(tx, wish)
        if _is_repeated(tx, key, wish):
            return pipeline
        _check_state(tx, key, pipeline, parts.clock.now())
        project = present(projects.get_project(tx, pipeline.project_id))
        setup = decode_plan(present(pipelines.load_config(tx, pipeline.id)).plan)
        values = load_values(tx, pipeline.id)
    wanted = ToCompile(
        project=project,
        pipeline=pipeline,
        setup=setup,
        source=wish.configuration,
        given=wish.parameters,
        values=values,
    )
    plan = compiler(wanted)
    faults = [finding.message for finding in plan.diagnostics if _is_fault(finding)]
    if faults:
        raise InvalidError("\n".join(faults))
    return transact(parts, lambda unit: _continue(unit, wish, plan))


def answer_wish(parts: Parts, compiler: Compiler, wish: Continue) -> Continued:
    """What became of a request that an agent brought: a status as of HTTP and a sentence.

    Raises UnavailableError when it has to be sent once more.
    """
    asked = Continuation(
        key=wish.key, configuration=wish.configuration, parameters=wish.parameters, request=wish.request
    )
    try:
        pipeline = continue_pipeline(parts, compiler, asked)
    except RolledBackError as error:
        raise UnavailableError("the database is too busy at present") from error
    except NotFoundError as error:
        return Continued(status=404, message=str(error))
    except LimitExceededError as error:
        return Continued(status=413, message=str(error))
    except RefusedError as error:
        return Continued(status=400, message=str(error))
    faults = "".join(f"\n{finding.message}" for finding in pipeline.errors)
    return Continued(
        status=200, message=f"Accepted.{' The configuration has errors:' if faults else ''}{faults}"
    )


def refuse_to_compile(_: ToCompile) -> Plan:
    """For servers that cannot compile. Raises RefusedError."""
    raise RefusedError("Pipelines cannot be continued here.")


def check_size(wish: Continuation) -> None:
    """Raises LimitExceededError for a config or parameters past the bounds."""
    if len(wish.configuration.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise LimitExceededError(f"The configuration is larger than {MOST_BYTES >> 20} MiB.")
    if len(wish.parameters) > MOST_PARAMETERS:
        raise LimitExceededError(f"There are more than {MOST_PARAMETERS} pipeline parameters.")
    for name, value in wish.parameters.items():
        if len(name) > MOST_NAME or len(str(value)) > MOST_VALUE:
            raise LimitExceededError(
                f"Pipeline parameter {name[:MOST_NAME]} is too long: names may have {MOST_NAME} characters, "
                f"values {MOST_VALUE}."
            )


def issue_key(unit: Unit, pipeline: Pipeline, task: str) -> str:
    """A key for a task of the setup workflow, whose pipeline is in its setup from the first one on."""
    locked = present(pipelines.lock_pipeline(unit.tx, pipeline.id))
    if locked.status is PipelineStatus.SETUP_PENDING:
        _move(unit, locked, advance_pipeline(locked.status, PipelineMove.BEGIN_SETUP))
    return continuations.issue_key(unit.tx, pipeline.id, task, now=unit.now)


def _find_pipeline(tx: Transaction, wish: Continuation) -> tuple[ContinuationKey, Pipeline]:
    key = continuations.find_key(tx, wish.key)
    if key is None:
        raise NotFoundError("Invalid continuation key.")
    return key, present(pipelines.get_pipeline(tx, key.pipeline_id))


def _is_repeated(tx: Transaction, key: ContinuationKey, wish: Continuation) -> bool:
    """True when this very request has continued the pipeline before, and only its answer was lost."""
    use = continuations.find_use(tx, key.pipeline_id)
    return use is not None and bool(wish.request) and (use.id, use.request) == (key.id, wish.request)


def _check_state(tx: Transaction, key: ContinuationKey, pipeline: Pipeline, now: int) -> None:
    """Raises RefusedError unless the pipeline may be continued with the key."""
    if continuations.find_use(tx, pipeline.id) is not None:
        raise RefusedError("The pipeline has already been continued.")
    if pipeline.status not in _WAITS:
        raise RefusedError("The pipeline is not in the setup phase.")
    if now > pipeline.created_at + VALID:
        raise RefusedError("The continuation key has expired: it is valid for 6 hours.")
    placement = present(tasks.place_task(tx, key.task))
    job = present(jobs.get_job(tx, placement.job_id))
    if job.status in {JobStatus.CANCELING, JobStatus.CANCELED}:
        raise RefusedError("The setup workflow was canceled.")


def _is_fault(finding: Diagnostic) -> bool:
    """True for a finding about the request itself; arguments of jobs are the config's own affair."""
    return finding.code in _FAULTS and not finding.scope


def _continue(unit: Unit, wish: Continuation, plan: Plan) -> Pipeline:
    key, found = _find_pipeline(unit.tx, wish)
    # The setup workflow is locked before the pipeline, as by everybody who ends a workflow.
    load_flow(unit, present(tasks.place_task(unit.tx, key.task)).workflow_id)
    pipeline = present(pipelines.lock_pipeline(unit.tx, found.id))
    if _is_repeated(unit.tx, key, wish):
        return pipeline
    _check_state(unit.tx, key, pipeline, unit.now)
    continuations.use_key(unit.tx, key.id, request=wish.request, now=unit.now)
    setup = present(pipelines.load_config(unit.tx, pipeline.id))
    pipelines.save_config(unit.tx, pipeline.id, setup, name=SETUP_CONFIG)
    config = StoredConfig(source=wish.configuration, compiled=plan.compiled, plan=encode(plan))
    pipelines.save_config(unit.tx, pipeline.id, config)
    failed = has_errors(plan.diagnostics)
    compiling = advance_pipeline(_begin(pipeline.status), PipelineMove.CONTINUE)
    status = advance_pipeline(compiling, PipelineMove.REFUSE if failed else PipelineMove.COMPILE)
    continued = _move(unit, pipeline, status, errors=plan.diagnostics if failed else ())
    if failed:
        promise_error(unit, continued, pipelines.load_labels(unit.tx, pipeline.id))
    make_roots(unit, continued, plan)
    unit.ended.add(pipeline.id)  # the setup workflow may have ended before
    settle(unit)
    return continued


def _begin(status: PipelineStatus) -> PipelineStatus:
    """The status once the setup has begun, which it has when its key is used."""
    pending = status is PipelineStatus.SETUP_PENDING
    return advance_pipeline(status, PipelineMove.BEGIN_SETUP) if pending else status


def _move(
    unit: Unit, pipeline: Pipeline, status: PipelineStatus, errors: tuple[Diagnostic, ...] = ()
) -> Pipeline:
    """The pipeline in its new status, and watchers hear of it."""
    change = PipelineChange(id=pipeline.id, updated_at=unit.now, status=status)
    if errors:
        change.errors = errors
    pipelines.update_pipeline(unit.tx, change)
    unit.changes.append(
        PipelineChanged(at=unit.now, pipeline=pipeline.uuid, number=pipeline.number, status=status)
    )
    return msgspec.structs.replace(pipeline, status=status, updated_at=unit.now, errors=errors)
