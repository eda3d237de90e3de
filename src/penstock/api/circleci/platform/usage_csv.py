"""The file of a usage export: its columns, and how each is written (CircleCI docs: Usage API, report fields).

Names are in capitals, as in the files the vendor gives out; `NOTHING` stands for what is missing. Texts of
users are as they are: a reader that takes `=` for a formula has to be told not to.
"""

import csv
import io
from collections.abc import Callable, Sequence
from functools import lru_cache

from penstock.api.circleci.words import EXECUTORS, JOB_STATUSES, TRIGGERS, name_vcs_type
from penstock.engine.usage_desk import About
from penstock.forge.remote import without_credentials
from penstock.kit.clock import to_datetime
from penstock.model.run import TriggerType
from penstock.model.slug import host_of
from penstock.model.status import JobStatus, WorkflowStatus
from penstock.plan.executor import ExecutorKind
from penstock.plan.resources import compute_credits
from penstock.store.usage import UsageRow

NOTHING = "\\N"
"""What stands for a value that is not known."""

COLUMNS = (
    "ORGANIZATION_ID",
    "ORGANIZATION_NAME",
    "ORGANIZATION_CREATED_DATE",
    "PROJECT_ID",
    "PROJECT_NAME",
    "PROJECT_CREATED_DATE",
    "LAST_BUILD_FINISHED_AT",
    "VCS_NAME",
    "VCS_URL",
    "VCS_BRANCH",
    "PIPELINE_ID",
    "PIPELINE_CREATED_AT",
    "PIPELINE_NUMBER",
    "IS_UNREGISTERED_USER",
    "PIPELINE_TRIGGER_SOURCE",
    "PIPELINE_TRIGGER_USER_ID",
    "WORKFLOW_ID",
    "WORKFLOW_NAME",
    "WORKFLOW_FIRST_JOB_QUEUED_AT",
    "WORKFLOW_FIRST_JOB_STARTED_AT",
    "WORKFLOW_STOPPED_AT",
    "IS_WORKFLOW_SUCCESSFUL",
    "JOB_NAME",
    "JOB_ID",
    "JOB_RUN_NUMBER",
    "JOB_RUN_DATE",
    "JOB_RUN_QUEUED_AT",
    "JOB_RUN_STARTED_AT",
    "JOB_RUN_STOPPED_AT",
    "JOB_BUILD_STATUS",
    "RESOURCE_CLASS",
    "OPERATING_SYSTEM",
    "EXECUTOR",
    "PARALLELISM",
    "JOB_RUN_SECONDS",
    "MEDIAN_CPU_UTILIZATION_PCT",
    "MAX_CPU_UTILIZATION_PCT",
    "MEDIAN_RAM_UTILIZATION_PCT",
    "MAX_RAM_UTILIZATION_PCT",
    "COMPUTE_CREDITS",
    "DLC_CREDITS",
    "USER_CREDITS",
    "STORAGE_CREDITS",
    "NETWORK_CREDITS",
    "LEASE_CREDITS",
    "LEASE_OVERAGE_CREDITS",
    "IPRANGES_CREDITS",
    "TOTAL_CREDITS",
)

_FREE = ("0",) * 7  # of docker layer caching, users, storage, network, leases twice, and IP ranges
_SYSTEMS = {ExecutorKind.WINDOWS: "windows", ExecutorKind.MACOS: "macos"}
_SECOND = 1000
_DAY = 10  # characters of a date
_MINUTE = 60_000

Cells = tuple[object, ...]


class UsageTable:
    """Rows as they stand in a file."""

    head = (",".join(COLUMNS) + "\n").encode()

    def show(self, rows: Sequence[UsageRow], about: About) -> bytes:
        """The rows, each of one run of a job."""
        owner = (about.organization.uuid, about.organization.name, show_day(about.created_at))
        shared: dict[int, Cells] = {}
        text = io.StringIO()
        write: Callable[[Cells], object] = csv.writer(text, lineterminator="\n").writerow
        for row in rows:
            common = shared.get(row.workflow_id)
            if common is None:
                common = shared[row.workflow_id] = (*owner, *_show_workflow(row, about))
            write((*common, *_show_run(row)))
        return text.getvalue().encode()


def _show_workflow(row: UsageRow, about: About) -> Cells:
    """What the runs of a workflow have in common."""
    actor = about.people.get(row.actor, "")
    return (
        row.project,
        row.project_name,
        show_day(row.project_created_at),
        show_instant(about.last_ends.get(row.project)),
        name_vcs_type(host_of(row.project_slug)),
        without_credentials(row.url).removesuffix(".git") or NOTHING,
        row.branch or NOTHING,
        row.pipeline,
        show_instant(row.pipeline_created_at),
        row.pipeline_number,
        "false" if actor else "true",
        TRIGGERS[TriggerType(row.trigger)],
        actor or NOTHING,
        row.workflow,
        row.workflow_name,
        show_instant(row.workflow_queued_at),
        show_instant(row.workflow_started_at),
        show_instant(row.workflow_stopped_at),
        _show_verdict(row.workflow_status),
    )


def _show_run(row: UsageRow) -> Cells:
    """What is the run's own."""
    started = show_instant(row.started_at)
    kind, size, system, executor = _describe(row.executor, row.resource_class)
    credits_taken = _show_credits(row.resource_class, kind, row.worked)
    return (
        row.name,
        row.job,
        NOTHING if row.number is None else row.number,
        started[:_DAY],
        show_instant(row.queued_at),
        started,
        show_instant(row.stopped_at),
        _STATUSES[row.status],
        size,
        system,
        executor,
        row.parallelism,
        (row.stopped_at - row.started_at + _SECOND // 2) // _SECOND,
        show_share(row.cpu_median),
        show_share(row.cpu_max),
        show_share(row.ram_median),
        show_share(row.ram_max),
        credits_taken,
        *_FREE,
        credits_taken,
    )


@lru_cache(256)
def _describe(executor: str, resource_class: str) -> tuple[ExecutorKind, str, str, str]:
    """The kind of executor, and how class, operating system and executor are called."""
    kind = ExecutorKind(executor)
    return kind, resource_class or "medium", _SYSTEMS.get(kind, "linux"), EXECUTORS[kind]


@lru_cache(16384)
def _show_credits(resource_class: str, kind: ExecutorKind, worked: int) -> str:
    """Credits to the hundredth; missing for a class whose price no table tells."""
    taken = compute_credits(resource_class, kind, worked / _SECOND)
    return NOTHING if taken is None else f"{taken:.2f}"


_STATUSES = {status.value: JOB_STATUSES[status] for status in JobStatus}


def _show_verdict(status: str) -> str:
    """Whether all went well; missing while the workflow runs."""
    if not status:
        return NOTHING
    return "true" if status == WorkflowStatus.SUCCESS else "false"


def show_day(instant: int) -> str:
    """The date, UTC."""
    return to_datetime(instant).strftime("%Y-%m-%d")


def show_instant(instant: int | None) -> str:
    """The instant to the millisecond, UTC."""
    if instant is None:
        return NOTHING
    minute, rest = divmod(instant, _MINUTE)
    return f"{_show_minute(minute)}:{rest // _SECOND:02}.{rest % _SECOND:03}"


@lru_cache(4096)
def _show_minute(minute: int) -> str:
    """The beginning that instants of a minute share: to tell a time by its calendar takes a microsecond."""
    return to_datetime(minute * _MINUTE).strftime("%Y-%m-%d %H:%M")


def show_share(share: int | None) -> str:
    """A percentage to the hundredth."""
    return NOTHING if share is None else f"{share / 100:.2f}"
