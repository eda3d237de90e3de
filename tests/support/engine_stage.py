"""Scenarios on the real engine and store, with agents made by hand that do as the script says."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from penstock.engine.control import (
    approve_job,
    cancel_job,
    cancel_workflow,
    rerun_workflow,
    start_follow_up,
    start_workflow,
)
from penstock.engine.effects import LIMIT, RETRY
from penstock.engine.timers import tick
from penstock.engine.verdict import judge_pipeline
from penstock.lifecycle.events import JobRefused, TimeLimitReached
from penstock.model.run import Job, Pipeline, Task, Workflow
from penstock.model.status import JobStatus, Reason, TaskStatus, WorkflowStatus
from penstock.plan.plan import Plan
from penstock.store import followups, jobs, tasks, workflows
from penstock.store.followups import FollowUpStatus
from tests.support.invariants import check_all
from tests.support.lab import HandAgent, Lab
from tests.support.queues import list_queued, list_timers, put_first
from tests.support.stage import Refusal, Repeat, View
from tests.support.world import PASSES, Outcome, Script


class Hands(msgspec.Struct):
    """Who has the copies of a job."""

    agent: HandAgent
    tasks: list[str]


class EngineStage:
    """A stage on which everything happens in rows. Each job that is taken has an agent of its own."""

    def __init__(self, plan: Plan, script: Script, folder: Path) -> None:
        self.lab = Lab(f"sqlite:///{folder}/penstock.db", folder)
        self.started: list[str] = []
        self.held: list[str] = []
        self._plan = msgspec.structs.replace(plan, language="circleci")
        self._script = script
        self._pipelines: list[Pipeline] = []
        self._starts: dict[tuple[str, str], int] = {}
        self._hands: dict[str, Hands] = {}  # by the UUID of the job
        self._limits: dict[int, list[str | None]] = {}
        self._known: set[str] = set()

    def close(self) -> None:
        self.lab.close()

    # What happens.

    def trigger(self) -> None:
        self._pipelines.append(self.lab.trigger(self._plan))
        self.deliver()

    def drain(self) -> None:
        while self._step():
            self.deliver()

    def start(self, name: str, key: str) -> None:
        self._take(self._job(name, key))

    def finish(self, name: str, key: str, outcome: Outcome) -> None:
        self._finish(self._job(name, key), outcome)

    def approve(self, name: str, key: str) -> None:
        approve_job(self.lab.parts, self._job(name, key).uuid, by="ada")

    def cancel(self, name: str, reason: Reason) -> None:
        cancel_workflow(self.lab.parts, self._workflow(name).uuid, reason=reason)

    def cancel_job(self, name: str, key: str) -> None:
        cancel_job(self.lab.parts, self._job(name, key).uuid)

    def end_time(self, name: str, group: str | None) -> None:
        self.lab.send(self._workflow(name).id, TimeLimitReached(group=group))

    def refuse(self, name: str, refusal: Refusal) -> None:
        event = JobRefused(key=refusal.job, status=refusal.status, reason=refusal.reason)
        self.lab.send(self._workflow(name).id, event)

    def begin(self, name: str) -> None:
        start_workflow(self.lab.parts, self._workflow(name).uuid, by="ada")

    def follow(self, name: str, follow_up: str, arguments: Mapping[str, str | int | bool]) -> None:
        uuid = self._workflow(name).uuid
        start_follow_up(self.lab.parts, uuid, follow_up, by="ada", parameters=arguments)

    def repeat(self, name: str, repeat: Repeat) -> None:
        chosen = [self._job(name, key).uuid for key in repeat.jobs]
        rerun_workflow(
            self.lab.parts,
            self._workflow(name).uuid,
            from_failed=repeat.from_failed,
            chosen=chosen,
            sparse=repeat.sparse,
        )

    def deliver(self) -> None:
        """Note what the rows say for a while only: follow-ups before a person starts them, and limits."""
        for workflow in self._every().values():
            with self.lab.parts.db.read() as tx:
                for record in followups.followups_of(tx, workflow.id):
                    if record.uuid not in self._known and not record.actor:
                        is_held = record.status is FollowUpStatus.HELD
                        (self.held if is_held else self.started).append(record.name)
                    self._known.add(record.uuid)
        for timer in list_timers(self.lab.parts.db, LIMIT):
            known = self._limits.setdefault(timer.payload["workflow"], [])
            if timer.payload["group"] not in known:
                known.append(timer.payload["group"])

    # How it looks.

    def names(self) -> list[str]:
        return list(self._every())

    def look(self, name: str) -> View:
        workflow = self._workflow(name)
        with self.lab.parts.db.read() as tx:
            every = jobs.jobs_of(tx, workflow.id)
        looks = {job.key: (job.status, job.reason, job.attempt) for job in every}
        limits = self._limits.get(workflow.id, [])
        return View(status=workflow.status, reason=workflow.reason, jobs=looks, limits=limits)

    def verdict(self) -> WorkflowStatus:
        pipeline, memory = self._pipelines[0], self.lab.parts.memory
        with self.lab.parts.db.read() as tx:
            every = workflows.workflows_of(tx, pipeline.id)
            standing = judge_pipeline(tx, lambda row_id: memory.facts(tx, row_id), pipeline.id, every)
        return standing.outcome or WorkflowStatus.NOT_RUN

    def check(self) -> None:
        check_all(self.lab.parts, self.lab.changes)

    def _every(self) -> dict[str, Workflow]:
        """All workflows by the names that scenarios give them."""
        found: list[tuple[int, int, Workflow]] = []
        with self.lab.parts.db.read() as tx:
            for number, pipeline in enumerate(self._pipelines, start=1):
                found += [(each.id, number, each) for each in workflows.workflows_of(tx, pipeline.id)]
        named: dict[str, Workflow] = {}
        seen: dict[str, int] = {}
        for _, number, workflow in sorted(found, key=lambda entry: entry[0]):
            base = workflow.key if number == 1 else f"{number}/{workflow.key}"
            seen[base] = seen.get(base, 0) + 1
            named[f"{base}~{seen[base]}" if seen[base] > 1 else base] = workflow
        return named

    def _workflow(self, name: str) -> Workflow:
        return self._every()[name]

    def _job(self, name: str, key: str) -> Job:
        with self.lab.parts.db.read() as tx:
            job = jobs.job_by_key(tx, self._workflow(name).id, key)
        assert job is not None, f"{name} has no job {key}"
        return job

    # What agents do.

    def _step(self) -> bool:
        """One thing has moved, or False: an agent confirms a stop, takes a job, or a delay passes."""
        for workflow in self._every().values():
            with self.lab.parts.db.read() as tx:
                stopping = [job for job in jobs.jobs_of(tx, workflow.id) if job.status is JobStatus.CANCELING]
            if stopping:
                self._finish(stopping[0], Outcome("canceled"))
                return True
        queued = list_queued(self.lab.parts.db)
        if queued:
            self._play(queued[0])
            return True
        delays = list_timers(self.lab.parts.db, RETRY)
        if delays:
            self.lab.clock.advance(max(delays[0].due_at - self.lab.clock.now(), 0) / 1000)
            tick(self.lab.parts)
        return bool(delays)

    def _play(self, task: Task) -> None:
        """Agents have taken the task's job and brought it to the end its script has for it."""
        with self.lab.parts.db.read() as tx:
            job = jobs.get_job(tx, task.job_id)
        assert job is not None
        outcomes = self._script.get(job.key, PASSES)
        count = self._starts.get((job.uuid, job.key), 0)
        outcome = outcomes[min(count, len(outcomes) - 1)]
        if outcome.status == "unauthorized":
            self._starts[job.uuid, job.key] = count + 1
            refused = JobRefused(key=job.key, status=JobStatus.UNAUTHORIZED, reason=Reason.UNAUTHORIZED)
            self.lab.send(job.workflow_id, refused)
            return
        self._take(job)
        if outcome.status != "hang":
            self._finish(job, outcome)

    def _take(self, job: Job) -> None:
        """An agent has all copies of the job; the first step has not begun."""
        put_first(self.lab.parts.db, job.id)
        with self.lab.parts.db.read() as tx:
            labels = jobs.load_plan(tx, job.id).executor.labels
        agent = self.lab.agent(slots=job.parallelism, labels=labels)
        given = agent.claim(job.parallelism)
        assert {assignment.job for assignment in given} == {job.uuid}, "another job was in the way"
        self._starts[job.uuid, job.key] = self._starts.get((job.uuid, job.key), 0) + 1
        self._hands[job.uuid] = Hands(agent, [assignment.task for assignment in given])
        agent.sync(*(agent.started(assignment.task) for assignment in given))

    def _finish(self, job: Job, outcome: Outcome) -> None:
        hands = self._hands[job.uuid]
        agent = hands.agent
        if outcome.status in {"lost", "lost_before_work"}:
            if outcome.status == "lost":
                agent.sync(*(agent.step_started(task) for task in hands.tasks))
            self._lose(job)
            return
        status = TaskStatus(outcome.status)
        agent.sync(*(agent.finished(task, status, outcome.reason) for task in hands.tasks))

    def _lose(self, job: Job) -> None:
        """Time passes for this job alone: its lease ends, nobody else's does."""
        with self.lab.parts.db.write() as tx:
            held = [task for task in tasks.tasks_of(tx, job.id) if task.lease_until is not None]
            past = self.lab.clock.now() - 1
            tasks.update_tasks(tx, [tasks.TaskChange(id=task.id, lease_until=past) for task in held])
        tick(self.lab.parts)
