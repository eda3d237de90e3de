"""What an agent is given with a task."""

from pathlib import Path

from penstock.engine.variables import GivenVariables
from penstock.wire.messages import TestReport as ReportStored
from tests.support.compact import Compact
from tests.support.lab import Lab


def test_later_contexts_win_over_earlier_ones_and_over_the_project(tmp_path: Path) -> None:
    contexts = {"first": {"B": "first", "C": "first"}, "second": {"C": "second"}}
    variables = GivenVariables(project={"A": "project", "B": "project"}, contexts=contexts)
    lab = Lab(f"sqlite:///{tmp_path}/penstock.db", tmp_path, variables=variables)
    lab.run({"a": {"contexts": ["first", "second", "unknown"]}, "b": None})
    a, b = lab.agent().claim(2)
    assert {name: a.environment[name] for name in "ABC"} == {"A": "project", "B": "first", "C": "second"}
    assert a.secrets == ("project", "first", "second")
    assert b.secrets == ("project",)
    assert "C" not in b.environment
    lab.close()


def test_built_in_variables_win_over_all(tmp_path: Path) -> None:
    lab = Lab(
        f"sqlite:///{tmp_path}/penstock.db", tmp_path, variables=GivenVariables(project={"CIRCLE_JOB": "x"})
    )
    pipeline = lab.run({"first": None, "a": {"needs": ["first"], "parallelism": 2}})
    agent = lab.agent()
    agent.work()
    _, second = agent.claim(2)
    assert second.environment["CIRCLE_JOB"] == "a"
    assert second.environment["CIRCLE_NODE_INDEX"] == "1"
    assert second.environment["CIRCLE_NODE_TOTAL"] == "2"
    assert second.environment["CIRCLE_BUILD_NUM"] == str(second.number) == "2"
    assert second.environment["CIRCLE_WORKFLOW_ID"] == lab.workflow(pipeline).uuid
    assert second.environment["CIRCLE_BRANCH"] == "main"
    lab.close()


def test_an_assignment_names_its_source_and_its_plan(lab: Lab) -> None:
    pipeline = lab.run({"a": {"steps": ["make"]}})
    [assignment] = lab.agent().claim()
    assert assignment.source is not None
    assert assignment.source.url == "https://example.com/app.git"
    assert assignment.source.revision == pipeline.revision
    assert [step.name for step in assignment.plan.steps] == ["make"]
    assert (assignment.attempt, assignment.index, assignment.total, assignment.lease) == (1, 0, 1, 30.0)
    assert (assignment.layers, assignment.timings) == ((), {})


SPLIT: Compact = {"steps": ["circleci tests run --split-by=timings"]}


def test_timings_are_given_to_jobs_that_may_split_by_them(lab: Lab) -> None:
    agent = lab.agent()
    for job in (SPLIT, SPLIT, None):
        lab.run({"a": job})
        [assignment] = agent.claim()
        if job is not None and assignment.number == 2:
            assert assignment.timings == {"t.py": 2.5, "T": 2.5}
        task = assignment.task
        data = b'<testsuite><testcase name="t" classname="T" file="t.py" time="2.5"/></testsuite>'
        blob = lab.gateway.upload(task, "test-report", [data])
        stored = ReportStored(
            task=task, sequence=agent.next(task), at=lab.clock.now(), source="r.xml", size=9, blob=blob
        )
        agent.sync(stored, agent.finished(task))
        if job is None:
            assert assignment.timings == {}
