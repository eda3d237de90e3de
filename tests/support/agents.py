"""Agents at work in the test's process, and assignments for them."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TypedDict, Unpack

from penstock.agent.executor.base import Executor
from penstock.agent.executor.host import HostExecutor
from penstock.agent.loop import Agent
from penstock.agent.tuning import Tuning
from penstock.model.project import SshKey
from penstock.plan.step import AnyStep, Run
from penstock.plan.workflow import JobPlan
from penstock.wire.messages import Assignment, Layer, Source
from tests.support.transport import FakeServer

QUICK = Tuning(
    grace=0.3, background_grace=0.3, clean_up=5.0, poll=5.0, retry=0.05, farewell=1.0, persistence=0.5
)
_numbers = count(1)


class Silent:
    """Watches a place being prepared and says nothing."""

    def say(self, text: str) -> None:
        """Nobody listens."""

    def breathe(self) -> None:
        """Nobody is in a hurry."""


class Details(TypedDict, total=False):
    """What an assignment may have besides its steps."""

    environment: Mapping[str, str]
    secrets: tuple[str, ...]
    keys: tuple[SshKey, ...]
    source: Source
    layers: tuple[Layer, ...]
    timings: Mapping[str, Mapping[str, float]]
    failed: Mapping[str, Sequence[str]]
    number: int
    index: int
    total: int
    lease: float
    continues: bool


def assign(*steps: AnyStep | str, job: JobPlan | None = None, **details: Unpack[Details]) -> Assignment:
    """A task with these steps; a text is a run step of that name and command."""
    made = tuple(Run(name=step, command=step) if isinstance(step, str) else step for step in steps)
    base = job or JobPlan(name="job")
    plan = JobPlan(
        name=base.name,
        executor=base.executor,
        environment=base.environment,
        shell=base.shell,
        working_directory=base.working_directory,
        time_limit=base.time_limit,
        steps=made,
    )
    number = next(_numbers)
    given = {"index": 0, "total": 1, **details}
    return Assignment(task=f"task-{number}", job="job", attempt=1, language="circleci", plan=plan, **given)  # type: ignore[arg-type] # the keys are those of Details


@contextmanager
def agent_at_work(
    server: FakeServer, executor: Executor, *, slots: int = 1, tuning: Tuning = QUICK, name: str = "agent"
) -> Iterator[Agent]:
    """An agent that runs until the block ends; it then ends in good order, at once."""
    agent = Agent(server, lambda _: executor, name=name, slots=slots, tuning=tuning)
    thread = threading.Thread(target=agent.run)
    thread.start()
    try:
        yield agent
    finally:
        agent.stop(now=True)
        thread.join(30)
        assert not thread.is_alive(), "the agent did not end"
        executor.close()


class Bench:
    """A server, a host executor and an agent, for tests that only care about tasks."""

    def __init__(self, server: FakeServer, agent: Agent, work: Path) -> None:
        self.server = server
        self.agent = agent
        self.work = work

    def run(self, *steps: AnyStep | str, job: JobPlan | None = None, **details: Unpack[Details]) -> str:
        """Run a task to its end; returns its id."""
        assignment = assign(*steps, job=job, **details)
        self.server.give(assignment)
        self.server.finish_of(assignment.task)
        return assignment.task


@contextmanager
def host_bench(work: Path, *, slots: int = 1, tuning: Tuning = QUICK) -> Iterator[Bench]:
    """A bench whose jobs run below the folder."""
    server = FakeServer()
    with agent_at_work(server, HostExecutor(work, adopts=False), slots=slots, tuning=tuning) as agent:
        yield Bench(server, agent, work)
