"""A workflow as data: jobs, groups, and the rules that hold them together."""

from enum import StrEnum

import msgspec

from penstock.model.status import JobKind, Outcome, Reason
from penstock.plan.executor import Executor
from penstock.plan.origin import Origin
from penstock.plan.step import AnyStep, Retry

PASSED: tuple[Outcome, ...] = (Outcome.SUCCESS,)
"""What a need accepts when nothing else is said."""

EVERY_OUTCOME: tuple[Outcome, ...] = tuple(Outcome)
"""`terminal` in CircleCI's words: whatever the outcome, as long as there is one."""


class Session(StrEnum):
    """Whether state of the shell (cwd, exports) passes from step to step."""

    PER_STEP = "per_step"  # CircleCI, Kraken: a new shell each
    SHARED = "shared"  # Semaphore: one login shell for the whole job


class FailFast(StrEnum):
    """What a failure does to siblings that have not ended."""

    OFF = "off"
    CANCEL = "cancel"  # those not started are not run; running ones end by themselves
    STOP = "stop"  # running ones are stopped too


class JobPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One job, ready to be queued.

    `needs` names jobs or groups of the same workflow and the outcomes it accepts from each. A job with
    `run` false is skipped and counts as passed. Parallelism makes tasks with index 0..n-1, which all
    must pass. Time limits are in seconds.
    """

    name: str
    kind: JobKind = JobKind.BUILD
    group: str | None = None
    needs: dict[str, tuple[Outcome, ...]] = {}
    run: bool = True
    executor: Executor = Executor()
    environment: dict[str, str] = {}
    contexts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    parallelism: int = 1
    steps: tuple[AnyStep, ...] = ()
    shell: str | None = None
    working_directory: str = ""
    session: Session = Session.PER_STEP
    time_limit: float | None = None
    retry: Retry = Retry()  # after a failure of its own
    rescue: Retry = Retry(attempts=2)  # after the loss of its agent
    serial_group: str | None = None  # at most one holder at a time in the organization
    lock: str | None = None  # the key of a lock or unlock job
    priority: int = 50
    retention: dict[str, int] = {}  # days to keep {caches, artifacts, …}
    origin: Origin | None = None


class GroupPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A name shared by some jobs (a Semaphore block): they start together and end as one.

    Jobs of the group wait for what the group needs besides their own needs. The group's outcome is
    rolled up from its jobs (every group has one at least), and other jobs and groups may need it by its
    key. With `rerun_whole` a rerun from failed repeats all its jobs, not only those that failed.
    """

    name: str
    needs: dict[str, tuple[Outcome, ...]] = {}
    run: bool = True
    fail_fast: FailFast = FailFast.OFF
    time_limit: float | None = None
    rerun_whole: bool = False
    origin: Origin | None = None


class QueueScope(StrEnum):
    """Who shares a queue."""

    PROJECT = "project"
    ORGANIZATION = "organization"


class QueueRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which workflows wait for each other, oldest first, and what a newer one does to older ones."""

    name: str
    scope: QueueScope = QueueScope.PROJECT
    serialized: bool = True  # false: nobody waits, but auto-cancel still applies
    cancel_queued: bool = False
    cancel_running: bool = False


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a workflow ended, as conditions of follow-ups see it; reason None stands for any."""

    outcome: Outcome
    reason: Reason | None = None


ON_SUCCESS: tuple[Verdict, ...] = (Verdict(Outcome.SUCCESS),)
ON_ANY_END: tuple[Verdict, ...] = tuple(Verdict(outcome) for outcome in Outcome)


class Trigger(StrEnum):
    """Who starts a follow-up."""

    AUTOMATIC = "automatic"  # the engine, as soon as its condition holds
    HELD = "held"  # the engine makes it when the condition holds, a person starts it (Kraken's manual stage)
    MANUAL = "manual"  # a person or an API call makes it, at any time (Semaphore's promotion)


class ParameterSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value that whoever starts something may or must give."""

    name: str
    type: str = "string"  # string | boolean | integer | enum
    default: str | int | bool | None = None
    options: tuple[str | int | bool, ...] = ()
    required: bool = False
    description: str = ""


class FollowUp(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A workflow that comes out of another: a promotion, a child stage, an after-pipeline task.

    The target is a workflow of the same plan (`workflow`) or a config at the same commit (`source`,
    a path), which is compiled when its time comes. `when` lists the verdicts that start it. Unless it
    `counts`, its own verdict leaves the pipeline's as it was.
    """

    name: str
    trigger: Trigger = Trigger.AUTOMATIC
    when: tuple[Verdict, ...] = ON_SUCCESS
    workflow: str | None = None
    source: str | None = None
    parameters: tuple[ParameterSpec, ...] = ()
    counts: bool = True
    origin: Origin | None = None


SETUP_TAG = "setup"
"""Tag of a workflow whose jobs may continue their pipeline with another config."""


class Start(StrEnum):
    """When a workflow of a plan begins."""

    AT_ONCE = "at_once"
    HELD = "held"  # made at once, but a person starts it (a manual root stage)
    FOLLOW_UP = "follow_up"  # only as the target of a follow-up
    SCHEDULE = "schedule"  # only when its schedule is due


class Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A cron text (UTC) and the branches on which it holds, already selected for this commit."""

    cron: str


class WorkflowPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A graph of jobs with one verdict.

    Keys of `jobs` and `groups` do not overlap; every key in a `needs` is one of them. Jobs stand in the
    order of the source, which is the order they are shown and queued in.
    """

    name: str
    jobs: dict[str, JobPlan]
    groups: dict[str, GroupPlan] = {}
    start: Start = Start.AT_ONCE
    schedules: tuple[Schedule, ...] = ()
    fail_fast: FailFast = FailFast.OFF
    time_limit: float | None = None
    queue: QueueRule | None = None
    max_auto_reruns: int = 0
    follow_ups: tuple[FollowUp, ...] = ()
    tags: tuple[str, ...] = ()
    origin: Origin | None = None
