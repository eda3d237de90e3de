"""What follows from a job's end: those that need it start, or never will, and siblings may have to stop."""

from enum import Enum, auto
from typing import Final, assert_never

from penstock.lifecycle.draft import Draft, lock_name
from penstock.lifecycle.effects import AcquireLock, LimitTime
from penstock.lifecycle.job import JobMove
from penstock.lifecycle.rollup import roll_up_group
from penstock.model.status import JobKind, JobStatus, Outcome, Reason
from penstock.plan.workflow import FailFast, GroupPlan, JobPlan


class Turn(Enum):
    """Whether the turn of a job or group has come."""

    NOW = auto()
    LATER = auto()
    NEVER = auto()


def settle(draft: Draft) -> None:
    """Every end in the draft has been felt by all that it concerns."""
    while draft.ended:
        key = draft.ended.popleft()
        spread_end(draft, key)
        group = draft.plan_of(key).group
        if group is None:
            fail_workflow(draft, draft.outcome_of(key))
            continue
        fail_group(draft, group, draft.outcome_of(key))
        close_group(draft, group)


def close_group(draft: Draft, key: str) -> None:
    """If all jobs of the group have ended, its end has been felt. Nothing the second time."""
    outcome = None if key in draft.closed else outcome_of_group(draft, key)
    if outcome is not None:
        draft.closed.add(key)
        spread_end(draft, key)
        fail_workflow(draft, outcome)


def spread_end(draft: Draft, key: str) -> None:
    """Whoever needs the job or group that has ended has been looked at."""
    for dependent in draft.graph.dependents.get(key, ()):
        if dependent in draft.jobs:
            consider_job(draft, dependent)
        else:
            consider_group(draft, dependent)


def consider_all(draft: Draft) -> None:
    """Every group and job has been looked at, in the order of the plan: the beginning of a workflow."""
    for key in draft.graph.plan.groups:
        consider_group(draft, key)
    for key in draft.graph.plan.jobs:
        consider_job(draft, key)


def consider_group(draft: Draft, key: str) -> None:
    """If the group's turn has come, or never will, its jobs know."""
    group = draft.graph.plan.groups[key]
    match judge_needs(draft, group):
        case Turn.NOW:
            open_group(draft, key, group)
        case Turn.NEVER:
            for member in draft.graph.members[key]:
                drop_blocked(draft, member, Reason.DEPENDENCY)
        case Turn.LATER:
            pass
        case unreachable:
            assert_never(unreachable)


def open_group(draft: Draft, key: str, group: GroupPlan) -> None:
    """The jobs of the group have been looked at, and its time runs. Nothing the second time."""
    if key in draft.opened or outcome_of_group(draft, key) is not None:
        return
    draft.opened.add(key)
    if group.run and group.time_limit is not None:
        draft.effects.append(LimitTime(group=key, seconds=group.time_limit))
    for member in draft.graph.members[key]:
        if draft.jobs[member].status is not JobStatus.BLOCKED:
            continue
        if group.run:
            take_turn(draft, member, judge_needs(draft, draft.plan_of(member)))
        else:
            draft.move(member, JobMove.SKIP, Reason.CONDITION)


def consider_job(draft: Draft, key: str) -> None:
    """If the blocked job's turn has come, or never will, it is blocked no more."""
    if draft.jobs[key].status is not JobStatus.BLOCKED:
        return
    take_turn(draft, key, judge_turn(draft, draft.plan_of(key)))


def judge_turn(draft: Draft, plan: JobPlan) -> Turn:
    """The turn by the job's own needs and its group's; in a group that is skipped its own do not matter."""
    if plan.group is None:
        return judge_needs(draft, plan)
    group = draft.graph.plan.groups[plan.group]
    own = judge_needs(draft, plan) if group.run else Turn.NOW
    return judge_needs(draft, group) if own is Turn.NOW else own


def take_turn(draft: Draft, key: str, turn: Turn) -> None:
    """The blocked job does what its turn says."""
    match turn:
        case Turn.NOW:
            release(draft, key)
        case Turn.NEVER:
            drop_blocked(draft, key, Reason.DEPENDENCY)
        case Turn.LATER:
            pass
        case unreachable:
            assert_never(unreachable)


