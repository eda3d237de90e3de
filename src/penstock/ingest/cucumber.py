"""Reads Cucumber's JSON reports into test cases: a scenario is a case, its feature the class."""

from collections.abc import Iterator

import msgspec

from penstock.ingest.junit import MAX_MESSAGE, ReportError
from penstock.model.output import TestCase, TestOutcome

_NANO = 1e9
_NOT_RUN = {"skipped", "pending", "undefined", "ambiguous"}


class _Outcome(msgspec.Struct):
    status: str = "passed"
    duration: float = 0.0  # nanoseconds
    error_message: str = ""


class _Step(msgspec.Struct):
    result: _Outcome = msgspec.field(default_factory=_Outcome)


class _Element(msgspec.Struct):
    name: str = ""
    type: str = "scenario"
    steps: list[_Step] = []
    before: list[_Step] = []
    after: list[_Step] = []


class _Feature(msgspec.Struct):
    name: str = ""
    uri: str = ""
    elements: list[_Element] = []


_decode = msgspec.json.Decoder(list[_Feature], strict=False).decode


def read_cucumber(report: bytes, source: str = "") -> Iterator[TestCase]:
    """The scenarios of a report in its order. Raises ReportError when it is none."""
    try:
        features = _decode(report)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReportError(f"no Cucumber JSON: {error}") from error
    for feature in features:
        for element in feature.elements:
            if element.type != "background":
                yield _read_scenario(element, feature, source)


def _read_scenario(element: _Element, feature: _Feature, source: str) -> TestCase:
    results = [step.result for step in (*element.before, *element.steps, *element.after)]
    failed = next((each for each in results if each.status == "failed"), None)
    outcome = TestOutcome.SUCCESS
    if failed is not None:
        outcome = TestOutcome.FAILURE
    elif any(each.status in _NOT_RUN for each in results):
        outcome = TestOutcome.SKIPPED
    return TestCase(
        name=element.name,
        classname=feature.name,
        file=feature.uri,
        source=source,
        result=outcome,
        seconds=sum(each.duration for each in results) / _NANO,
        message=failed.error_message[:MAX_MESSAGE] if failed is not None else "",
    )
