"""A small engine for tests: it carries out the effects of `advance` in memory, one event after the other.

Locks are handed out first come, first served over all workflows; agents take jobs in the order of the
queue; delays pass when nothing else can move.
"""

from collections import deque
from typing import assert_never

import msgspec

from penstock.lifecycle.admission import InLine, find_pushed_out, find_ready
from penstock.lifecycle.effects import (
    AcquireLock,
    AnyEffect,
    Enqueue,
    HoldFollowUp,
    LimitTime,
    ReleaseLock,
    RetryAfter,
    StartFollowUp,
    StopJob,
    WorkflowEnded,
)
from penstock.lifecycle.events import (
    AnyEvent,
    Begin,
    CancelRequested,
    JobFinished,
    JobLost,
    JobRefused,
    JobStarted,
    LockGranted,
    RetryDue,
)
from penstock.lifecycle.graph import Graph
from penstock.lifecycle.rerun import Rerun
from penstock.lifecycle.rollup import roll_up_workflows
from penstock.lifecycle.state import Advance, JobState, WorkflowState
from penstock.lifecycle.workflow import advance, start
from penstock.model.status import JobStatus, Reason, WorkflowStatus
from penstock.plan.plan import Plan
from penstock.plan.workflow import Start


class Outcome(msgspec.Struct, frozen=True):
    """What becomes of one start of a job; `status` may also be lost, lost_before_work, unauthorized, hang."""

    status: str
    reason: Reason = Reason.NONE


Script = dict[str, list[Outcome]]
"""By job, what becomes of its first, second … start; the last repeats, a job not named passes."""

PASSES = [Outcome("success")]


class Running(msgspec.Struct):
    """A workflow of the world; `name` is its key, `~2` for its first rerun, `2/` before in pipeline 2."""

    name: str
    key: str
    pipeline: int
    graph: Graph
    state: WorkflowState
    counts: bool = True
    replaced: bool = False  # by a rerun
    starts: dict[str, int] = {}
    enqueued: list[tuple[str, int]] = []
    ended: int = 0
    limits: list[str | None] = []


Ticket = tuple[str, str]
"""A job of the world: the workflow's name and the job's key."""