def judge_needs(draft: Draft, node: JobPlan | GroupPlan) -> Turn:
    """Never as soon as one need ended otherwise than is accepted, even while others are open."""
    turn = Turn.NOW
    for need, accepted in node.needs.items():
        outcome = draft.outcome_of(need) if need in draft.jobs else outcome_of_group(draft, need)
        if outcome is None:
            turn = Turn.LATER
        elif outcome not in accepted:
            return Turn.NEVER
    return turn


def outcome_of_group(draft: Draft, key: str) -> Outcome | None:
    """How the group ended, None while one of its jobs lives."""
    return roll_up_group([draft.jobs[member] for member in draft.graph.members[key]])


def release(draft: Draft, key: str) -> None:
    """The job, whose needs and whose group's hold, is skipped, waits for its lock, or proceeds."""
    plan = draft.plan_of(key)
    lock = lock_name(plan)
    group = draft.graph.plan.groups[plan.group] if plan.group is not None else None
    if not plan.run or (group is not None and not group.run):
        draft.move(key, JobMove.SKIP, Reason.CONDITION)
    elif lock is not None:
        draft.move(key, JobMove.WAIT)
        draft.effects.append(AcquireLock(name=lock, key=key))
    else:
        proceed(draft, key)


def proceed(draft: Draft, key: str) -> None:
    """The job, which has the lock it wanted if any, does what jobs of its kind do."""
    plan = draft.plan_of(key)
    match plan.kind:
        case JobKind.BUILD:
            draft.enqueue(key)
        case JobKind.APPROVAL:
            draft.move(key, JobMove.HOLD)
        case JobKind.UNLOCK:
            unlock(draft, plan.lock)
            draft.move(key, JobMove.PASS)
        case JobKind.NO_OP | JobKind.LOCK | JobKind.RELEASE:
            draft.move(key, JobMove.PASS)  # a release is carried out by its own tracker, not by an agent
        case unreachable:
            assert_never(unreachable)


def unlock(draft: Draft, name: str | None) -> None:
    """The lock is free if a job of this workflow held it."""
    holder = None if name is None else draft.locks.get(name)
    if name is not None and holder is not None:
        draft.release_lock(name, holder)


def drop_blocked(draft: Draft, key: str, reason: Reason) -> None:
    """The job, if it was blocked, is not run."""
    if draft.jobs[key].status is JobStatus.BLOCKED:
        draft.move(key, JobMove.DROP, reason)


FAILURES: Final = frozenset({Outcome.FAILED, Outcome.UNAUTHORIZED})
"""The outcomes that set off fail-fast rules; a stop or a dropped job does not."""


def fail_group(draft: Draft, key: str, outcome: Outcome | None) -> None:
    """When a job of the group failed, its siblings know."""
    if outcome in FAILURES:
        stop_siblings(draft, draft.graph.members[key], draft.graph.plan.groups[key].fail_fast)


def fail_workflow(draft: Draft, outcome: Outcome | None) -> None:
    """When a group, or a job outside of groups, failed, all others know."""
    if outcome in FAILURES:
        stop_siblings(draft, tuple(draft.jobs), draft.graph.plan.fail_fast)


def stop_siblings(draft: Draft, keys: tuple[str, ...], rule: FailFast) -> None:
    """What has not started never will; what runs is asked to stop if the rule says so."""
    if rule is FailFast.OFF:
        return
    for key in keys:
        status = draft.jobs[key].status
        if status is JobStatus.RUNNING and rule is FailFast.CANCEL:
            continue
        if status is JobStatus.BLOCKED:
            draft.move(key, JobMove.DROP, Reason.FAST_FAILING)
        else:
            draft.cancel(key, Reason.FAST_FAILING)


def may_go_on(draft: Draft, key: str) -> bool:
    """False when a sibling's failure forbids the job another attempt."""
    plan = draft.graph.plan
    group = draft.plan_of(key).group
    if group is not None and plan.groups[group].fail_fast is not FailFast.OFF:
        outcomes = (draft.outcome_of(member) for member in draft.graph.members[group])
        if any(outcome in FAILURES for outcome in outcomes):
            return False
    if plan.fail_fast is FailFast.OFF:
        return True
    return not any(has_failed(draft, other) for other in (*plan.groups, *plan.jobs))


def has_failed(draft: Draft, key: str) -> bool:
    """True for a group, or a job outside of groups, whose failure sets off the workflow's rule."""
    if key not in draft.jobs:
        return outcome_of_group(draft, key) in FAILURES
    return draft.plan_of(key).group is None and draft.outcome_of(key) in FAILURES
