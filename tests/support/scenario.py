"""Scenarios as folders: a plan, what happens, and how it must look then; the README has the format."""

from pathlib import Path

import msgspec
import yaml

from penstock.lifecycle.events import (
    Approved,
    Begin,
    CancelRequested,
    JobCancelRequested,
    JobRefused,
    TimeLimitReached,
)
from penstock.lifecycle.rerun import rerun_failed, rerun_jobs, rerun_whole
from penstock.model.status import JobStatus, Reason, WorkflowStatus
from penstock.plan.plan import Plan
from tests.support.compact import read_plan
from tests.support.world import Outcome, Running, Script, World

Names = str | list[str]


class Refusal(msgspec.Struct, forbid_unknown_fields=True):
    job: str
    status: JobStatus
    reason: Reason = Reason.NONE


class Repeat(msgspec.Struct, forbid_unknown_fields=True):
    jobs: list[str] = []
    from_failed: bool = False
    sparse: bool = False


class Looks(msgspec.Struct, forbid_unknown_fields=True):
    """How a workflow must look; a job's text is a status, perhaps followed by a reason."""

    status: WorkflowStatus
    jobs: dict[str, str] = {}
    reason: Reason | None = None
    attempts: dict[str, int] = {}
    limits: list[str | None] | None = None


class FollowUps(msgspec.Struct, forbid_unknown_fields=True):
    started: list[str] = []
    held: list[str] = []


class Expected(msgspec.Struct, forbid_unknown_fields=True):
    workflows: dict[str, Looks]
    pipeline: WorkflowStatus
    follow_ups: FollowUps = msgspec.field(default_factory=FollowUps)


class Action(msgspec.Struct, forbid_unknown_fields=True):
    """One line of the script; `workflow` is the one it is about, `main` if not said."""

    workflow: str = "main"
    trigger: bool = False
    run: bool = False
    start: Names = []
    finish: dict[str, str | Outcome] = {}
    approve: Names = []
    cancel: Reason | None = None
    cancel_job: Names = []
    time_limit: str | None = None
    refuse: Refusal | None = None
    begin: bool = False
    follow_up: str | None = None
    rerun: Repeat | None = None
    expect: Looks | None = None


class Events(msgspec.Struct, forbid_unknown_fields=True):
    outcomes: dict[str, str | list[str | Outcome]] = {}
    steps: list[Action] = []


def play(folder: Path) -> World:
    """The world after the scenario's events; what it expects on the way has been checked."""
    events = msgspec.convert(yaml.safe_load((folder / "events.yml").read_text()) or {}, Events)
    world = World(load_plan(folder), read_script(events))
    world.trigger()
    for action in events.steps or [Action(run=True)]:
        act(world, action)
        world.deliver()
        if action.expect is not None:
            assert_looks(world.runs[action.workflow], action.expect)
    return world


def load_plan(folder: Path) -> Plan:
    """The plan of the scenario, from `plan.yml` or `plan.json`."""
    path = folder / "plan.yml"
    return read_plan(path if path.exists() else folder / "plan.json")


def read_script(events: Events) -> Script:
    return {
        key: [read_outcome(item) for item in (listed if isinstance(listed, list) else [listed])]
        for key, listed in events.outcomes.items()
    }


def read_outcome(item: str | Outcome) -> Outcome:
    return Outcome(item) if isinstance(item, str) else item


def names(value: Names) -> list[str]:
    return [value] if isinstance(value, str) else value


def act(world: World, action: Action) -> None:
    """What the line says has happened, in the order of the fields of `Action`."""
    name = action.workflow
    if action.trigger:
        world.trigger()
    if action.run:
        world.drain()
    for key in names(action.start):
        entry = next(entry for entry in world.queue if entry[:2] == (name, key))
        world.queue.remove(entry)
        world.begin(*entry)
        world.deliver()
    for key, outcome in action.finish.items():
        world.finish(name, key, read_outcome(outcome))
    for key in names(action.approve):
        world.send(name, Approved(key=key, by="ada"))
    intervene(world, action)
    repeat(world, action)


def intervene(world: World, action: Action) -> None:
    name = action.workflow
    if action.cancel is not None:
        world.send(name, CancelRequested(reason=action.cancel))
    for key in names(action.cancel_job):
        world.send(name, JobCancelRequested(key=key))
    if action.time_limit is not None:
        group = None if action.time_limit == "workflow" else action.time_limit
        world.send(name, TimeLimitReached(group=group))
    if action.refuse is not None:
        refusal = action.refuse
        world.send(name, JobRefused(key=refusal.job, status=refusal.status, reason=refusal.reason))
    if action.begin:
        world.send(name, Begin())
    if action.follow_up is not None:
        world.follow(world.runs[name], action.follow_up)


def repeat(world: World, action: Action) -> None:
    if action.rerun is None:
        return
    run = world.runs[action.workflow]
    if action.rerun.from_failed:
        again = rerun_failed(run.graph, run.state)
    elif action.rerun.jobs:
        again = rerun_jobs(run.graph, run.state, action.rerun.jobs, sparse=action.rerun.sparse)
    else:
        again = rerun_whole(run.graph, run.state)
    world.rerun(run.name, again)


def read_expected(folder: Path) -> Expected:
    return msgspec.convert(yaml.safe_load((folder / "expected.yml").read_text()), Expected)


def assert_looks(run: Running, looks: Looks) -> None:
    """The workflow has the status and every job the text that were expected."""
    actual = {
        key: f"{job.status} {job.reason}" if " " in looks.jobs.get(key, "") else job.status.value
        for key, job in run.state.jobs.items()
    }
    assert (run.state.status, actual) == (looks.status, looks.jobs or actual), run.name
    if looks.reason is not None:
        assert run.state.reason is looks.reason, run.name
    for key, attempt in looks.attempts.items():
        assert run.state.jobs[key].attempt == attempt, f"attempts of {key} in {run.name}"
    if looks.limits is not None:
        assert run.limits == looks.limits, run.name
