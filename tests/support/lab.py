"""The real engine over a real store, with agents made by hand and a clock that a test turns."""

from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import TypedDict, Unpack

from penstock.engine.control import approve_job
from penstock.engine.effects import settle
from penstock.engine.feed import Change, Feed, PipelineChanged
from penstock.engine.flow import load_flow
from penstock.engine.gateway import Gateway
from penstock.engine.memory import Memory
from penstock.engine.signal import Signal
from penstock.engine.signer import Signer
from penstock.engine.timers import tick
from penstock.engine.transact import transact
from penstock.engine.trigger import ProjectRef, TriggerRequest, reserve_pipeline, trigger_pipeline
from penstock.engine.unit import LEASE, Parts, Unit
from penstock.engine.variables import GivenVariables, StoredVariables
from penstock.lifecycle.events import AnyEvent as LifecycleEvent
from penstock.model.run import Fork, Job, Pipeline, Revision, StepRun, Task, TriggerType, Workflow
from penstock.model.status import Reason, StepStatus, TaskStatus, WorkflowStatus
from penstock.plan.plan import Plan
from penstock.store import jobs, pipelines, steps, tasks, workflows
from penstock.store.agents import register_agent
from penstock.store.blobs import Blobs
from penstock.store.database import Database
from penstock.store.sealing import Sealer
from penstock.wire.messages import (
    AnyEvent,
    Assignment,
    Commands,
    StepFinished,
    StepStarted,
    Sync,
    TaskFinished,
    TaskStarted,
)
from tests.support.clocks import HandClock
from tests.support.compact import Compact, make_plan

LAPSE = LEASE + 1
"""Seconds after which a silent agent is lost."""


class HandAgent:
    """An agent that does only what a test tells it to, and counts its events as agents do."""

    def __init__(self, lab: "Lab", name: str, *, slots: int, labels: Iterable[str]) -> None:
        self._lab = lab
        with lab.parts.db.write() as tx:
            record = register_agent(tx, name, labels=list(labels), slots=slots, now=lab.clock.now())
        self.uuid = record.uuid
        self.id = record.id
        self.held: dict[str, Assignment] = {}  # by task, those it works on
        self.heard: list[Commands] = []
        self._sequences: dict[str, count[int]] = {}

    def sync(self, *events: AnyEvent, free: int = 0, wait: float = 0.0) -> Commands:
        """Send the events; what it held and has finished or lost is held no more."""
        done = {event.task for event in events if isinstance(event, TaskFinished)}
        holding = tuple(task for task in self.held if task not in done)
        message = Sync(agent=self.uuid, events=events, holding=holding, free=free, wait=wait)
        return self.obey(self._lab.gateway.sync(message), done)

    def obey(self, commands: Commands, done: Iterable[str] = ()) -> Commands:
        """Note what the answer gives and takes."""
        for task in (*done, *commands.lost):
            self.held.pop(task, None)
        for assignment in commands.assignments:
            self.held[assignment.task] = assignment
        self.heard.append(commands)
        return commands

    def claim(self, free: int = 1) -> tuple[Assignment, ...]:
        """What it was given when it offered so many slots."""
        return self.sync(free=free).assignments

    def take(self) -> str:
        """The task it was given; the test fails when there is none."""
        [assignment] = self.claim()
        return assignment.task

    def next(self, task: str) -> int:
        """The sequence number of the task's next event."""
        return next(self._sequences.setdefault(task, count(1)))

    def started(self, task: str) -> TaskStarted:
        return TaskStarted(task=task, sequence=self.next(task), at=self._lab.clock.now())

    def step_started(self, task: str, step: int = 0, name: str = "make") -> StepStarted:
        at = self._lab.clock.now()
        return StepStarted(task=task, sequence=self.next(task), at=at, step=step, name=name, kind="run")

    def step_finished(
        self, task: str, step: int = 0, status: StepStatus = StepStatus.SUCCESS, exit_code: int = 0
    ) -> StepFinished:
        return StepFinished(
            task=task,
            sequence=self.next(task),
            at=self._lab.clock.now(),
            step=step,
            name="make",
            kind="run",
            status=status,
            exit_code=exit_code,
        )

    def finished(
        self,
        task: str,
        status: TaskStatus = TaskStatus.SUCCESS,
        reason: Reason = Reason.NONE,
        message: str = "",
    ) -> TaskFinished:
        return TaskFinished(
            task=task,
            sequence=self.next(task),
            at=self._lab.clock.now(),
            status=status,
            reason=reason,
            message=message,
        )

    def begin(self, task: str) -> None:
        """The task's first step runs."""
        self.sync(self.started(task), self.step_started(task))

    def end(self, task: str, status: TaskStatus = TaskStatus.SUCCESS, reason: Reason = Reason.NONE) -> None:
        """The task has ended so."""
        self.sync(self.finished(task, status, reason))

    def work(self, status: TaskStatus = TaskStatus.SUCCESS, reason: Reason = Reason.NONE) -> Assignment:
        """Take one task and bring it to this end."""
        [assignment] = self.claim()
        self.begin(assignment.task)
        self.end(assignment.task, status, reason)
        return assignment


