"""Reads a test report of whatever kind, told by its first byte."""

from collections.abc import Iterator
from io import BufferedReader
from typing import Any

import msgspec

from penstock.ingest.cucumber import read_cucumber
from penstock.ingest.junit import ReportError, read_junit
from penstock.model.output import TestCase

_MOST_JSON = 64 << 20
"""Bytes of a JSON report, which is read as a whole."""


def read_report(report: "BufferedReader[Any]", source: str = "", directory: str = "") -> Iterator[TestCase]:
    """The test cases of JUnit XML or Cucumber JSON in document order.

    Files below `directory`, where the job worked, are named relative to it: the next run works elsewhere.
    Raises ReportError as the readers do; cases before the fault have been given by then.
    """
    cases = _read_json(report, source) if report.peek(1)[:1] in {b"[", b"{"} else read_junit(report, source)
    above = f"{directory}/"
    for case in cases:
        if directory and case.file.startswith(above):
            yield msgspec.structs.replace(case, file=case.file.removeprefix(above))
        else:
            yield case


def _read_json(report: "BufferedReader[Any]", source: str) -> Iterator[TestCase]:
    data = report.read(_MOST_JSON + 1)
    if len(data) > _MOST_JSON:
        raise ReportError(f"a JSON report may have {_MOST_JSON >> 20} MiB")
    return read_cucumber(data, source)
