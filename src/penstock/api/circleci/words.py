"""The core's states in CircleCI's words; a closed set each (CircleCI OpenAPI document: enums)."""

from collections.abc import Mapping

from penstock.model.output import TestOutcome
from penstock.model.run import TriggerType
from penstock.model.status import JobStatus, TaskStatus, WorkflowStatus
from penstock.plan.executor import ExecutorKind

JOB_STATUSES: Mapping[JobStatus, str] = {status: status.value for status in JobStatus} | {
    JobStatus.WAITING: "not_running",
    JobStatus.CANCELING: "running",
    JobStatus.SKIPPED: "not_run",
}

WORKFLOW_STATUSES: Mapping[WorkflowStatus, str] = {status: status.value for status in WorkflowStatus} | {
    WorkflowStatus.QUEUED: "running",
    WorkflowStatus.CANCELING: "running",
}

TASK_STATUSES: Mapping[TaskStatus, str] = {status: status.value for status in TaskStatus} | {
    TaskStatus.CANCELING: "running",
}

TRIGGERS: Mapping[TriggerType, str] = {
    TriggerType.API: "api",
    TriggerType.WEBHOOK: "webhook",
    TriggerType.SCHEDULE: "scheduled_pipeline",
    TriggerType.EXPLICIT: "explicit",
    TriggerType.LOCAL: "explicit",
}

EXECUTORS: Mapping[ExecutorKind, str] = {kind: kind.value for kind in ExecutorKind} | {
    ExecutorKind.HOST: "machine",
    ExecutorKind.LXD: "machine",
}

RESULTS: Mapping[TestOutcome, str] = {outcome: outcome.value for outcome in TestOutcome}

_PROVIDERS = {"gh": "GitHub", "bb": "Bitbucket"}
_VCS_TYPES = {"gh": "github", "bb": "bitbucket"}


def name_provider(host: str) -> str:
    """`vcs_info.provider` of a project on that host."""
    return _PROVIDERS.get(host, "CircleCI")


def name_vcs_type(host: str) -> str:
    """`vcs_type` of an organization on that host."""
    return _VCS_TYPES.get(host, "circleci")
