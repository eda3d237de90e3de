"""Findings: collected once, ordered by place, printed for people."""

from penstock.kit.marks import Mark
from penstock.language.common.diagnostic import MOST_FINDINGS, Reporter, render, suggest_name
from penstock.model.diagnostic import Diagnostic, Severity


def test_the_same_finding_at_the_same_place_is_kept_once_with_its_first_calls() -> None:
    report = Reporter()
    with report.calling("workflow", "a"):
        report.error("x", "wrong", Mark("f", 2, 1))
    with report.calling("workflow", "b"):
        report.error("x", "wrong", Mark("f", 2, 1))
        report.error("x", "wrong", Mark("f", 1, 1))
    found = report.list_findings()
    assert [finding.mark.line for finding in found] == [1, 2]
    assert found[1].scope == ("Error calling workflow: 'a'",)


def test_only_errors_fail() -> None:
    harmless, report = Reporter(), Reporter()
    harmless.warn("x", "odd", Mark("f", 1, 1))
    assert not harmless.failed
    report.warn("x", "odd", Mark("f", 1, 1))
    report.suggest("x", "unused", Mark("f", 2, 1))
    report.error("x", "wrong", Mark("f", 3, 1))
    assert report.failed
    assert [finding.severity for finding in report.list_findings()] == ["warning", "hint", "error"]


def test_calls_are_forgotten_when_they_end() -> None:
    report = Reporter()
    with report.calling("job", "a"), report.calling("command", "b"):
        report.error("x", "in", Mark("f", 1, 1))
    report.error("x", "out", Mark("f", 2, 1))
    assert [finding.scope for finding in report.list_findings()] == [
        ("Error calling job: 'a'", "Error calling command: 'b'"),
        (),
    ]


def test_a_flood_of_findings_is_bounded() -> None:
    report = Reporter()
    for line in range(2 * MOST_FINDINGS):
        report.error("x", "wrong", Mark("f", line + 1, 1))
    assert len(report.list_findings()) == MOST_FINDINGS


def test_a_spoiled_element_is_known_by_identity() -> None:
    report, first, second = Reporter(), {"a": 1}, {"a": 1}
    report.spoil(first)
    assert report.is_spoiled(first)
    assert not report.is_spoiled(second)


def test_rendering_shows_the_line_a_caret_and_the_way_out() -> None:
    finding = Diagnostic(
        severity=Severity.ERROR, code="unknown-job", message="Cannot find x", mark=Mark("c.yml", 12, 5),
        scope=("Error calling workflow: 'w'",), source="\t  - x", hint="did you mean 'y'?",
    )  # fmt: skip
    assert render(finding).splitlines() == [
        "c.yml:12:5: error: Cannot find x [unknown-job]",
        "  Error calling workflow: 'w'",
        "  12 | \t  - x",
        "     | \t   ^",
        "  hint: did you mean 'y'?",
    ]


def test_of_a_long_line_only_what_is_around_the_place_is_shown() -> None:
    source = "a" * 500 + "HERE" + "b" * 500
    finding = Diagnostic(
        severity=Severity.ERROR, code="x", message="m", mark=Mark("f", 1, 501), source=source
    )
    _, line, caret = render(finding).splitlines()
    assert len(line) < 200
    assert line[caret.index("^") :].startswith("HERE")


def test_a_finding_without_a_line_is_one_line() -> None:
    finding = Diagnostic(severity=Severity.WARNING, code="x", message="m", mark=Mark("f"))
    assert render(finding) == "f: warning: m [x]"


def test_suggestions_prefer_a_close_name_and_list_only_a_few() -> None:
    assert suggest_name("biuld", ["build", "test"]) == "did you mean 'build'?"
    assert suggest_name("zzz", ["build", "test"]) == "known here: build, test"
    assert suggest_name("zzz", []) == ""
    assert suggest_name("zzz", [f"name{n}" for n in range(100)]) == ""
