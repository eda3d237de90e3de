from penstock.engine.feed import Change, Feed, JobChanged, PipelineChanged, WorkflowChanged
from penstock.engine.transact import transact
from penstock.engine.unit import Unit
from tests.support.lab import Lab


def test_subscribers_hear_changes_in_order_until_they_leave() -> None:
    feed = Feed()
    first: list[Change] = []
    second: list[Change] = []
    leave = feed.subscribe(first.append)
    feed.subscribe(second.append)
    one, two = Change(pipeline="p", at=1), Change(pipeline="p", at=2)
    feed.publish([one, two])
    leave()
    leave()
    feed.publish([two])
    assert (first, second) == ([one, two], [one, two, two])


def test_the_life_of_a_run_is_told_from_pipeline_to_pipeline(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    lab.agent().work()
    told = [
        f"{change.name} {change.status}" if isinstance(change, JobChanged | WorkflowChanged) else "pipeline"
        for change in lab.changes
        if isinstance(change, JobChanged | WorkflowChanged | PipelineChanged)
    ]
    assert told == [
        "pipeline",
        "a blocked",
        "main queued",
        "a queued",
        "main running",
        "a running",
        "a success",
        "main success",
        "pipeline",
    ]
    assert {change.pipeline for change in lab.changes if isinstance(change, PipelineChanged)} == {
        pipeline.uuid
    }


def test_what_follows_is_done_after_the_commit_and_only_then(lab: Lab) -> None:
    done: list[str] = []

    def work(unit: Unit) -> str:
        unit.afterwards.append(lambda: done.append("after"))
        unit.changes.append(Change(pipeline="p", at=unit.now))
        assert done == []
        return "result"

    before = lab.parts.signal.count
    assert transact(lab.parts, work) == "result"
    assert (done, lab.changes[-1:], lab.parts.signal.count) == (
        ["after"],
        [Change(pipeline="p", at=lab.clock.now())],
        before,
    )
