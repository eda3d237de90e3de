"""Test cases of jobs, and how long files and classes took in past runs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache

import msgspec
from sqlalchemy import Executable, bindparam, select

from penstock.model.output import TestCase, TestOutcome
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.packing import pack, unpack
from penstock.store.schema import test_cases, test_summaries

_FAILED = {TestOutcome.FAILURE, TestOutcome.ERROR}


class TimingKind(StrEnum):
    """By what tests are split."""

    FILE = "filename"
    CLASSNAME = "classname"
    NAME = "testname"


class TestCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The results of one report set of one task in numbers."""

    __test__ = False

    task_index: int
    total: int
    failed: int
    skipped: int
    seconds: float


class _Timings(msgspec.Struct):
    """Seconds by name in one report set; names that took no time are kept, unknown ones are not."""

    file: dict[str, float]
    classname: dict[str, float]
    name: dict[str, float] = {}  # summaries of older versions have none

    def of(self, kind: TimingKind) -> dict[str, float]:
        """The seconds by names of the kind."""
        return getattr(self, FIELDS[kind])  # type: ignore[no-any-return] # each field is of that type


FIELDS: Mapping[TimingKind, str] = {
    TimingKind.FILE: "file",
    TimingKind.CLASSNAME: "classname",
    TimingKind.NAME: "name",
}
"""The field of a test case that holds the name of a kind."""

_decode_timings = msgspec.json.Decoder(_Timings).decode


class ReportSet(msgspec.Struct, frozen=True, kw_only=True):
    """Where test cases belong: one upload of one task of a job."""

    project_id: int
    job_name: str
    job_id: int
    task_index: int
    now: int
    attempt: int = 1


def save_cases(tx: Transaction, place: ReportSet, cases: Sequence[TestCase]) -> None:
    """Store the cases in one go, and beside them what the summaries need; nothing happens for none."""
    if not cases:
        return
    owner = {"job_id": place.job_id, "task_index": place.task_index, "attempt": place.attempt}
    rows.insert_rows(tx, test_cases, [msgspec.structs.asdict(case) | owner for case in cases])
    timings = _Timings(**{field: _sum_seconds(cases, field) for field in FIELDS.values()})
    summary = owner | {
        "project_id": place.project_id,
        "job_name": place.job_name,
        "created_at": place.now,
        "total": len(cases),
        "failed": sum(case.result in _FAILED for case in cases),
        "skipped": sum(case.result is TestOutcome.SKIPPED for case in cases),
        "seconds": sum(case.seconds for case in cases),
        "timings": pack(msgspec.json.encode(timings)),
    }
    rows.insert_row(tx, test_summaries, summary)


def cases_of(
    tx: Transaction, job_id: int, *, attempt: int = 1, after: int = 0, limit: int = 1000
) -> list[tuple[int, TestCase]]:
    """The test cases of an attempt in the order they were reported, each with the id to page `after`."""
    values = {"job_id": job_id, "attempt": attempt, "after": after, "limit": limit}
    return [(row_id, rows.build(TestCase, row)) for row_id, *row in tx.execute(_select_cases(), values)]


def counts_of(tx: Transaction, job_id: int, *, attempt: int = 1) -> list[TestCounts]:
    """The results of an attempt in numbers, one for each report set."""
    values = {"job_id": job_id, "attempt": attempt}
    return rows.fetch_all(tx, TestCounts, _select_counts(), values)


def mean_timings(
    tx: Transaction,
    project_id: int,
    job_name: str,
    kinds: Collection[TimingKind],
    *,
    before: int,
    runs: int = 20,
) -> dict[TimingKind, dict[str, float]]:
    """Mean seconds by name over the last `runs` jobs of that name that reported tests, for each kind.

    Only reports from before that time count, in milliseconds: all copies of a job that pass its creation
    get the same answer, however late they start. A name counts in the jobs it occurs in; parallel copies
    of one job add up. Of a job that was tried again the last attempt that reported tests counts. A kind
    nobody named is left out.
    """
    values = {"project_id": project_id, "job_name": job_name, "before": before, "limit": runs}
    reported = tx.execute(_select_timings(), values).all()
    latest: dict[int, int] = {}
    for job_id, attempt, _ in reported:
        latest[job_id] = max(latest.get(job_id, 0), attempt)
    stored = [
        (job_id, _decode_timings(unpack(packed)))
        for job_id, attempt, packed in reported
        if attempt == latest[job_id]
    ]
    means = {kind: _average([(job_id, timings.of(kind)) for job_id, timings in stored]) for kind in kinds}
    return {kind: seconds for kind, seconds in means.items() if seconds}


def failed_names(
    tx: Transaction, job_id: int, attempt: int, *, limit: int = 10_000
) -> dict[TimingKind, tuple[str, ...]]:
    """The files, classes and tests of the attempt's cases that failed, each once.

    A kind without any is left out.
    """
    failed = list(tx.execute(_select_failed(), {"job_id": job_id, "attempt": attempt, "limit": limit}))
    named = {
        kind: tuple(dict.fromkeys(row[place] for row in failed if row[place]))
        for place, kind in enumerate(FIELDS)
    }
    return {kind: names for kind, names in named.items() if names}


def _average(stored: Iterable[tuple[int, Mapping[str, float]]]) -> dict[str, float]:
    totals: dict[str, float] = {}
    jobs_with: dict[str, set[int]] = {}
    for job_id, timings in stored:
        for name, seconds in timings.items():
            totals[name] = totals.get(name, 0.0) + seconds
            jobs_with.setdefault(name, set()).add(job_id)
    return {name: seconds / len(jobs_with[name]) for name, seconds in totals.items()}


def _sum_seconds(cases: Iterable[TestCase], field: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for case in cases:
        name = getattr(case, field)
        if name:
            sums[name] = sums.get(name, 0.0) + case.seconds
    return sums


@cache
def _select_cases() -> Executable:
    chosen = select(test_cases.c.id, *rows.columns_of(test_cases, TestCase))
    mine = chosen.where(
        test_cases.c.job_id == bindparam("job_id"),
        test_cases.c.attempt == bindparam("attempt"),
        test_cases.c.id > bindparam("after"),
    )
    return mine.order_by(test_cases.c.id).limit(bindparam("limit"))


@cache
def _select_failed() -> Executable:
    table = test_cases.c
    chosen = select(*(table[field] for field in FIELDS.values()))
    mine = chosen.where(
        table.job_id == bindparam("job_id"),
        table.attempt == bindparam("attempt"),
        table.result.in_(sorted(_FAILED)),
    )
    return mine.order_by(table.id).limit(bindparam("limit"))


@cache
def _select_counts() -> Executable:
    chosen = select(*rows.columns_of(test_summaries, TestCounts))
    mine = chosen.where(
        test_summaries.c.job_id == bindparam("job_id"), test_summaries.c.attempt == bindparam("attempt")
    )
    return mine.order_by(test_summaries.c.id)


@cache
def _select_timings() -> Executable:
    table = test_summaries.c
    mine = (
        table.project_id == bindparam("project_id"),
        table.job_name == bindparam("job_name"),
        table.created_at < bindparam("before"),
    )
    newest = (
        select(table.job_id).where(*mine).distinct().order_by(table.job_id.desc()).limit(bindparam("limit"))
    )
    return select(table.job_id, table.attempt, table.timings).where(
        *mine, table.job_id.in_(newest.scalar_subquery())
    )
