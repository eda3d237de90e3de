"""Workflows and their jobs to the plan's."""

import msgspec

from penstock.language.circleci.expand.planned import Job, Workflow
from penstock.language.circleci.lower.executor import lower_executor
from penstock.language.circleci.lower.step import lower_step
from penstock.language.circleci.lower.values import (
    read_optional,
    read_text,
    read_texts,
    read_variables,
    strip_marks,
)
from penstock.language.circleci.select import Needs
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map
from penstock.model.status import JobKind
from penstock.plan.executor import Executor, ExecutorKind
from penstock.plan.origin import Origin
from penstock.plan.step import AnyStep, RuntimeCondition
from penstock.plan.workflow import JobPlan, Schedule, Start, WorkflowPlan

WORKING_DIRECTORY = "~/project"
_NOWHERE = Executor(kind=ExecutorKind.NONE)
_FIRST_COPY = RuntimeCondition("environment", "CIRCLE_NODE_INDEX=0")
"""Of a `deploy` step in a parallel job (CircleCI config reference: deploy)."""
_RELEASE_KEYS = ("plan_name", "validation")


class Lowering:
    """Lowers the workflows of one config; steps that are shared are lowered once."""

    def __init__(self) -> None:
        self._steps: dict[int, tuple[object, AnyStep]] = {}

    def lower_workflow(
        self, workflow: Workflow, jobs: list[tuple[Job, Needs]], schedules: tuple[Schedule, ...] | None
    ) -> WorkflowPlan:
        """The plan of a workflow with the jobs that remain in it."""
        reruns = workflow.body.get("max_auto_reruns")
        return WorkflowPlan(
            name=workflow.name,
            jobs={job.key: self._lower_job(job, needs) for job, needs in jobs},
            start=Start.AT_ONCE if schedules is None else Start.SCHEDULE,
            schedules=schedules or (),
            max_auto_reruns=reruns if isinstance(reruns, int) else 0,
            origin=Origin(workflow.name, workflow.place.find_mark()),
        )

    def _lower_job(self, job: Job, needs: Needs) -> JobPlan:
        matrix = {name: show_scalar(value) for name, value in job.matrix.items()}
        origin = Origin(job.definition, job.place.find_mark(), matrix)
        contexts = read_texts(job.entry.get("context"))
        serial_group = read_optional(job.entry, "serial-group")
        body = job.body
        if body is None or job.kind is not JobKind.BUILD:
            lock = read_optional(body, "key") if body is not None else None
            return JobPlan(
                name=job.key, kind=job.kind, needs=needs, executor=_lower_nowhere(body), contexts=contexts,
                lock=lock, serial_group=serial_group, origin=origin,
            )  # fmt: skip
        parallelism = body.get("parallelism")
        return JobPlan(
            name=job.key,
            kind=job.kind,
            needs=needs,
            executor=lower_executor(body),
            environment=read_variables(body.get("environment")),
            contexts=contexts,
            parallelism=parallelism if isinstance(parallelism, int) else 1,
            steps=self._lower_steps(
                body.get("steps"), parallel=isinstance(parallelism, int) and parallelism > 1
            ),
            shell=_find_shell(body),
            working_directory=read_text(body, "working_directory") or WORKING_DIRECTORY,
            serial_group=serial_group,
            retention=_lower_retention(body.get("retention")),
            origin=origin,
        )

    def _lower_steps(self, steps: object, *, parallel: bool) -> tuple[AnyStep, ...]:
        if not isinstance(steps, Items):
            return ()
        lowered = tuple(map(self._lower_step, steps))
        if not parallel:
            return lowered
        return tuple(
            msgspec.structs.replace(done, condition=_FIRST_COPY)
            if isinstance(step, Map) and "deploy" in step else done
            for step, done in zip(steps, lowered, strict=True)
        )  # fmt: skip

    def _lower_step(self, step: object) -> AnyStep:
        known = self._steps.get(id(step))
        if known is None:
            known = self._steps[id(step)] = (step, lower_step(step))
        return known[1]


def _lower_nowhere(body: Map | None) -> Executor:
    """The executor of a job that runs nothing; what a release is about is kept as its options."""
    said = {key: body[key] for key in _RELEASE_KEYS if key in body} if body is not None else {}
    return msgspec.structs.replace(_NOWHERE, options=strip_marks(said)) if said else _NOWHERE


def _find_shell(body: Map) -> str | None:
    """The job's shell, else its machine's."""
    machine = body.get("machine")
    return read_optional(body, "shell") or (
        read_optional(machine, "shell") if isinstance(machine, Map) else None
    )


def _lower_retention(value: object) -> dict[str, int]:
    """Days by what is kept, from texts like `15d`."""
    if not isinstance(value, Map):
        return {}
    days = {name: show_scalar(text).removesuffix("d") for name, text in value.items()}
    return {name: int(text) for name, text in days.items() if text.isdecimal()}
