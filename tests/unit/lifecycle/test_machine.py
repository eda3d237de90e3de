"""Random workflows under random events: what must hold whatever happens."""

from collections import deque

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from penstock.lifecycle.draft import lock_name
from penstock.lifecycle.effects import (
    AcquireLock,
    Enqueue,
    ReleaseLock,
    RetryAfter,
    StopJob,
    WorkflowEnded,
)
from penstock.lifecycle.events import (
    AnyEvent,
    Approved,
    Begin,
    CancelRequested,
    JobCancelRequested,
    JobFinished,
    JobLost,
    JobRefused,
    JobStarted,
    LockGranted,
    RetryDue,
    TimeLimitReached,
)
from penstock.lifecycle.graph import Graph
from penstock.lifecycle.rerun import must_repeat, rerun_failed
from penstock.lifecycle.rollup import roll_up_group
from penstock.lifecycle.state import JobState, WorkflowState
from penstock.lifecycle.workflow import advance, start
from penstock.model.status import OUTCOME_OF_JOB, JobKind, JobStatus, Outcome, Reason, WorkflowStatus
from penstock.plan.workflow import WorkflowPlan
from tests.support.workflows import workflow_plans

verdicts = st.sampled_from(
    [JobStatus.SUCCESS, JobStatus.SUCCESS, JobStatus.FAILED, JobStatus.TIMEDOUT, JobStatus.CANCELED]
)


