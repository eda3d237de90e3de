"""Reports as test runners write them, each in the shape of its dialect."""

from io import BytesIO

import pytest

from penstock.ingest.junit import read_junit
from penstock.model.output import TestOutcome

PASSED, FAILED, ERROR, SKIPPED = (
    TestOutcome.SUCCESS,
    TestOutcome.FAILURE,
    TestOutcome.ERROR,
    TestOutcome.SKIPPED,
)

DIALECTS = {
    "pytest, xunit1": (
        """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" errors="1" failures="0"
        skipped="0" tests="2" time="0.120" timestamp="2026-01-02T03:04:05.678" hostname="box">
        <properties><property name="build" value="7"/></properties>
        <testcase classname="tests.test_pump.TestPump" name="test_flow[1-2]" file="tests/test_pump.py"
        line="11" time="0.004"><properties><property name="owner" value="me"/></properties></testcase>
        <testcase classname="tests.test_pump" name="test_leak" file="tests/test_pump.py" line="30" time="0.1">
        <error message="failed on setup">fixture 'well' not found</error>
        <system-out>--- Captured ---</system-out></testcase></testsuite></testsuites>""",
        [
            ("test_flow[1-2]", "tests.test_pump.TestPump", "tests/test_pump.py", PASSED, 0.004),
            ("test_leak", "tests.test_pump", "tests/test_pump.py", ERROR, 0.1),
        ],
    ),
    "jest-junit": (
        """<?xml version="1.0" encoding="UTF-8"?><testsuites name="jest tests" tests="2" failures="1"
        errors="0" time="1.5"><testsuite name="Sluice" errors="0" failures="1" skipped="0" tests="2"
        time="1.1"><testcase classname="Sluice opens" name="Sluice opens" time="0.5"
        file="src/sluice.test.ts">
        </testcase><testcase classname="Sluice shuts" name="Sluice shuts" time="0.6"
        file="src/sluice.test.ts"><failure>Error: expect(received).toBe(expected)
    at Object.&lt;anonymous&gt; (src/sluice.test.ts:9:3)</failure></testcase></testsuite></testsuites>""",
        [
            ("Sluice opens", "Sluice opens", "src/sluice.test.ts", PASSED, 0.5),
            ("Sluice shuts", "Sluice shuts", "src/sluice.test.ts", FAILED, 0.6),
        ],
    ),
    "mocha-junit-reporter, Cypress": (
        """<?xml version="1.0" encoding="UTF-8"?><testsuites name="Mocha Tests" time="3.2" tests="1"
        failures="0"><testsuite name="Root Suite" timestamp="2026-01-02T03:04:05" tests="0"
        file="cypress/e2e/login.cy.js" time="0.000" failures="0"></testsuite><testsuite name="login"
        tests="1" file="cypress/e2e/login.cy.js" time="3.2" failures="0"><testcase name="login lets you in"
        time="3.2000" classname="lets you in"></testcase></testsuite></testsuites>""",
        [("login lets you in", "lets you in", "cypress/e2e/login.cy.js", PASSED, 3.2)],
    ),
    "Maven surefire": (
        """<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0.2"
        name="org.mill.WheelTest" time="1,234.5" tests="2" errors="0" skipped="1" failures="0">
        <properties><property name="java.version" value="21"/></properties>
        <testcase name="turns" classname="org.mill.WheelTest" time="1,234.5"/>
        <testcase name="stops" classname="org.mill.WheelTest" time="0"><skipped message="no brake"/>
        </testcase></testsuite>""",
        [
            ("turns", "org.mill.WheelTest", "", PASSED, 1234.5),
            ("stops", "org.mill.WheelTest", "", SKIPPED, 0.0),
        ],
    ),
    "Gradle": (
        """<?xml version="1.0" encoding="UTF-8"?><testsuite name="org.mill.GateTest" tests="1" skipped="0"
        failures="1" errors="0" timestamp="2026-01-02T03:04:05.678Z" hostname="box" time="0.03">
        <properties/><testcase name="shuts()" classname="org.mill.GateTest" time="0.03">
        <failure message="expected: &lt;1&gt; but was: &lt;2&gt;"
        type="org.opentest4j.AssertionFailedError">trace</failure></testcase>
        <system-out><![CDATA[]]></system-out><system-err><![CDATA[oops]]></system-err></testsuite>""",
        [("shuts()", "org.mill.GateTest", "", FAILED, 0.03)],
    ),
    "gotestsum, go-junit-report": (
        """<?xml version="1.0" encoding="UTF-8"?><testsuites tests="2" failures="1" errors="0"
        time="0.2"><testsuite tests="2" failures="1" time="0.2" name="example.com/mill/race"
        timestamp="2026-01-02T03:04:05Z"><properties><property name="go.version" value="go1.24"/>
        </properties><testcase classname="example.com/mill/race" name="TestRun/fast" time="0.100000">
        </testcase><testcase classname="example.com/mill/race" name="TestRun" time="0.100000">
        <failure message="Failed" type="">race_test.go:7</failure></testcase></testsuite></testsuites>""",
        [
            ("TestRun/fast", "example.com/mill/race", "", PASSED, 0.1),
            ("TestRun", "example.com/mill/race", "", FAILED, 0.1),
        ],
    ),
    "rspec_junit_formatter": (
        """<?xml version="1.0" encoding="UTF-8"?><testsuite name="rspec" tests="1" skipped="0" failures="0"
        errors="0" time="0.02" timestamp="2026-01-02T03:04:05+00:00" hostname="box"><properties>
        <property name="seed" value="1"/></properties><testcase classname="spec.models.weir_spec"
        name="Weir holds" file="./spec/models/weir_spec.rb" time="0.01"></testcase></testsuite>""",
        [("Weir holds", "spec.models.weir_spec", "./spec/models/weir_spec.rb", PASSED, 0.01)],
    ),
    "minitest": (
        """<?xml version="1.0" encoding="UTF-8"?><testsuites><testsuite name="PondTest"
        filepath="test/pond_test.rb" skipped="0" failures="0" errors="0" tests="1" assertions="1"
        time="0.5"><testcase name="test_depth" lineno="4" classname="PondTest" assertions="1" time="0.5"
        file="test/pond_test.rb"></testcase></testsuite></testsuites>""",
        [("test_depth", "PondTest", "test/pond_test.rb", PASSED, 0.5)],
    ),
    "PHPUnit": (
        """<?xml version="1.0"?><testsuites><testsuite name="" tests="1"><testsuite name="Unit" tests="1">
        <testsuite name="DamTest" file="/app/tests/DamTest.php" tests="1" assertions="1" errors="0">
        <testsuite name="DamTest::testHolds" tests="1"><testcase name="testHolds with data set #0"
        class="DamTest" classname="DamTest" file="/app/tests/DamTest.php" line="9" assertions="1"
        time="0.25"/></testsuite></testsuite></testsuite></testsuite></testsuites>""",
        [("testHolds with data set #0", "DamTest", "/app/tests/DamTest.php", PASSED, 0.25)],
    ),
    "CTest": (
        """<testsuite name="Linux-c++" tests="3" failures="1" disabled="1" skipped="0" hostname="box"
        time="1"><testcase name="unit" classname="unit" time="0.5" status="run"><system-out/></testcase>
        <testcase name="slow" classname="slow" time="0.5" status="fail"><failure message=""/>
        </testcase><testcase name="gone" classname="gone" time="0" status="disabled"/></testsuite>""",
        [
            ("unit", "unit", "", PASSED, 0.5),
            ("slow", "slow", "", FAILED, 0.5), ("gone", "gone", "", SKIPPED, 0.0),
        ],
    ),
    "GoogleTest": (
        """<testsuites tests="2" failures="0" disabled="0" errors="0" time="0.3" name="AllTests">
        <testsuite name="Valve" tests="2" failures="0" disabled="0" skipped="0" errors="0" time="0.3">
        <testcase name="Opens" file="valve_test.cc" line="3" status="run" result="completed" time="0.3"
        timestamp="2026-01-02T03:04:05.678" classname="Valve"/><testcase name="DISABLED_Shuts"
        file="valve_test.cc" line="8" status="notrun" result="suppressed" time="0." classname="Valve"/>
        </testsuite></testsuites>""",
        [
            ("Opens", "Valve", "valve_test.cc", PASSED, 0.3),
            ("DISABLED_Shuts", "Valve", "valve_test.cc", SKIPPED, 0.0),
        ],
    ),
    "Playwright": (
        """<testsuites id="" name="" tests="1" failures="1" skipped="0" errors="0" time="2.5">
        <testsuite name="gate.spec.ts" timestamp="2026-01-02T03:04:05.678Z" hostname="chromium" tests="1"
        failures="1" skipped="0" time="2.4" errors="0"><testcase name="opens" classname="gate.spec.ts"
        time="2.4"><failure message="gate.spec.ts:3:5 opens" type="FAILURE"><![CDATA[ [chromium] gate ]]>
        </failure><system-out><![CDATA[[[ATTACHMENT|a.png]]]]></system-out></testcase></testsuite>
        </testsuites>""",
        [("opens", "gate.spec.ts", "", FAILED, 2.4)],
    ),
    "Bazel": (
        """<?xml version="1.0" encoding="UTF-8"?><testsuites><testsuite name="//mill:wheel_test" tests="1"
        failures="0" errors="1"><testcase name="//mill:wheel_test" status="run" duration="3" time="3">
        <error message="exited with error code 1"></error></testcase><system-out>log</system-out>
        </testsuite></testsuites>""",
        [("//mill:wheel_test", "//mill:wheel_test", "", ERROR, 3.0)],
    ),
    "ESLint, Ruff": (
        """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite package="org.eslint" time="0"
        tests="1" errors="1" name="/app/lock.js"><testcase time="0" name="org.eslint.no-undef"
        classname="/app/lock"><failure message="'x' is not defined."><![CDATA[line 1, col 1]]></failure>
        </testcase></testsuite></testsuites>""",
        [("org.eslint.no-undef", "/app/lock", "", FAILED, 0.0)],
    ),
    ".NET's JunitXml.TestLogger": (
        """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="Mill.Tests.dll" tests="1"
        skipped="0" failures="0" errors="0" time="0,5" timestamp="2026-01-02T03:04:05"><properties/>
        <testcase classname="Mill.Tests.Race" name="Runs" time="0,5000000"/><system-out/></testsuite>
        </testsuites>""",
        [("Runs", "Mill.Tests.Race", "", PASSED, 0.5)],
    ),
    "cargo nextest": (
        """<?xml version="1.0" encoding="UTF-8"?><testsuites name="nextest-run" tests="1" failures="0"
        uuid="0f" time="0.1"><testsuite name="mill::race" tests="1" disabled="0" errors="0" failures="0">
        <testcase name="tests::runs" classname="mill::race" time="0.1"><flakyFailure type="test failure"
        time="0.2">panicked</flakyFailure></testcase></testsuite></testsuites>""",
        [("tests::runs", "mill::race", "", PASSED, 0.1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_is_read(dialect: str) -> None:
    text, expected = DIALECTS[dialect]
    cases = read_junit(BytesIO(text.encode()))
    assert [(each.name, each.classname, each.file, each.result, each.seconds) for each in cases] == expected
