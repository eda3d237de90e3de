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


def test_who_watches_a_pipeline_hears_of_its_transactions_and_of_no_other() -> None:
    feed = Feed()
    heard: list[list[Change]] = []
    unwatch = feed.watch("p", lambda changes: heard.append(list(changes)))
    beside = feed.watch("p", lambda changes: heard.append(list(changes)))
    one, two, other = (Change(pipeline=name, at=at) for name, at in (("p", 1), ("p", 2), ("q", 3)))
    feed.publish([one, two])
    feed.publish([other])
    beside()
    assert heard == [[one, two], [one, two]]
    feed.publish([one])
    unwatch()
    unwatch()
    feed.publish([two])
    assert heard[2:] == [[one]]


def test_who_watches_is_told_when_nobody_needs_to_any_more() -> None:
    feed = Feed()
    heard: list[list[Change]] = []
    feed.watch("p", lambda changes: heard.append(list(changes)))
    feed.close()
    assert (feed.closed, heard) == (True, [[]])
