"""The closed sets of states a pipeline, workflow, job, task and step can be in.

The rules by which they change are in `penstock.lifecycle`; here are only the words.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Outcome(StrEnum):
    """How a job ended, as far as jobs that need it are concerned.

    The five outcomes of `requires` (CircleCI config reference: requires). A job skipped by its own
    condition counts as a success, as in Semaphore.
    """

    SUCCESS = "success"
    FAILED = "failed"
    CANCELED = "canceled"
    UNAUTHORIZED = "unauthorized"
    NOT_RUN = "not_run"


class JobStatus(StrEnum):
    """Where a job is.

    blocked -> (on_hold | waiting | queued) -> running -> terminal; canceling lies between a request to
    stop and the agent's word that it has stopped.
    """

    BLOCKED = "blocked"  # something it needs has not ended
    ON_HOLD = "on_hold"  # an approval that waits for a person
    WAITING = "waiting"  # for a lock, or for the delay before another attempt
    QUEUED = "queued"  # an agent may take it
    RUNNING = "running"
    CANCELING = "canceling"
    SUCCESS = "success"
    FAILED = "failed"
    TIMEDOUT = "timedout"
    INFRASTRUCTURE_FAIL = "infrastructure_fail"  # we could not run it, or lost it
    CANCELED = "canceled"
    UNAUTHORIZED = "unauthorized"
    NOT_RUN = "not_run"  # what it needs can no longer come true
    SKIPPED = "skipped"  # its own condition said no

    @property
    def is_terminal(self) -> bool:
        """True when the job will never change again."""
        return self in OUTCOME_OF_JOB

    @property
    def is_active(self) -> bool:
        """True while an agent holds the job."""
        return self in {JobStatus.RUNNING, JobStatus.CANCELING}


OUTCOME_OF_JOB: Mapping[JobStatus, Outcome] = MappingProxyType(
    {
        JobStatus.SUCCESS: Outcome.SUCCESS,
        JobStatus.SKIPPED: Outcome.SUCCESS,
        JobStatus.FAILED: Outcome.FAILED,
        JobStatus.TIMEDOUT: Outcome.FAILED,
        JobStatus.INFRASTRUCTURE_FAIL: Outcome.FAILED,
        JobStatus.CANCELED: Outcome.CANCELED,
        JobStatus.UNAUTHORIZED: Outcome.UNAUTHORIZED,
        JobStatus.NOT_RUN: Outcome.NOT_RUN,
    }
)
"""The outcome each terminal job status stands for; a status that is not a key is not terminal."""


class TaskStatus(StrEnum):
    """Where one parallel copy of a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELING = "canceling"
    SUCCESS = "success"
    FAILED = "failed"
    TIMEDOUT = "timedout"
    INFRASTRUCTURE_FAIL = "infrastructure_fail"
    CANCELED = "canceled"

    @property
    def is_terminal(self) -> bool:
        """True when the task will never change again."""
        return self not in {TaskStatus.QUEUED, TaskStatus.RUNNING, TaskStatus.CANCELING}


class StepStatus(StrEnum):
    """Where a step of a task is."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    TIMEDOUT = "timedout"
    CANCELED = "canceled"
    SKIPPED = "skipped"


class WorkflowStatus(StrEnum):
    """Where a workflow is; `failing` means a job failed while others still run."""

    QUEUED = "queued"  # an older workflow of its queue has not ended
    RUNNING = "running"
    FAILING = "failing"
    ON_HOLD = "on_hold"  # only approvals are left to do
    CANCELING = "canceling"
    SUCCESS = "success"
    FAILED = "failed"
    ERROR = "error"  # it could not be run as written
    CANCELED = "canceled"
    UNAUTHORIZED = "unauthorized"
    NOT_RUN = "not_run"

    @property
    def is_terminal(self) -> bool:
        """True when the workflow will never change again."""
        return self in _TERMINAL_WORKFLOW


_TERMINAL_WORKFLOW = frozenset(
    {
        WorkflowStatus.SUCCESS,
        WorkflowStatus.FAILED,
        WorkflowStatus.ERROR,
        WorkflowStatus.CANCELED,
        WorkflowStatus.UNAUTHORIZED,
        WorkflowStatus.NOT_RUN,
    }
)


class PipelineStatus(StrEnum):
    """How far the making of a pipeline's workflows has come; not the verdict of the build."""

    PENDING = "pending"
    SETUP_PENDING = "setup-pending"
    SETUP = "setup"
    CREATED = "created"
    ERRORED = "errored"


class Reason(StrEnum):
    """Why something ended as it did, in words every dialect can translate."""

    NONE = ""
    TEST = "test"  # a step of the job itself failed
    DEPENDENCY = "dependency"  # what it needs did not end as it asks
    CONDITION = "condition"  # its own condition said no
    USER = "user"  # a person or an API call
    STRATEGY = "strategy"  # auto-cancel by a newer pipeline
    FAST_FAILING = "fast_failing"  # a sibling failed and the plan says stop
    TIMEOUT = "timeout"  # a time limit of the job or above
    NO_OUTPUT = "no_output"  # a step was silent for too long
    MALFORMED = "malformed"  # the config cannot be run
    UNAUTHORIZED = "unauthorized"  # a context or approval rule refused
    AGENT_LOST = "agent_lost"  # the agent or its machine went away
    NO_AGENT = "no_agent"  # no agent can ever take it
    INTERRUPTED = "interrupted"  # the command or server that ran it ended
    SUPERSEDED = "superseded"  # a newer holder of the same serial group came first
    INTERNAL = "internal"  # our own fault


class JobKind(StrEnum):
    """What a job does when its turn comes."""

    BUILD = "build"
    APPROVAL = "approval"
    NO_OP = "no-op"
    LOCK = "lock"
    UNLOCK = "unlock"
    RELEASE = "release"
