"""What a broken or hostile agent may say within the form of messages: its own tasks suffer, nothing else."""

from collections.abc import Callable

import pytest

from penstock.model.errors import PenstockError
from penstock.model.status import Reason, StepStatus, TaskStatus
from penstock.wire.messages import (
    AnyEvent,
    ArtifactStored,
    CacheSaved,
    LayerSaved,
    LogOutput,
    StepFinished,
    StepStarted,
    Sync,
    TaskFinished,
    TaskStarted,
)
from penstock.wire.messages import TestReport as ReportStored
from tests.support.lab import HandAgent, Lab

HUGE = 2**63
TEXTS = ["", "\0", "a\0b", "\ud800", "x" * 1_000_000, "../../etc/passwd", "🦆" * 1000, "\x1b[31m"]
NUMBERS = [-1, 0, 2**31, 2**53, HUGE - 1, HUGE, 2**64 - 1]

Make = Callable[[str, int, int, str], AnyEvent]

EVENTS: dict[str, Make] = {
    "started": lambda task, number, at, _: TaskStarted(task=task, sequence=number, at=at),
    "step": lambda task, number, at, text: StepStarted(
        task=task, sequence=2, at=at, step=number, name=text, kind=text
    ),
    "step end": lambda task, number, at, text: StepFinished(
        task=task, sequence=2, at=at, step=0, status=StepStatus.FAILED, exit_code=number, message=text
    ),
    "log": lambda task, number, at, text: LogOutput(
        task=task,
        sequence=2,
        at=at,
        step=number,
        offset=number,
        size=number,
        first_line=number,
        lines=number,
        data=text.encode(errors="replace") or b"x",
    ),
    "artifact": lambda task, number, at, text: ArtifactStored(
        task=task, sequence=2, at=at, path=text, size=number, blob=f"artifact/{task[-2:]}/{task}/{text}"
    ),
    "report": lambda task, number, at, text: ReportStored(
        task=task, sequence=2, at=at, source=text, size=number, blob=f"test-report/{task[-2:]}/{task}/{text}"
    ),
    "cache": lambda task, number, at, text: CacheSaved(
        task=task, sequence=2, at=at, key=text, size=number, blob=f"cache/{task[-2:]}/{task}/x"
    ),
    "layer": lambda task, number, at, text: LayerSaved(
        task=task, sequence=2, at=at, size=number, blob=f"layer/{task[-2:]}/{task}/{text}"
    ),
    "end": lambda task, _, at, text: TaskFinished(
        task=task, sequence=2, at=at, status=TaskStatus.FAILED, reason=Reason.TEST, message=text
    ),
}


def say(lab: Lab, agent: HandAgent, event: AnyEvent) -> None:
    """Say it; to be refused with a sentence is fine."""
    try:
        lab.gateway.sync(Sync(agent=agent.uuid, events=(event,), holding=(event.task,)))
    except PenstockError:
        return


@pytest.mark.parametrize("make", EVENTS.values(), ids=EVENTS.keys())
def test_extreme_values_harm_only_the_task(lab: Lab, make: Make) -> None:
    agent, good = lab.agent(slots=100), lab.agent()
    for number, text in [*((number, "x") for number in NUMBERS), *((0, text) for text in TEXTS)]:
        lab.run({"a": None})
        task = agent.take()
        say(lab, agent, make(task, number, number, text))
        agent.held.pop(task, None)
    pipeline = lab.run({"b": None})
    good.work()
    assert lab.jobs(pipeline) == {"b": "success"}


NAMES = ["", "x", "\0", "\ud800", "'; DROP TABLE tasks", "0" * 36, "é" * 100]


def test_tasks_of_any_name_are_unknown(lab: Lab) -> None:
    agent = lab.agent()
    for task in NAMES:
        say(lab, agent, TaskStarted(task=task, sequence=1, at=0))
        answer = lab.gateway.sync(Sync(agent=agent.uuid, holding=(task,), free=1))
        assert answer.lost == (task,)


def test_offers_are_bounded_by_what_the_agent_has(lab: Lab) -> None:
    for wait in (-1.0, float("nan"), float("-inf"), 0.0):
        for free in (-1, 0, 2**31, 2**64 - 1):
            agent = lab.agent(slots=2)
            for _ in range(3):
                lab.run({"a": None})
            answer = lab.gateway.sync(Sync(agent=agent.uuid, free=free, wait=wait))
            assert len(answer.assignments) == (2 if free > 0 else 0)
