"""The file of a usage export: its columns, and how each is written (CircleCI docs: Usage API, report fields).

Names are in capitals, as in the files the vendor gives out; `NOTHING` stands for what is missing. Texts of
users are as they are: a reader that takes `=` for a formula has to be told not to.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from penstock.api.circleci.words import EXECUTORS, JOB_STATUSES, TRIGGERS, name_vcs_type
from penstock.engine.usage_desk import About
from penstock.forge.remote import without_credentials
from penstock.kit.clock import to_datetime
from penstock.model.run import TriggerType
from penstock.model.slug import host_of
from penstock.model.status import JobStatus, WorkflowStatus
from penstock.plan.executor import ExecutorKind
from penstock.plan.resources import find_price
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

_FREE = ",".join("0" * 7)  # of docker layer caching, users, storage, network, leases twice, and IP ranges
_SYSTEMS = {ExecutorKind.WINDOWS: "windows", ExecutorKind.MACOS: "macos"}
_SECOND = 1000
_DAY = 10  # characters of a date
_MINUTE = 60_000
_QUOTED = re.compile(r'[",\r\n]')


class UsageTable:
    """Rows as they stand in a file."""

    head = (",".join(COLUMNS) + "\n").encode()

    def __init__(self, prices: Mapping[str, float] | None = None) -> None:
        self._prices = prices or {}  # of a minute, by resource class
        self._known: dict[tuple[str, str], float | None] = {}

    def show(self, rows: Sequence[UsageRow], about: About) -> bytes:
        """The rows, each of one run of a job; what those of a workflow have in common is written once."""
        owner = about.organization
        before = f"{owner.uuid},{quote(owner.name)},{show_day(about.created_at)}"
        shared: dict[int, str] = {}
        lines: list[str] = []
        for row in rows:
            common = shared.get(row.workflow_id)
            if common is None:
                common = shared[row.workflow_id] = f"{before},{_show_workflow(row, about)}"
            lines.append(f"{common},{_show_run(row, self._show_credits(row))}\n")
        return "".join(lines).encode()

    def _show_credits(self, row: UsageRow) -> str:
        """Credits to the hundredth; missing for a class whose price no table tells."""
        key = (row.resource_class, row.executor)
        if key not in self._known:
            self._known[key] = find_price(row.resource_class, ExecutorKind(row.executor), self._prices)
        price = self._known[key]
        return NOTHING if price is None else f"{price * row.worked / _MINUTE:.2f}"


def _show_workflow(row: UsageRow, about: About) -> str:
    """What the runs of a workflow have in common."""
    actor = about.people.get(row.actor, "")
    cells = (
        row.project,
        quote(row.project_name),
        show_day(row.project_created_at),
        show_instant(about.last_ends.get(row.project)),
        name_vcs_type(host_of(row.project_slug)),
        quote(_show_url(row.url)),
        quote(row.branch or NOTHING),
        row.pipeline,
        show_instant(row.pipeline_created_at),
        str(row.pipeline_number),
        "false" if actor else "true",
        TRIGGERS[TriggerType(row.trigger)],
        actor or NOTHING,
        row.workflow,
        quote(row.workflow_name),
        show_instant(row.workflow_queued_at),
        show_instant(row.workflow_started_at),
        show_instant(row.workflow_stopped_at),
        _show_verdict(row.workflow_status),
    )
    return ",".join(cells)


def _show_run(row: UsageRow, taken: str) -> str:
    """What is the run's own; `taken` are its credits."""
    started = show_instant(row.started_at)
    number = NOTHING if row.number is None else row.number
    seconds = (row.stopped_at - row.started_at + _SECOND // 2) // _SECOND
    shares = "\\N,\\N,\\N,\\N" if row.cpu_median is None else _show_shares(row)
    return (
        f"{quote(row.name)},{row.job},{number},{started[:_DAY]},{show_instant(row.queued_at)},{started},"
        f"{show_instant(row.stopped_at)},{_STATUSES[row.status]},"
        f"{_describe(row.executor, row.resource_class)},{row.parallelism},{seconds},{shares},"
        f"{taken},{_FREE},{taken}"
    )


def _show_shares(row: UsageRow) -> str:
    """How busy the run was, of which all is known or nothing."""
    shares = (row.cpu_median, row.cpu_max, row.ram_median, row.ram_max)
    return ",".join(NOTHING if share is None else f"{share / 100:.2f}" for share in shares)


@lru_cache(4096)
def quote(text: str) -> str:
    """The text as a field (RFC 4180)."""
    if _QUOTED.search(text) is None:
        return text
    return '"' + text.replace('"', '""') + '"'


@lru_cache(1024)
def _show_url(url: str) -> str:
    """The repository's address as a person opens it."""
    return without_credentials(url).removesuffix(".git") or NOTHING


@lru_cache(1024)
def _describe(executor: str, resource_class: str) -> str:
    """How class, operating system and executor are called."""
    kind = ExecutorKind(executor)
    return f"{quote(resource_class or 'medium')},{_SYSTEMS.get(kind, 'linux')},{EXECUTORS[kind]}"


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
    rest = instant % _MINUTE
    return f"{_show_minute(instant - rest)}{rest // _SECOND:02}.{rest % _SECOND:03}"


@lru_cache(4096)
def _show_minute(instant: int) -> str:
    """The beginning that instants of a minute share: to tell a time by its calendar takes a microsecond."""
    return to_datetime(instant).strftime("%Y-%m-%d %H:%M:")