class More(TypedDict, total=False):
    """What a revision may have besides commit and branch."""

    pull_request: str
    fork: Fork
    subject: str
    body: str


class Lab:
    """An engine for a test. What the feed says is in `changes`; with `seal` variables are those stored.

    With `base_url` as well its jobs find identity tokens.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        clock: HandClock | None = None,
        variables: GivenVariables | None = None,
        seal: Sealer | None = None,
        base_url: str = "",
    ) -> None:
        self.clock = clock or HandClock()
        db = Database.open(url)
        self.parts = Parts(
            db=db,
            blobs=Blobs.connect(str(folder / "blobs")),
            clock=self.clock,
            variables=StoredVariables(db, seal) if seal else variables or GivenVariables(),
            feed=Feed(),
            signal=Signal(),
            memory=Memory(),
            base_url=base_url,
            signer=Signer(db, seal, self.clock) if seal else None,
        )
        self.gateway = Gateway(self.parts)
        self.changes: list[Change] = []
        self.parts.feed.subscribe(self.changes.append)
        self._agents = count(1)

    def close(self) -> None:
        self.parts.db.close()

    def agent(self, *, slots: int = 4, labels: Iterable[str] = ()) -> HandAgent:
        return HandAgent(self, f"hand-{next(self._agents)}", slots=slots, labels=labels)

    def trigger(
        self, plan: Plan | Compact, *, project: str = "app", branch: str = "main", **more: Unpack[More]
    ) -> Pipeline:
        """A pipeline of the plan, in the language of CircleCI unless it says otherwise."""
        made = plan if isinstance(plan, Plan) else make_plan({"language": "circleci", **plan})
        ref = ProjectRef(organization="gh/acme", name=project, url="https://example.com/app.git")
        reservation = reserve_pipeline(self.parts, ref)
        request = TriggerRequest(
            project_id=reservation.project.id,
            uuid=reservation.uuid,
            number=reservation.number,
            trigger=TriggerType.API,
            actor="ada",
            revision=Revision(sha="a" * 40, branch=branch, **more),
            plan=made,
            source="",
        )
        return trigger_pipeline(self.parts, request)

    def run(self, jobs: Mapping[str, Compact | None], **workflow: object) -> Pipeline:
        """A pipeline with one workflow, `main`, of these jobs."""
        return self.trigger({"workflows": {"main": {"jobs": jobs, **workflow}}})

    def pass_time(self, seconds: float) -> int | None:
        """Let time pass, then do what is due."""
        self.clock.advance(seconds)
        return tick(self.parts)

    def send(self, workflow_id: int, event: LifecycleEvent) -> None:
        """The workflow hears of the event."""

        def work(unit: Unit) -> None:
            load_flow(unit, workflow_id).apply(event)
            settle(unit)

        transact(self.parts, work)

    def approve(self, pipeline: Pipeline, key: str) -> None:
        approve_job(self.parts, self.job(pipeline, key).uuid, by="grace")

    # What is stored.

    def workflows(self, pipeline: Pipeline) -> list[Workflow]:
        with self.parts.db.read() as tx:
            return workflows.workflows_of(tx, pipeline.id)

    def workflow(self, pipeline: Pipeline, key: str = "main") -> Workflow:
        """The latest workflow of that key."""
        return [each for each in self.workflows(pipeline) if each.key == key][-1]

    def job(self, pipeline: Pipeline, key: str, workflow: str = "main") -> Job:
        """The job in the latest workflow of that key."""
        with self.parts.db.read() as tx:
            found = jobs.job_by_key(tx, self.workflow(pipeline, workflow).id, key)
        assert found is not None
        return found

    def jobs(self, pipeline: Pipeline, workflow: str = "main") -> dict[str, str]:
        """Status of each job, and the reason when there is one."""
        with self.parts.db.read() as tx:
            every = jobs.jobs_of(tx, self.workflow(pipeline, workflow).id)
        return {job.key: f"{job.status} {job.reason}".strip() for job in every}

    def status(self, pipeline: Pipeline, key: str = "main") -> WorkflowStatus:
        return self.workflow(pipeline, key).status

    def tasks(self, pipeline: Pipeline, key: str, workflow: str = "main") -> list[Task]:
        with self.parts.db.read() as tx:
            return tasks.tasks_of(tx, self.job(pipeline, key, workflow).id)

    def steps(self, task: Task) -> list[StepRun]:
        with self.parts.db.read() as tx:
            return steps.steps_of(tx, task.id)

    def every_pipeline(self) -> list[Pipeline]:
        with self.parts.db.read() as tx:
            return pipelines.list_pipelines(tx, limit=1000)

    def ends(self, pipeline: Pipeline) -> list[WorkflowStatus | None]:
        """The verdicts that watchers were told of the pipeline, one for each time it ended."""
        return [
            change.outcome
            for change in self.changes
            if isinstance(change, PipelineChanged) and change.ended and change.pipeline == pipeline.uuid
        ]