class World:
    """All workflows of all pipelines made from one plan."""

    def __init__(self, plan: Plan, script: Script | None = None) -> None:
        self.plan = plan
        self.script = script or {}
        self.runs: dict[str, Running] = {}
        self.queue: deque[tuple[str, str, int]] = deque()
        self.locks: dict[str, list[Ticket]] = {}
        self.timers: list[tuple[str, RetryDue]] = []
        self.inbox: deque[tuple[str, AnyEvent]] = deque()
        self.started: list[str] = []
        self.held: list[str] = []
        self.pipelines = 0

    def trigger(self) -> None:
        """One more pipeline, with all its workflows that start at once."""
        self.pipelines += 1
        for key, workflow in self.plan.workflows.items():
            if workflow.start in {Start.AT_ONCE, Start.HELD}:
                self.make(key, self.pipelines)
        self.deliver()

    def make(self, key: str, pipeline: int, *, held: bool = False, counts: bool = True) -> Running:
        """A new workflow; in a queue it may push out older ones and may have to wait."""
        graph = Graph.of(self.plan.workflows[key])
        first = start(graph, held=held)
        run = self.add(key, pipeline, graph, first.state)
        run.counts = counts
        self.push_out(run)
        self.carry_out(run, first)
        self.admit(run)
        return run

    def add(self, key: str, pipeline: int, graph: Graph, state: WorkflowState) -> Running:
        base = key if pipeline == 1 else f"{pipeline}/{key}"
        again = sum(1 for run in self.runs.values() if run.key == key and run.pipeline == pipeline)
        run = Running(
            name=f"{base}~{again + 1}" if again else base,
            key=key,
            pipeline=pipeline,
            graph=graph,
            state=state,
        )
        self.runs[run.name] = run
        return run

    def line_of(self, run: Running) -> list[Running]:
        """The workflows in the queue of this one, oldest first; without a rule it stands alone."""
        rule = run.graph.plan.queue
        if rule is None:
            return [run]
        return [
            other
            for other in self.runs.values()
            if other.graph.plan.queue and other.graph.plan.queue.name == rule.name
        ]

    def push_out(self, run: Running) -> None:
        rule = run.graph.plan.queue
        older = [other for other in self.line_of(run) if other is not run]
        if rule is not None:
            entries = [in_line(place, other) for place, other in enumerate(older)]
            for place in find_pushed_out(rule, entries):
                self.send(older[place].name, CancelRequested(reason=Reason.STRATEGY))

    def admit(self, run: Running) -> None:
        """Whoever may begin in the queue of the workflow begins."""
        line = self.line_of(run)
        for place in find_ready([in_line(place, other) for place, other in enumerate(line)]):
            self.send(line[place].name, Begin())

    def rerun(self, name: str, rerun: Rerun) -> Running:
        """A new workflow that begins with this state."""
        old = self.runs[name]
        old.replaced = True
        run = self.add(old.key, old.pipeline, old.graph, rerun.state)
        run.counts = old.counts
        self.admit(run)
        self.deliver()
        return run

    def send(self, name: str, event: AnyEvent) -> None:
        """The event will arrive with the next `deliver`."""
        self.inbox.append((name, event))

    def deliver(self) -> None:
        """All events have arrived, and those that followed from them."""
        while self.inbox:
            name, event = self.inbox.popleft()
            run = self.runs[name]
            self.carry_out(run, advance(run.graph, run.state, event))

    def carry_out(self, run: Running, step: Advance) -> None:
        run.state = step.state
        for effect in step.effects:
            self.do(run, effect)

    def do(self, run: Running, effect: AnyEffect) -> None:
        match effect:
            case Enqueue(key=key, attempt=attempt):
                run.enqueued.append((key, attempt))
                self.queue.append((run.name, key, attempt))
            case StopJob(key=key):
                self.queue = deque(entry for entry in self.queue if entry[:2] != (run.name, key))
            case AcquireLock(name=name, key=key):
                self.locks.setdefault(name, []).append((run.name, key))
                self.grant(name)
            case ReleaseLock(name=name, key=key):
                line = self.locks.get(name, [])
                if (run.name, key) in line:
                    line.remove((run.name, key))
                self.grant(name)
            case RetryAfter(key=key, attempt=attempt):
                self.timers.append((run.name, RetryDue(key=key, attempt=attempt)))
            case LimitTime(group=group):
                run.limits.append(group)
            case WorkflowEnded():
                run.ended += 1
                self.admit(run)
            case StartFollowUp() | HoldFollowUp():
                self.follow_due(run, effect)
            case unreachable:
                assert_never(unreachable)

    def follow_due(self, run: Running, effect: StartFollowUp | HoldFollowUp) -> None:
        held = isinstance(effect, HoldFollowUp)
        (self.held if held else self.started).append(effect.name)
        self.follow(run, effect.name, held=held)

    def follow(self, run: Running, name: str, *, held: bool = False) -> None:
        """The follow-up's workflow is there, if it is one of the plan."""
        follow_up = next(entry for entry in run.graph.plan.follow_ups if entry.name == name)
        if follow_up.workflow is not None:
            self.make(follow_up.workflow, run.pipeline, held=held, counts=follow_up.counts)

    def grant(self, name: str) -> None:
        line = self.locks[name]
        if line:
            run, key = line[0]
            self.send(run, LockGranted(key=key))

    def job(self, name: str, key: str) -> JobState:
        return self.runs[name].state.jobs[key]

    def drain(self) -> None:
        """Nothing can move any more without somebody's help."""
        self.deliver()
        while self.step():
            self.deliver()

    def step(self) -> bool:
        """One thing has moved, or False: an agent confirms a stop, takes a job, or a delay passes."""
        for run in self.runs.values():
            for key, job in run.state.jobs.items():
                if job.status is JobStatus.CANCELING:
                    self.finish(run.name, key, Outcome("canceled"))
                    return True
        if self.queue:
            self.take(*self.queue.popleft())
            return True
        if self.timers:
            self.send(*self.timers.pop(0))
            return True
        return False

    def take(self, name: str, key: str, attempt: int) -> None:
        """An agent has taken the job and brought it to the end its script has for it."""
        outcome = self.begin(name, key, attempt)
        if outcome.status != "hang":
            self.deliver()
            self.finish(name, key, outcome)

    def begin(self, name: str, key: str, attempt: int) -> Outcome:
        """An agent has taken the job; the end its script has for it."""
        run = self.runs[name]
        run.starts[key] = count = run.starts.get(key, 0) + 1
        outcomes = self.script.get(key, PASSES)
        outcome = outcomes[min(count, len(outcomes)) - 1]
        if outcome.status != "unauthorized":
            self.send(name, JobStarted(key=key, attempt=attempt))
        return outcome

    def finish(self, name: str, key: str, outcome: Outcome) -> None:
        """The job's present attempt has ended so."""
        attempt = self.job(name, key).attempt
        match outcome.status:
            case "unauthorized":
                status = JobStatus.UNAUTHORIZED
                self.send(name, JobRefused(key=key, status=status, reason=Reason.UNAUTHORIZED))
            case "lost":
                self.send(name, JobLost(key=key, attempt=attempt, work_started=True))
            case "lost_before_work":
                self.send(name, JobLost(key=key, attempt=attempt, work_started=False))
                self.queue.append((name, key, attempt))
            case status:
                self.send(
                    name,
                    JobFinished(key=key, attempt=attempt, status=JobStatus(status), reason=outcome.reason),
                )
        self.deliver()

    def verdict(self, pipeline: int = 1) -> WorkflowStatus:
        """The pipeline's, from the last of each chain of reruns."""
        return roll_up_workflows(
            (run.state.status, run.counts)
            for run in self.runs.values()
            if run.pipeline == pipeline and not run.replaced
        )


def in_line(place: int, run: Running) -> InLine:
    rule = run.graph.plan.queue
    return InLine(
        id=place,
        status=run.state.status,
        begun=run.state.begun,
        serialized=rule is not None and rule.serialized,
    )
