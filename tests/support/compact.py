"""Plans in a few lines: what tests and scenarios write instead of whole plan structs.

A mapping is a plan where everything that has a default may be left out, and besides:

- a job or group may be null, its name is then its key;
- `needs` may be a list of keys, or a mapping of keys to one outcome, a list of them, or `terminal`;
- `retry` and `rescue` may be a number of attempts;
- a follow-up's `when` may be a list of outcomes, or `any`;
- steps without a `kind` are commands: `- echo hello`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import yaml

from penstock.model.status import Outcome
from penstock.plan.plan import Plan
from penstock.plan.workflow import JobPlan, WorkflowPlan

Compact = Mapping[str, object]


def read_plan(path: Path) -> Plan:
    """The plan in a file of this form (or in plain JSON, which is the same without the short cuts)."""
    return make_plan(yaml.safe_load(path.read_text()))


def make_plan(compact: Compact) -> Plan:
    """The plan; its language is `compact` unless it says otherwise."""
    workflows = each(compact.get("workflows"), widen_workflow)
    return msgspec.convert({"language": "compact", **compact, "workflows": workflows}, Plan)


def make_workflow(compact: Compact) -> WorkflowPlan:
    """One workflow in the same form."""
    return msgspec.convert(widen_workflow("main", compact), WorkflowPlan)


def make_jobs(**jobs: Compact | None) -> WorkflowPlan:
    """A workflow of these jobs and nothing else."""
    return make_workflow({"jobs": jobs})


def each(nodes: object, widen: Callable[[str, Compact], Compact]) -> dict[str, Compact]:
    if not isinstance(nodes, Mapping):
        return {}
    return {key: widen(key, node or {}) for key, node in nodes.items()}


def widen_workflow(key: str, compact: Compact) -> Compact:
    follow_ups = [widen_follow_up(entry) for entry in as_list(compact.get("follow_ups"))]
    return {
        "name": key,
        **compact,
        "jobs": each(compact.get("jobs"), widen_job),
        "groups": each(compact.get("groups"), widen_job),
        "follow_ups": follow_ups,
    }


def widen_job(key: str, compact: Compact) -> Compact:
    job: dict[str, object] = {"name": key, **compact}
    if "needs" in job:
        job["needs"] = widen_needs(job["needs"])
    for rule in ("retry", "rescue"):
        if isinstance(job.get(rule), int):
            job[rule] = {"attempts": job[rule]}
    if "steps" in job:
        job["steps"] = [
            {"kind": "run", "name": step, "command": step} if isinstance(step, str) else step
            for step in as_list(job["steps"])
        ]
    return job


def widen_needs(needs: object) -> dict[str, list[object]]:
    if not isinstance(needs, Mapping):
        return {str(key): [Outcome.SUCCESS] for key in as_list(needs)}
    every: list[object] = list(Outcome)
    return {key: every if accepted == "terminal" else as_list(accepted) for key, accepted in needs.items()}


def widen_follow_up(entry: object) -> dict[str, object]:
    assert isinstance(entry, Mapping)
    follow_up = dict(entry)
    if "when" in follow_up:
        named = list(Outcome) if follow_up["when"] == "any" else as_list(follow_up["when"])
        follow_up["when"] = [{"outcome": item} if isinstance(item, str) else item for item in named]
    return follow_up


def as_list(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def job_plan(**fields: object) -> JobPlan:
    """A job with these fields, in the same form."""
    return msgspec.convert(widen_job("job", fields), JobPlan)