class Life(RuleBasedStateMachine):
    """One workflow, its agents, its locks and its timers; every event may come again at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.past: list[AnyEvent] = []
        self.locks: dict[str, deque[str]] = {}
        self.timers: list[RetryDue] = []
        self.queued: set[tuple[str, int]] = set()
        self.stopping: set[str] = set()
        self.ends = 0
        self.graph = Graph(plan=WorkflowPlan(name="none", jobs={}), members={}, dependents={}, rank={})
        self.state = WorkflowState(jobs={})

    @initialize(plan=workflow_plans(), held=st.sampled_from([False, False, True]))
    def make(self, plan: WorkflowPlan, *, held: bool) -> None:
        self.graph = Graph.of(plan)
        first = start(self.graph, held=held)
        assert first.changed == set(plan.jobs)
        self.accept(WorkflowState(jobs={key: JobState() for key in plan.jobs}), first.state, first.effects)
        if not self.state.begun:
            self.timers.clear()

    # What happens

    def send(self, event: AnyEvent) -> None:
        before = self.state
        step = advance(self.graph, before, event)
        changed = {key for key, job in step.state.jobs.items() if job != before.jobs[key]}
        assert step.changed == changed
        if step.state is before:
            assert not step.effects
        if self.is_stale(event):
            assert step.state is before, "an old message was taken for news"
        self.accept(before, step.state, step.effects)
        self.past.append(event)

    def is_stale(self, event: AnyEvent) -> bool:
        """True for the word of an agent, or of a timer, about an attempt that is over."""
        if not isinstance(event, JobStarted | JobFinished | JobLost | RetryDue):
            return False
        job = self.state.jobs[event.key]
        waits = job.status is JobStatus.WAITING and not isinstance(event, RetryDue)
        return event.attempt < job.attempt or waits

    def accept(self, before: WorkflowState, after: WorkflowState, effects: tuple[object, ...]) -> None:
        self.state = after
        for key, job in after.jobs.items():
            self.check_step(key, before.jobs[key], job)
        for effect in effects:
            self.carry_out(effect)
        if before.status.is_terminal:
            assert after is before

    def check_step(self, key: str, before: JobState, after: JobState) -> None:
        """Terminal stays terminal, counters only grow, and nothing begins before its turn."""
        if before.status.is_terminal:
            assert after == before
        assert after.attempt >= before.attempt
        assert after.losses >= before.losses
        assert after.losses <= after.attempt
        begun = after.status in {JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.ON_HOLD, JobStatus.SUCCESS}
        if after != before and (begun or after.status is JobStatus.SKIPPED):
            self.check_needs(key)

    def check_needs(self, key: str) -> None:
        plan = self.graph.plan.jobs[key]
        group = self.graph.plan.groups[plan.group] if plan.group else None
        skipped = self.state.jobs[key].status is JobStatus.SKIPPED
        assert skipped == (not plan.run or (group is not None and not group.run))
        own = plan.needs if group is None or group.run else {}
        for need, accepted in [*own.items(), *(group.needs.items() if group else ())]:
            assert self.outcome(need) in accepted, f"{key} began before {need} allowed it"

    def outcome(self, key: str) -> Outcome | None:
        if key in self.state.jobs:
            return OUTCOME_OF_JOB.get(self.state.jobs[key].status)
        return roll_up_group([self.state.jobs[member] for member in self.graph.members[key]])

    def carry_out(self, effect: object) -> None:
        match effect:
            case Enqueue(key=key, attempt=attempt):
                assert (key, attempt) not in self.queued, "an attempt was queued twice"
                assert self.state.jobs[key].attempt >= attempt
                self.queued.add((key, attempt))
            case StopJob(key=key):
                self.stopping.add(key)
            case AcquireLock(name=name, key=key):
                self.locks.setdefault(name, deque()).append(key)
            case ReleaseLock(name=name, key=key):
                line = self.locks.get(name, deque())
                if key in line:
                    line.remove(key)
            case RetryAfter(key=key, attempt=attempt, seconds=seconds):
                assert seconds > 0
                self.timers.append(RetryDue(key=key, attempt=attempt))
            case WorkflowEnded(status=status, reason=reason):
                self.ends += 1
                assert (status, reason) == (self.state.status, self.state.reason)
            case _:
                pass  # time limits come at random, and the plans have no follow-ups

    def among(self, *statuses: JobStatus) -> list[str]:
        return [key for key, job in self.state.jobs.items() if job.status in statuses]

    def attempt(self, key: str) -> int:
        return self.state.jobs[key].attempt

    @precondition(lambda self: not self.state.begun)
    @rule()
    def begin(self) -> None:
        self.send(Begin())

    @precondition(lambda self: self.among(JobStatus.QUEUED))
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.among(JobStatus.QUEUED)))
        self.send(JobStarted(key=key, attempt=self.attempt(key)))

    @precondition(lambda self: self.among(JobStatus.RUNNING, JobStatus.CANCELING))
    @rule(data=st.data(), status=verdicts)
    def finish(self, data: st.DataObject, status: JobStatus) -> None:
        key = data.draw(st.sampled_from(self.among(JobStatus.RUNNING, JobStatus.CANCELING)))
        self.send(JobFinished(key=key, attempt=self.attempt(key), status=status))

    @precondition(lambda self: self.among(JobStatus.RUNNING, JobStatus.CANCELING))
    @rule(data=st.data(), work_started=st.booleans())
    def lose(self, data: st.DataObject, *, work_started: bool) -> None:
        key = data.draw(st.sampled_from(self.among(JobStatus.RUNNING, JobStatus.CANCELING)))
        self.send(JobLost(key=key, attempt=self.attempt(key), work_started=work_started))

    @precondition(lambda self: any(self.locks.values()))
    @rule(data=st.data())
    def grant(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([name for name, line in self.locks.items() if line]))
        self.send(LockGranted(key=self.locks[name][0]))

    @precondition(lambda self: self.timers)
    @rule(data=st.data())
    def pass_delay(self, data: st.DataObject) -> None:
        self.send(data.draw(st.sampled_from(self.timers)))

    @precondition(lambda self: self.among(JobStatus.ON_HOLD))
    @rule(data=st.data())
    def approve(self, data: st.DataObject) -> None:
        self.send(Approved(key=data.draw(st.sampled_from(self.among(JobStatus.ON_HOLD))), by="ada"))

    @rule(data=st.data())
    def cancel_job(self, data: st.DataObject) -> None:
        self.send(JobCancelRequested(key=data.draw(st.sampled_from(list(self.state.jobs)))))

    @precondition(lambda self: self.among(JobStatus.QUEUED, JobStatus.WAITING))
    @rule(data=st.data(), status=st.sampled_from([JobStatus.UNAUTHORIZED, JobStatus.INFRASTRUCTURE_FAIL]))
    def refuse(self, data: st.DataObject, status: JobStatus) -> None:
        key = data.draw(st.sampled_from(self.among(JobStatus.QUEUED, JobStatus.WAITING)))
        self.send(JobRefused(key=key, status=status, reason=Reason.UNAUTHORIZED))

    @precondition(lambda self: self.graph.members)
    @rule(data=st.data())
    def end_time_of_group(self, data: st.DataObject) -> None:
        self.send(TimeLimitReached(group=data.draw(st.sampled_from(sorted(self.graph.members)))))

    @precondition(lambda self: len(self.past) > 5)
    @rule(event=st.sampled_from([CancelRequested(), TimeLimitReached()]))
    def cancel(self, event: CancelRequested | TimeLimitReached) -> None:
        self.send(event)
        assert self.state.status is WorkflowStatus.CANCELING or self.state.status.is_terminal

    @precondition(lambda self: self.past)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Any message may arrive again; the approvals among them only after their turn, so never early."""
        self.send(data.draw(st.sampled_from(self.past)))

    # What must hold

    @invariant()
    def the_workflow_ends_exactly_when_all_its_jobs_have(self) -> None:
        over = all(job.status.is_terminal for job in self.state.jobs.values())
        reached = self.state.begun or self.state.status is WorkflowStatus.CANCELED
        assert self.state.status.is_terminal == (over and reached)
        assert self.ends == int(self.state.status.is_terminal)

    @invariant()
    def a_lock_has_one_holder_who_was_first_in_line(self) -> None:
        for name, holder in self.state.locks.items():
            assert self.locks[name][0] == holder
            assert lock_name(self.graph.plan.jobs[holder]) == name
            lives = not self.state.jobs[holder].status.is_terminal
            assert lives or self.graph.plan.jobs[holder].kind is JobKind.LOCK

    @invariant()
    def whoever_runs_holds_the_lock_it_asked_for(self) -> None:
        for key in self.among(JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELING):
            name = lock_name(self.graph.plan.jobs[key])
            assert name is None or self.state.locks.get(name) == key

    @invariant()
    def whoever_is_canceling_has_been_told(self) -> None:
        assert self.stopping.issuperset(self.among(JobStatus.CANCELING))

    @invariant()
    def after_the_end_nothing_is_held(self) -> None:
        if self.state.status.is_terminal:
            assert not self.state.locks
            assert not any(self.locks.values())

    @invariant()
    def something_can_always_happen(self) -> None:
        """No workflow is stuck: if it lives, somebody can move it."""
        if self.state.status.is_terminal or not self.state.begun:
            return
        movable = self.among(JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELING, JobStatus.ON_HOLD)
        assert movable or self.among(JobStatus.WAITING)

    def teardown(self) -> None:
        """When agents finish, people approve and delays pass, every workflow ends; and can run again."""
        if not self.graph.plan.jobs:
            return
        self.drain()
        assert self.state.status.is_terminal
        if any(must_repeat(job) for job in self.state.jobs.values()):
            self.check_rerun()
        super().teardown()

    def check_rerun(self) -> None:
        rerun = rerun_failed(self.graph, self.state)
        for key in rerun.kept:
            assert rerun.state.jobs[key] == self.state.jobs[key]
        self.state, self.ends = rerun.state, 0
        self.queued.clear()
        self.locks.clear()
        self.timers.clear()
        self.drain()
        assert self.state.status.is_terminal

    def drain(self) -> None:
        self.send(Begin())
        for _ in range(1000):
            if not self.nudge():
                return
        raise AssertionError("the workflow goes on for ever")

    def nudge(self) -> bool:
        """One thing has happened that has to happen in the end, False when there is none."""
        for key in self.among(JobStatus.QUEUED):
            self.send(JobStarted(key=key, attempt=self.attempt(key)))
            return True
        for key in self.among(JobStatus.RUNNING, JobStatus.CANCELING):
            self.send(JobFinished(key=key, attempt=self.attempt(key), status=JobStatus.SUCCESS))
            return True
        for key in self.among(JobStatus.ON_HOLD):
            self.send(Approved(key=key, by="ada"))
            return True
        return self.nudge_waiting()

    def nudge_waiting(self) -> bool:
        for key in self.among(JobStatus.WAITING):
            name = lock_name(self.graph.plan.jobs[key])
            if name is None or self.state.locks.get(name) == key:
                self.send(RetryDue(key=key, attempt=self.attempt(key)))
                return True
            if self.locks[name][0] == key:
                self.send(LockGranted(key=key))
                return True
        for key in self.among(
            JobStatus.WAITING
        ):  # behind a lock job of its own workflow: a time limit ends it
            self.send(JobCancelRequested(key=key, reason=Reason.TIMEOUT))
            return True
        return False


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None, database=None)
