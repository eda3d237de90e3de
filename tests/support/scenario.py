"""Scenarios as folders: a plan or config, what happens, how it must look then; see the README there."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import yaml

from penstock.language import circleci
from penstock.language.common.context import Context
from penstock.model.status import Reason, WorkflowStatus
from penstock.plan.plan import Plan
from tests.support.compact import read_plan
from tests.support.stage import Refusal, Repeat, Stage, View
from tests.support.world import Outcome, Script

Names = str | list[str]


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
    arguments: dict[str, str | int | bool] = {}  # of the follow-up
    rerun: Repeat | None = None
    expect: Looks | None = None


class Trigger(msgspec.Struct, forbid_unknown_fields=True):
    """What a config is compiled for."""

    branch: str = "main"
    tag: str = ""
    parameters: dict[str, str | int | bool] = {}


class Events(msgspec.Struct, forbid_unknown_fields=True):
    trigger: Trigger = msgspec.field(default_factory=Trigger)
    outcomes: dict[str, str | list[str | Outcome]] = {}
    steps: list[Action] = []


Make = Callable[[Plan, Script], Stage]


def play(folder: Path, make: Make) -> Stage:
    """The stage after the scenario's events; what it expects on the way has been checked."""
    events = msgspec.convert(yaml.safe_load((folder / "events.yml").read_text()) or {}, Events)
    stage = make(load_plan(folder, events.trigger), read_script(events))
    stage.trigger()
    for action in events.steps or [Action(run=True)]:
        act(stage, action)
        stage.deliver()
        if action.expect is not None:
            assert_looks(action.workflow, stage.look(action.workflow), action.expect)
    return stage


def load_plan(folder: Path, trigger: Trigger) -> Plan:
    """The plan of the scenario: `plan.yml`, `plan.json`, or what `config.yml` compiles to."""
    for path in (folder / "plan.yml", folder / "plan.json"):
        if path.exists():
            return read_plan(path)
    branch = "" if trigger.tag else trigger.branch
    values = {
        "pipeline.git.branch": branch or None,
        "pipeline.git.tag": trigger.tag or None,
        "pipeline.number": 1,
    }
    context = Context(branch=branch, tag=trigger.tag, parameters=trigger.parameters, values=values)
    plan = circleci.compile((folder / "config.yml").read_text(), context)
    assert plan.diagnostics == (), plan.diagnostics
    return plan


def read_script(events: Events) -> Script:
    return {
        key: [read_outcome(item) for item in (listed if isinstance(listed, list) else [listed])]
        for key, listed in events.outcomes.items()
    }


def read_outcome(item: str | Outcome) -> Outcome:
    return Outcome(item) if isinstance(item, str) else item


def names(value: Names) -> list[str]:
    return [value] if isinstance(value, str) else value


def act(stage: Stage, action: Action) -> None:
    """What the line says has happened, in the order of the fields of `Action`."""
    name = action.workflow
    if action.trigger:
        stage.trigger()
    if action.run:
        stage.drain()
    for key in names(action.start):
        stage.start(name, key)
    for key, outcome in action.finish.items():
        stage.finish(name, key, read_outcome(outcome))
    for key in names(action.approve):
        stage.approve(name, key)
    intervene(stage, action)
    if action.rerun is not None:
        stage.repeat(name, action.rerun)


def intervene(stage: Stage, action: Action) -> None:
    name = action.workflow
    if action.cancel is not None:
        stage.cancel(name, action.cancel)
    for key in names(action.cancel_job):
        stage.cancel_job(name, key)
    if action.time_limit is not None:
        stage.end_time(name, None if action.time_limit == "workflow" else action.time_limit)
    if action.refuse is not None:
        stage.refuse(name, action.refuse)
    if action.begin:
        stage.begin(name)
    if action.follow_up is not None:
        stage.follow(name, action.follow_up, action.arguments)


def read_expected(folder: Path) -> Expected:
    return msgspec.convert(yaml.safe_load((folder / "expected.yml").read_text()), Expected)


def assert_looks(name: str, view: View, looks: Looks) -> None:
    """The workflow has the status and every job the text that were expected."""
    actual = {
        key: f"{status} {reason}" if " " in looks.jobs.get(key, "") else status.value
        for key, (status, reason, _) in view.jobs.items()
    }
    assert (view.status, actual) == (looks.status, looks.jobs or actual), name
    if looks.reason is not None:
        assert view.reason is looks.reason, name
    for key, attempts in looks.attempts.items():
        assert view.jobs[key][2] == attempts, f"attempts of {key} in {name}"
    if looks.limits is not None:
        assert view.limits == looks.limits, name
