"""JUnit XML as pytest, Maven, Jest, RSpec, Mocha, Go and others write it."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.ingest.junit import MAX_MESSAGE, ReportError, read_junit
from penstock.model.output import TestCase, TestOutcome


def read(text: str) -> list[TestCase]:
    return list(read_junit(BytesIO(text.encode())))


def test_every_result_of_a_case_is_read() -> None:
    cases = read("""<?xml version="1.0"?><testsuites><testsuite name="s">
      <testcase name="a" classname="C" file="t.py" time="0.25"/>
      <testcase name="b" classname="C" time="1"><failure message="boom">at line 3</failure></testcase>
      <testcase name="c" classname="C"><error message="no fixture"/></testcase>
      <testcase name="d" classname="C"><skipped message="later"/></testcase>
    </testsuite></testsuites>""")
    assert [(case.name, case.result) for case in cases] == [
        ("a", TestOutcome.SUCCESS),
        ("b", TestOutcome.FAILURE),
        ("c", TestOutcome.ERROR),
        ("d", TestOutcome.SKIPPED),
    ]
    assert cases[0] == TestCase(
        name="a", classname="C", file="t.py", result=TestOutcome.SUCCESS, seconds=0.25
    )
    assert cases[1].message == "boom\nat line 3"


def test_a_single_suite_may_be_the_root() -> None:
    assert [case.name for case in read('<testsuite><testcase name="a"/></testsuite>')] == ["a"]


def test_nested_suites_hand_their_file_and_name_down() -> None:
    cases = read("""<testsuites><testsuite name="outer" file="outer.js">
      <testsuite name="inner"><testcase name="a"/></testsuite>
      <testsuite name="own" file="own.js"><testcase name="b" classname="K"/></testsuite>
      <testcase name="c"/></testsuite></testsuites>""")
    assert [(case.name, case.classname, case.file) for case in cases] == [
        ("a", "inner", "outer.js"),
        ("b", "K", "own.js"),
        ("c", "outer", "outer.js"),
    ]


def test_a_failure_after_an_error_does_not_hide_it() -> None:
    case = read('<testsuite><testcase name="a"><failure/><error message="e"/></testcase></testsuite>')[0]
    assert (case.result, case.message) == (TestOutcome.ERROR, "e")


def test_earlier_attempts_of_a_flaky_test_do_not_count() -> None:
    case = read(
        '<testsuite><testcase name="a"><flakyFailure message="once"/><rerunFailure/></testcase></testsuite>'
    )[0]
    assert case.result is TestOutcome.SUCCESS


@pytest.mark.parametrize(
    ("attributes", "result"),
    [
        ('status="skipped"', TestOutcome.SKIPPED),
        ('status="notrun"', TestOutcome.SKIPPED),
        ('status="run"', TestOutcome.SUCCESS),
        ('status="run" result="suppressed"', TestOutcome.SKIPPED),
        ('status="Failed"', TestOutcome.FAILURE),
        ('result="completed"', TestOutcome.SUCCESS),
    ],
)
def test_attributes_say_what_children_do_not(attributes: str, result: TestOutcome) -> None:
    assert read(f'<testsuite><testcase name="a" {attributes}/></testsuite>')[0].result is result


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567.0),
        ("0,25", 0.25),
        ("0.001s", 0.001),
        ("1e-3", 0.001),
        ("", 0.0),
        ("NaN", 0.0),
        ("-1", 0.0),
        ("fast", 0.0),
    ],
)
def test_times_are_read_as_runners_write_them(time: str, seconds: float) -> None:
    assert read(f'<testsuite><testcase name="a" time="{time}"/></testsuite>')[0].seconds == seconds


def test_a_namespace_does_not_matter() -> None:
    assert read('<testsuite xmlns="urn:x"><testcase name="a"/></testsuite>')[0].name == "a"


def test_a_long_message_is_cut() -> None:
    long = "x" * (MAX_MESSAGE + 1)
    case = read(f'<testsuite><testcase name="a"><failure>{long}</failure></testcase></testsuite>')[0]
    assert len(case.message) == MAX_MESSAGE


def test_a_message_that_begins_the_text_stands_once() -> None:
    case = read('<testsuite><testcase name="a"><failure message="x">x at 1</failure></testcase></testsuite>')[
        0
    ]
    assert case.message == "x at 1"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not well-formed"),
        ("<testsuite>", "not well-formed"),
        ("plain", "not well-formed"),
        ('<?xml version="1.0" encoding="klingon"?><testsuite/>', "not well-formed"),
        ('<?xml version="1.0" encoding="utf-7"?><testsuite/>', "not well-formed"),
        ("<html/>", "root element is <html>"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><testsuite name="&a;"/>', "entity declarations"),
    ],
)
def test_what_is_no_report_is_said_so(text: str, reason: str) -> None:
    with pytest.raises(ReportError, match=reason):
        read(text)


def test_cases_before_a_fault_are_kept() -> None:
    cases = read_junit(BytesIO(b'<testsuite><testcase name="a"/><testcase name='))
    assert next(cases).name == "a"
    with pytest.raises(ReportError):
        list(cases)


@given(st.binary(max_size=300))
def test_any_bytes_give_cases_or_one_clear_error(noise: bytes) -> None:
    try:
        cases = list(read_junit(BytesIO(b"<testsuite><testcase name='a'/>" + noise + b"</testsuite>")))
    except ReportError:
        return
    assert cases[0].name == "a"
