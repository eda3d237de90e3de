"""Puts together all an agent needs to run a task."""

import logging
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from penstock.engine.continuation import issue_key
from penstock.engine.facts import ASKED_BY, Facts
from penstock.engine.follow import find_arguments
from penstock.engine.forks import is_foreign
from penstock.engine.identity import Promise, promise_tokens
from penstock.engine.languages import TaskFacts, find_language
from penstock.engine.links import link_job, link_pipeline
from penstock.engine.outputs import Place
from penstock.engine.source import find_source, list_hidden, list_lines
from penstock.engine.start import RETESTS
from penstock.engine.unit import Parts, Unit
from penstock.model.project import SshKey
from penstock.model.run import Job, Task
from penstock.plan.step import AddSshKeys, AttachWorkspace, Run
from penstock.plan.workflow import SETUP_TAG, JobPlan
from penstock.store import jobs, test_results, workspaces
from penstock.store.database import Transaction
from penstock.store.test_results import TimingKind
from penstock.wire.messages import Assignment, Layer

_log = logging.getLogger(__name__)


class Draft(msgspec.Struct, frozen=True):
    """An assignment that may lack the tokens of its job."""

    assignment: Assignment
    promise: Promise | None

    def finish(self) -> Assignment:
        """The assignment as the agent gets it; to be called when the transaction is over."""
        return self.assignment if self.promise is None else self.promise.keep(self.assignment)


def make_assignment(unit: Unit, place: Place, lease: float) -> Draft:
    """The assignment of a task that an agent has just claimed; `lease` is in seconds."""
    parts, tx = unit.parts, unit.tx
    task, job, facts = place.task, place.job, place.flow.facts
    plan = facts.graph.plan.jobs[job.key]
    sources = list_secrets(parts, facts, plan)
    source = find_source(parts, facts, plan)
    keys = choose_keys(parts, facts, plan)
    environment = {name: value for source in sources for name, value in source.items()}
    key = issue_key(unit, facts.pipeline, task.uuid) if SETUP_TAG in facts.graph.plan.tags else ""
    builtins = _list_builtins(unit, facts, job, task, key)
    hidden = [
        *_list_values(sources),
        *list_lines(each.private for each in keys),
        *list_hidden(source),
        *([key] if key else ()),
    ]
    asked = facts.labels.get(ASKED_BY, "")
    unit.afterwards.append(lambda: _tell(facts, job, task, asked))
    assignment = Assignment(
        task=task.uuid,
        job=job.uuid,
        index=task.index,
        total=job.parallelism,
        attempt=task.attempt,
        language=facts.pipeline.language,
        plan=plan,
        environment=environment | builtins,
        secrets=tuple(dict.fromkeys(hidden)),
        keys=keys,
        continues=bool(key),
        source=source,
        layers=_list_layers(tx, facts, job.key, plan),
        timings=_read_timings(tx, job, plan),
        failed=_read_failed(tx, place),
        number=job.number or 0,
        lease=lease,
        request=asked,
    )
    return Draft(assignment, promise_tokens(unit, facts, job))


def _tell(facts: Facts, job: Job, task: Task, asked: str) -> None:
    """The line that ties a task to its pipeline, and to the request that triggered it."""
    told = {"task": task.uuid, "job": job.uuid, "pipeline": facts.pipeline.uuid, "agent": task.agent_id}
    _log.info("task assigned", extra={"facts": told | ({"request": asked} if asked else {})})


def list_secrets(parts: Parts, facts: Facts, plan: JobPlan) -> list[Mapping[str, str]]:
    """Project variables, then those of each context in order: later ones win, all are masked.

    CircleCI docs: environment variable usage options; a pull request from a fork gets none unless the
    project passes them. A context that is gone since the job was let pass has none.
    """
    if is_foreign(facts):
        return []
    contexts = (parts.variables.of_context(facts.organization.id, name) or {} for name in plan.contexts)
    return [parts.variables.of_project(facts.project.id), *contexts]


