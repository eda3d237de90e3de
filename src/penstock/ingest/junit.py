"""Reads JUnit XML, in the dialects that test runners write, into test cases."""

import re
from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, iterparse

from penstock.ingest.text import CleanText
from penstock.model.output import TestCase, TestOutcome

MAX_MESSAGE = 16_384  # characters kept of a failure's text
_BAD = {"failure": TestOutcome.FAILURE, "error": TestOutcome.ERROR, "skipped": TestOutcome.SKIPPED}
_STATUS = {  # values of `status` and `result` attributes some runners write instead of children
    "failed": TestOutcome.FAILURE,
    "failure": TestOutcome.FAILURE,
    "fail": TestOutcome.FAILURE,
    "error": TestOutcome.ERROR,
    "skipped": TestOutcome.SKIPPED,
    "notrun": TestOutcome.SKIPPED,
    "disabled": TestOutcome.SKIPPED,
    "ignored": TestOutcome.SKIPPED,
    "suppressed": TestOutcome.SKIPPED,
}
_ROOTS = {"testsuites", "testsuite", "testrun"}
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


class ReportError(ValueError):
    """The file is no JUnit report; the sentence says why."""


class _Suite(msgspec.Struct):
    name: str
    file: str


def read_junit(report: IO[bytes], source: str = "") -> Iterator[TestCase]:
    """The test cases of a report in document order, without holding the document.

    Raises ReportError when the text is not well-formed XML, declares entities, or has a root that is not
    a test suite; cases before the fault have been given by then.
    """
    try:
        yield from _walk(report, source)
    except ReportError:
        raise
    except DefusedXmlException as error:
        raise ReportError("entity declarations are refused") from error
    except (ParseError, ValueError, LookupError) as error:  # the latter two: encodings expat cannot decode
        raise ReportError(f"not well-formed XML: {error}") from error


def _walk(report: IO[bytes], source: str) -> Iterator[TestCase]:
    suites: list[_Suite] = []
    depth = 0
    parser = DefusedXMLParser(target=TreeBuilder(), encoding="utf-8")
    for event, element in iterparse(CleanText(report), events=("start", "end"), parser=parser):
        tag = _local_name(element)
        if event == "start":
            depth += 1
            if depth == 1 and tag not in _ROOTS:
                raise ReportError(f"the root element is <{tag}>, not <testsuites> or <testsuite>")
            if tag == "testsuite":
                suites.append(_enter_suite(element, suites))
            continue
        depth -= 1
        if tag == "testcase":
            yield _read_case(element, suites[-1] if suites else _Suite("", ""), source)
            element.clear()
        elif tag == "testsuite":
            suites.pop()
            element.clear()


def _local_name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _enter_suite(element: Element, outer: list[_Suite]) -> _Suite:
    """A suite hands its file down to cases and suites that name none."""
    inherited = outer[-1].file if outer else ""
    file = element.get("file") or element.get("filepath") or inherited
    return _Suite(name=element.get("name", ""), file=file)


def _read_case(element: Element, suite: _Suite, source: str) -> TestCase:
    result, message = _read_result(element)
    return TestCase(
        name=element.get("name", ""),
        classname=element.get("classname") or element.get("class") or suite.name,
        file=element.get("file") or element.get("filepath") or suite.file,
        source=source,
        result=result,
        seconds=_read_seconds(element.get("time") or element.get("duration") or ""),
        message=message,
    )


def _read_result(element: Element) -> tuple[TestOutcome, str]:
    """The worst child decides, then an attribute; a case without either passed.

    Maven's `flakyFailure` and `rerunFailure` children only tell of earlier attempts.
    """
    found: dict[TestOutcome, str] = {}
    for child in element:
        outcome = _BAD.get(_local_name(child))
        if outcome is not None:
            found.setdefault(outcome, _read_message(child))
    for outcome in (TestOutcome.ERROR, TestOutcome.FAILURE, TestOutcome.SKIPPED):
        if outcome in found:
            return outcome, found[outcome]
    told = (element.get("status", ""), element.get("result", ""))
    outcome = next((_STATUS[word.lower()] for word in told if word.lower() in _STATUS), TestOutcome.SUCCESS)
    return outcome, ""


def _read_message(child: Element) -> str:
    """Message and text, the message not repeated when the text begins with it."""
    message, text = (child.get("message") or "").strip(), "".join(child.itertext()).strip()
    both = text if not message or text.startswith(message) else f"{message}\n{text}".strip()
    return both[:MAX_MESSAGE]


def _read_seconds(text: str) -> float:
    """Seconds, also written with thousands separators (`1,234.5`) or a decimal comma (`0,25`).

    0 for what is no number.
    """
    text = text.replace(",", "") if "." in text or text.count(",") > 1 else text.replace(",", ".")
    match = _NUMBER.fullmatch(text.strip().removesuffix("s"))
    return float(match[0]) if match else 0.0
