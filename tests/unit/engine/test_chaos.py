"""Any plan, anything that can happen, in any order: the rows stay true, and everything comes to an end."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from penstock.engine.control import (
    approve_job,
    cancel_job,
    cancel_pipeline,
    cancel_workflow,
    rerun_workflow,
)
from penstock.engine.timers import tick
from penstock.model.errors import RefusedError
from penstock.model.run import Job, Workflow
from penstock.model.status import JobStatus, TaskStatus
from penstock.plan.plan import Plan
from penstock.plan.workflow import WorkflowPlan
from penstock.store import jobs
from tests.support.invariants import check_all, check_memory
from tests.support.lab import LAPSE, HandAgent, Lab
from tests.support.workflows import workflow_plans

VERDICTS = st.sampled_from(
    [TaskStatus.SUCCESS] * 4 + [TaskStatus.FAILED, TaskStatus.TIMEDOUT, TaskStatus.CANCELED]
)
MOST_ROUNDS = 400


class Chaos:
    """An engine to which things happen. What is drawn picks from what is there."""

    def __init__(self, folder: Path, plan: WorkflowPlan) -> None:
        self.lab = Lab(f"sqlite:///{folder}/penstock.db", folder)
        self.plan = Plan(language="circleci", workflows={"main": plan, "twin": plan})
        self.agents: list[HandAgent] = [self.lab.agent() for _ in range(3)]

    def act(self, data: st.DataObject) -> None:
        """One thing happens."""
        kinds = ["claim"] * 4 + ["end"] * 6 + ["begin"] * 2
        kinds += ["trigger", "lapse", "doze", "cancel", "cancel_job", "approve", "rerun", "twice"]
        match data.draw(st.sampled_from(kinds)):
            case "trigger":
                if len(self.lab.every_pipeline()) < 3:
                    self.lab.trigger(self.plan)
            case "claim":
                self.pick(data).claim(data.draw(st.integers(1, 3)))
            case "begin" | "end" | "twice" as what:
                self.report(data, what)
            case "lapse":
                self.lapse(self.pick(data))
            case "doze":
                self.doze(data.draw(st.sampled_from([1, 5, 9, 20])))
            case other:
                self.intervene(data, other)

    def pick(self, data: st.DataObject) -> HandAgent:
        return data.draw(st.sampled_from(self.agents))

    def report(self, data: st.DataObject, what: str) -> None:
        agent = self.pick(data)
        if not agent.held:
            return
        task = data.draw(st.sampled_from(sorted(agent.held)))
        events = (agent.started(task), agent.step_started(task))
        if what != "begin":
            events = (*events, agent.finished(task, data.draw(VERDICTS)))  # type: ignore[assignment]  # longer
        agent.sync(*events)
        if what == "twice":
            agent.sync(*events)

    def lapse(self, lost: HandAgent) -> None:
        """One agent is silent for too long; the others are not."""
        self.lab.clock.advance(LAPSE)
        for agent in self.agents:
            if agent is not lost:
                agent.sync()
        tick(self.lab.parts)

    def doze(self, seconds: float) -> None:
        self.lab.clock.advance(seconds)
        for agent in self.agents:
            agent.sync()
        tick(self.lab.parts)

    def intervene(self, data: st.DataObject, what: str) -> None:
        """A person does something; whoever is too late is told so."""
        every = list(self.workflows())
        if not every:
            return
        workflow = data.draw(st.sampled_from(every))
        parts = self.lab.parts
        try:
            match what:
                case "cancel":
                    if data.draw(st.booleans()):
                        cancel_workflow(parts, workflow.uuid)
                    else:
                        cancel_pipeline(parts, self.lab.every_pipeline()[0].uuid)
                case "rerun":
                    if len(every) < 8:
                        rerun_workflow(parts, workflow.uuid, from_failed=data.draw(st.booleans()))
                case _:
                    job = data.draw(st.sampled_from(self.jobs(workflow)))
                    if what == "approve":
                        approve_job(parts, job.uuid, by="ada")
                    else:
                        cancel_job(parts, job.uuid)
        except RefusedError:
            pass

    def workflows(self) -> Iterator[Workflow]:
        for pipeline in self.lab.every_pipeline():
            yield from self.lab.workflows(pipeline)

    def jobs(self, workflow: Workflow) -> list[Job]:
        with self.lab.parts.db.read() as tx:
            return jobs.jobs_of(tx, workflow.id)

    def finish(self) -> None:
        """People approve, agents work, time passes: then all workflows have ended."""
        alive: list[Workflow] = []
        for _ in range(MOST_ROUNDS):
            alive = [workflow for workflow in self.workflows() if not workflow.status.is_terminal]
            if not alive:
                return
            for workflow in alive:
                for job in self.jobs(workflow):
                    if job.status is JobStatus.ON_HOLD:
                        approve_job(self.lab.parts, job.uuid, by="ada")
            for agent in self.agents:
                agent.claim(4)
                for task in tuple(agent.held):
                    agent.end(task)
            self.doze(900)  # who waits for what never comes gives up after hours
        raise AssertionError(f"still alive: {[(each.name, each.status) for each in alive]}")


@given(plan=workflow_plans(), data=st.data())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
def test_whatever_happens_the_rows_stay_true_and_everything_ends(
    plan: WorkflowPlan, data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        chaos = Chaos(Path(folder), plan)
        try:
            chaos.lab.trigger(chaos.plan)
            for _ in range(data.draw(st.integers(0, 25))):
                chaos.act(data)
                check_all(chaos.lab.parts, chaos.lab.changes)
            chaos.finish()
            check_all(chaos.lab.parts, chaos.lab.changes, over=True)
            check_memory(chaos.lab.parts)
        finally:
            chaos.lab.close()