def choose_keys(parts: Parts, facts: Facts, plan: JobPlan) -> tuple[SshKey, ...]:
    """The keys that the job's steps install: those they name, or all when one of them names none."""
    steps = [step for step in plan.steps if isinstance(step, AddSshKeys)]
    if not steps or is_foreign(facts):
        return ()
    keys = tuple(parts.variables.keys_of_project(facts.project.id))
    if not all(step.fingerprints for step in steps):
        return keys
    wanted = [each for step in steps for each in step.fingerprints]
    return tuple(key for key in keys if any(key.answers_to(each) for each in wanted))


def _list_values(sources: Iterable[Mapping[str, str]]) -> Iterator[str]:
    return (value for source in sources for value in source.values())


def _list_builtins(unit: Unit, facts: Facts, job: Job, task: Task, key: str) -> dict[str, str]:
    plan = facts.graph.plan.jobs[job.key]
    ids = unit.parts.memory.job_ids(unit.tx, job.workflow_id)
    previous = None
    if job.number is not None:
        branch = facts.pipeline.revision.branch
        previous = jobs.previous_number(unit.tx, facts.project.id, branch, job.number)
    base = unit.parts.base_url
    pipeline = link_pipeline(base, facts.project.slug, facts.pipeline.number) if base else ""
    return find_language(facts.pipeline.language).variables(
        TaskFacts(
            organization=facts.organization,
            project=facts.project,
            pipeline=facts.pipeline,
            workflow_uuid=facts.workflow_uuid,
            workspace=facts.workspace,
            job=job,
            plan=plan,
            task=task,
            url=link_job(pipeline, facts.workflow_uuid, job.number or job.uuid) if pipeline else "",
            previous_number=previous,
            upstream=tuple(ids[above][1] for above in plan.needs if above in ids),
            arguments=find_arguments(unit.tx, facts),
            continuation_key=key,
        )
    )


def _list_layers(tx: Transaction, facts: Facts, key: str, plan: JobPlan) -> tuple[Layer, ...]:
    """The layers of the jobs upstream, in graph order (CircleCI docs: using workspaces)."""
    if not any(isinstance(step, AttachWorkspace) for step in plan.steps):
        return ()
    order = {above: place for place, above in enumerate(facts.graph.upstream(key))}
    layers = workspaces.layers_of(tx, facts.workspace, order.keys())
    layers.sort(key=lambda layer: order[layer.job_key])
    after = facts.graph.nearest({layer.job_key for layer in layers})
    return tuple(
        Layer(job=layer.job_key, index=layer.task_index, blob=layer.blob, after=after[layer.job_key])
        for layer in layers
    )


def _read_timings(tx: Transaction, job: Job, plan: JobPlan) -> dict[str, dict[str, float]]:
    """How long tests took before, for jobs that may split by it: they have copies, or say so.

    What earlier copies of this very job reported stays out: copies that split by different times would
    leave tests out, or run them twice.
    """
    commands = _list_commands(plan)
    if plan.parallelism < 2 and not any("timings" in each or "tests run" in each for each in commands):  # noqa: PLR2004 - one has nobody to share with
        return {}
    kinds = [TimingKind.FILE, TimingKind.CLASSNAME]
    if any("testname" in each or "autodetect" in each for each in commands):
        kinds.append(TimingKind.NAME)  # there are many of them
    means = test_results.mean_timings(tx, job.project_id, job.name, kinds, before=job.created_at)
    return {kind.value: seconds for kind, seconds in means.items()}


def _read_failed(tx: Transaction, place: Place) -> dict[str, tuple[str, ...]]:
    """The tests that failed in the job this one repeats, when only those are to run again."""
    repeated = place.flow.flags.get(place.job.key, {}).get(RETESTS)
    before = None if repeated is None else jobs.job_by_uuid(tx, repeated)
    if before is None:
        return {}
    return {
        kind.value: names for kind, names in test_results.failed_names(tx, before.id, before.attempt).items()
    }


def _list_commands(plan: JobPlan) -> list[str]:
    return [step.command for step in plan.steps if isinstance(step, Run)]
