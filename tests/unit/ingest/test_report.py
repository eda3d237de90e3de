"""Reports told apart by their first byte: JUnit XML and Cucumber JSON."""

from io import BufferedReader, BytesIO

import msgspec
import pytest

from penstock.ingest.junit import ReportError
from penstock.ingest.report import read_report
from penstock.model.output import TestCase, TestOutcome


def read(data: bytes, directory: str = "") -> list[TestCase]:
    return list(read_report(BufferedReader(BytesIO(data)), "source", directory))


def scenario(name: str, *statuses: str, kind: str = "scenario") -> dict[str, object]:
    steps = [{"result": {"status": each, "duration": 500_000_000}, "keyword": "Given "} for each in statuses]
    return {"name": name, "type": kind, "keyword": "Scenario", "steps": steps}


def test_cucumbers_scenarios_are_cases_of_their_feature() -> None:
    broken = scenario("breaks", "passed", "failed", "skipped")
    broken["steps"][1]["result"]["error_message"] = "no water"  # type: ignore[index] # as built above
    elements = [scenario("", "passed", kind="background"), scenario("flows", "passed"), broken]
    elements.append(scenario("later", "undefined"))
    data = msgspec.json.encode([{"uri": "features/mill.feature", "name": "Mill", "elements": elements}])
    cases = read(data)
    assert [(case.name, case.result, case.seconds) for case in cases] == [
        ("flows", TestOutcome.SUCCESS, 0.5),
        ("breaks", TestOutcome.FAILURE, 1.5),
        ("later", TestOutcome.SKIPPED, 0.5),
    ]
    assert {(case.classname, case.file, case.source) for case in cases} == {
        ("Mill", "features/mill.feature", "source")
    }
    assert cases[1].message == "no water"


@pytest.mark.parametrize("data", [b"{}", b"[1]", b'[{"elements": 7}]', b"[", b'[{"name": "\xff"}]'])
def test_json_of_another_kind_is_said_to_be_no_report(data: bytes) -> None:
    with pytest.raises(ReportError, match="no Cucumber JSON"):
        read(data)


def test_files_below_the_jobs_folder_are_named_as_the_next_run_will_name_them() -> None:
    cases = b'<testcase name="a" file="/w/t/a.php"/><testcase name="b" file="/wide/b.php"/>'
    xml = b"<testsuite>" + cases + b"</testsuite>"
    assert [case.file for case in read(xml, "/w")] == ["t/a.php", "/wide/b.php"]
