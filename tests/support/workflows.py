"""Random workflows a compiler could have made: groups, approvals, locks, retries, fail-fast, no cycles."""

import hypothesis.strategies as st
import msgspec

from penstock.model.status import JobKind, Outcome
from penstock.plan.step import Retry
from penstock.plan.workflow import (
    EVERY_OUTCOME,
    PASSED,
    FailFast,
    GroupPlan,
    JobPlan,
    QueueRule,
    WorkflowPlan,
)

accepted_outcomes = st.sampled_from(
    [PASSED, PASSED, PASSED, EVERY_OUTCOME, (Outcome.FAILED,), (Outcome.CANCELED, Outcome.NOT_RUN)]
)
retries = st.builds(Retry, attempts=st.integers(1, 3), delay=st.sampled_from([0.0, 5.0]))
lock_names = st.sampled_from(["door", "gate"])
kinds = st.sampled_from([JobKind.BUILD] * 5 + [JobKind.APPROVAL, JobKind.NO_OP, JobKind.LOCK, JobKind.UNLOCK])


@st.composite
def needs_among(draw: st.DrawFn, keys: list[str]) -> dict[str, tuple[Outcome, ...]]:
    """At most three of the keys, with the outcomes accepted from each."""
    if not keys:
        return {}
    chosen = draw(st.lists(st.sampled_from(keys), max_size=3, unique=True))
    return {key: draw(accepted_outcomes) for key in chosen}


@st.composite
def job_plans(draw: st.DrawFn, key: str, group: str | None, before: list[str]) -> JobPlan:
    """A job of any kind, which may need some of the keys."""
    return JobPlan(
        name=key,
        kind=draw(kinds),
        group=group,
        needs=draw(needs_among(before)),
        run=draw(st.sampled_from([True, True, True, False])),
        retry=draw(retries),
        rescue=draw(retries),
        serial_group=draw(st.none() | lock_names),
        lock=draw(lock_names),
    )


@st.composite
def workflow_plans(draw: st.DrawFn) -> WorkflowPlan:
    """Up to five groups or lone jobs; each may need what was made before it, so there are no cycles."""
    jobs: dict[str, JobPlan] = {}
    groups: dict[str, GroupPlan] = {}
    before: list[str] = []
    rules = st.sampled_from([FailFast.OFF, FailFast.OFF, FailFast.CANCEL, FailFast.STOP])
    for place in range(draw(st.integers(1, 5))):
        size = draw(st.integers(0, 3))
        if size == 0:
            jobs[f"j{place}"] = draw(job_plans(f"j{place}", None, before))
            before.append(f"j{place}")
            continue
        key = f"g{place}"
        groups[key] = GroupPlan(
            name=key,
            needs=draw(needs_among(before)),
            run=draw(st.sampled_from([True, True, False])),
            fail_fast=draw(rules),
            time_limit=draw(st.sampled_from([None, 9.0])),
        )
        inner: list[str] = []
        for number in range(size):
            job = f"{key}.{number}"
            jobs[job] = draw(job_plans(job, key, [*before, *inner]))
            inner.append(job)
        before += [key, *inner]
    queue = draw(st.sampled_from([None, QueueRule(name="line")]))
    return WorkflowPlan(name="main", jobs=jobs, groups=groups, fail_fast=draw(rules), queue=queue)


def make_calm(plan: WorkflowPlan) -> WorkflowPlan:
    """The workflow without what depends on who comes first: fail-fast, locks, its queue."""
    jobs = {
        key: msgspec.structs.replace(
            job,
            serial_group=None,
            kind=JobKind.NO_OP if job.kind in {JobKind.LOCK, JobKind.UNLOCK} else job.kind,
        )
        for key, job in plan.jobs.items()
    }
    groups = {
        key: msgspec.structs.replace(group, fail_fast=FailFast.OFF) for key, group in plan.groups.items()
    }
    return msgspec.structs.replace(plan, jobs=jobs, groups=groups, fail_fast=FailFast.OFF, queue=None)
