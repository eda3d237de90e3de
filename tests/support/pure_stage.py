"""Scenarios on the pure functions of the lifecycle, with the small engine of `world`."""

from collections.abc import Mapping

from penstock.lifecycle.events import (
    Approved,
    Begin,
    CancelRequested,
    JobCancelRequested,
    JobRefused,
    TimeLimitReached,
)
from penstock.lifecycle.rerun import rerun_failed, rerun_jobs, rerun_whole
from penstock.model.status import Reason, WorkflowStatus
from penstock.plan.plan import Plan
from tests.support.stage import Refusal, Repeat, View
from tests.support.world import Outcome, Script, World


class PureStage:
    """A stage on which everything happens in memory."""

    def __init__(self, plan: Plan, script: Script) -> None:
        self.world = World(plan, script)
        self.started = self.world.started
        self.held = self.world.held

    def trigger(self) -> None:
        self.world.trigger()

    def drain(self) -> None:
        self.world.drain()

    def start(self, name: str, key: str) -> None:
        entry = next(entry for entry in self.world.queue if entry[:2] == (name, key))
        self.world.queue.remove(entry)
        self.world.begin(*entry)
        self.world.deliver()

    def finish(self, name: str, key: str, outcome: Outcome) -> None:
        self.world.finish(name, key, outcome)

    def approve(self, name: str, key: str) -> None:
        self.world.send(name, Approved(key=key, by="ada"))

    def cancel(self, name: str, reason: Reason) -> None:
        self.world.send(name, CancelRequested(reason=reason))

    def cancel_job(self, name: str, key: str) -> None:
        self.world.send(name, JobCancelRequested(key=key))

    def end_time(self, name: str, group: str | None) -> None:
        self.world.send(name, TimeLimitReached(group=group))

    def refuse(self, name: str, refusal: Refusal) -> None:
        self.world.send(name, JobRefused(key=refusal.job, status=refusal.status, reason=refusal.reason))

    def begin(self, name: str) -> None:
        self.world.send(name, Begin())

    def follow(self, name: str, follow_up: str, arguments: Mapping[str, str | int | bool]) -> None:
        del arguments  # which the lifecycle knows nothing of
        self.world.follow(self.world.runs[name], follow_up)

    def repeat(self, name: str, repeat: Repeat) -> None:
        run = self.world.runs[name]
        if repeat.from_failed:
            again = rerun_failed(run.graph, run.state)
        elif repeat.jobs:
            again = rerun_jobs(run.graph, run.state, repeat.jobs, sparse=repeat.sparse)
        else:
            again = rerun_whole(run.graph, run.state)
        self.world.rerun(name, again)

    def deliver(self) -> None:
        self.world.deliver()

    def names(self) -> list[str]:
        return list(self.world.runs)

    def look(self, name: str) -> View:
        run = self.world.runs[name]
        jobs = {key: (job.status, job.reason, job.attempt) for key, job in run.state.jobs.items()}
        return View(status=run.state.status, reason=run.state.reason, jobs=jobs, limits=run.limits)

    def verdict(self) -> WorkflowStatus:
        return self.world.verdict()

    def check(self) -> None:
        """A workflow says once that it ended, no attempt is queued twice, nothing dead holds a lock."""
        for run in self.world.runs.values():
            assert run.ended == int(run.state.status.is_terminal)
            assert len(run.enqueued) == len(set(run.enqueued))
            assert not run.state.locks or not run.state.status.is_terminal
