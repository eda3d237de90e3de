"""What is old goes, with all its blobs and nothing else, also after a cleaning that was killed."""

import pytest
from sqlalchemy import text

from penstock.engine.cleaning import Cleaned, Wish, clean, preview_cleaning
from penstock.engine.control import rerun_workflow
from penstock.model.errors import NotFoundError, UnavailableError
from penstock.model.run import Pipeline
from penstock.model.status import TaskStatus
from penstock.store import retention
from penstock.store.blobs import Blobs
from penstock.wire.messages import AnyEvent, ArtifactStored, CacheSaved, LayerSaved, LogOutput
from tests.support.lab import HandAgent, Lab

DAY = 86_400
LOG = b"\x28\xb5\x2f\xfd" + bytes(20 << 10)  # too large for a row; it is never read


def upload(lab: Lab, task: str, kind: str) -> str:
    return lab.gateway.upload(task, kind, [b"0123456789"])


def leave(lab: Lab, agent: HandAgent, task: str, key: str) -> list[AnyEvent]:
    """An event for each kind of blob, which is stored."""
    at = lab.clock.now()
    return [
        ArtifactStored(
            task=task, sequence=agent.next(task), at=at, path="a", size=10, blob=upload(lab, task, "artifact")
        ),
        CacheSaved(
            task=task, sequence=agent.next(task), at=at, key=key, size=10, blob=upload(lab, task, "cache")
        ),
        LayerSaved(task=task, sequence=agent.next(task), at=at, size=10, blob=upload(lab, task, "layer")),
        LogOutput(
            task=task,
            sequence=agent.next(task),
            at=at,
            step=0,
            offset=0,
            size=10,
            first_line=0,
            lines=0,
            data=LOG,
        ),
    ]


def run_one(lab: Lab, key: str = "k", status: TaskStatus = TaskStatus.SUCCESS) -> Pipeline:
    """A pipeline that has ended and left one blob of each kind."""
    pipeline = lab.run({"job": None})
    agent = lab.agent()
    task = agent.take()
    agent.sync(agent.started(task), agent.step_started(task), *leave(lab, agent, task, key))
    agent.end(task, status)
    return pipeline


def kinds(lab: Lab) -> list[str]:
    """The kinds of the blobs there are."""
    return sorted(name.partition("/")[0] for name, _ in lab.parts.blobs.list())


def wish(lab: Lab, *, older: float = DAY, keep: int = 0, caches: float | None = None) -> Wish:
    now = lab.clock.now()
    age = older if caches is None else caches
    return Wish(before=now - round(older * 1000), keep=keep, caches_before=now - round(age * 1000))


def count_rows(lab: Lab, table: str) -> int:
    with lab.parts.db.read() as tx:
        return int(tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - names of ours


ALL = ["artifact", "cache", "layer", "logs"]


def test_an_old_run_goes_with_all_it_left(lab: Lab) -> None:
    pipeline = run_one(lab)
    lab.clock.advance(2 * DAY)
    assert kinds(lab) == ALL
    foreseen = preview_cleaning(lab.parts, wish(lab))
    assert kinds(lab) == ALL
    done = clean(lab.parts, wish(lab))
    assert done == foreseen == Cleaned(runs=(pipeline.uuid,), caches=1, blobs=4, size=30 + len(LOG))
    assert kinds(lab) == []
    tables = ("pipelines", "workflows", "jobs", "tasks", "steps", "log_chunks", "workspace_layers", "caches")
    assert [count_rows(lab, table) for table in tables] == [0] * len(tables)


def test_the_young_and_the_newest_stay(lab: Lab) -> None:
    for key in "abc":
        run_one(lab, key)
        lab.clock.advance(2 * DAY)
    young = run_one(lab, "d")
    done = clean(lab.parts, wish(lab, keep=2))
    assert len(done.runs) == 2
    assert [each.number for each in lab.every_pipeline()] == [young.number, young.number - 1]
    assert kinds(lab).count("artifact") == 2


def test_caches_may_stay_longer_than_their_run_and_go_alone(lab: Lab) -> None:
    run_one(lab)
    lab.clock.advance(2 * DAY)
    assert clean(lab.parts, wish(lab, caches=9 * DAY)).caches == 0
    assert kinds(lab) == ["cache"]
    run_one(lab, "young")
    assert clean(lab.parts, wish(lab, older=9 * DAY, caches=-1)).caches == 2
    assert kinds(lab) == ["artifact", "layer", "logs"]


def test_what_runs_is_left_alone_with_what_it_has_just_uploaded(lab: Lab) -> None:
    lab.run({"job": None})
    agent = lab.agent()
    task = agent.take()
    agent.sync(agent.started(task), agent.step_started(task))
    lab.clock.advance(20)
    blob = upload(lab, task, "artifact")
    assert clean(lab.parts, wish(lab, older=-1)) == Cleaned(runs=(), caches=0, blobs=0, size=0)
    stored = ArtifactStored(
        task=task, sequence=agent.next(task), at=lab.clock.now(), path="a", size=10, blob=blob
    )
    agent.sync(stored)
    agent.end(task)
    assert clean(lab.parts, wish(lab)).blobs == 0
    assert lab.parts.blobs.read(blob) == b"0123456789"


def test_a_run_that_a_command_owns_is_left_alone(lab: Lab) -> None:
    run_one(lab)
    with lab.parts.db.write() as tx:
        tx.execute(text("UPDATE pipelines SET owner = 'somebody'"))
    lab.clock.advance(2 * DAY)
    assert clean(lab.parts, wish(lab, caches=9 * DAY)).runs == ()


def test_what_an_ended_task_uploaded_and_never_reported_goes(lab: Lab) -> None:
    pipeline = lab.run({"job": None})
    agent = lab.agent()
    task = agent.take()
    agent.end(task)
    for kind in ("artifact", "cache", "layer", "test-report"):
        upload(lab, task, kind)
    assert clean(lab.parts, wish(lab)).blobs == 4
    assert [each.uuid for each in lab.every_pipeline()] == [pipeline.uuid]


def test_names_that_are_not_ours_are_left_alone(lab: Lab) -> None:
    lab.parts.blobs.put("notes/mine", [b"x"])
    lab.parts.blobs.put("artifact/readme", [b"x"])
    clean(lab.parts, wish(lab))
    assert {name for name, _ in lab.parts.blobs.list()} == {"notes/mine", "artifact/readme"}


def test_layers_that_a_rerun_took_over_stay_as_long_as_it(lab: Lab) -> None:
    pipeline = lab.run({"a": None, "b": {"needs": ["a"]}})
    agent = lab.agent()
    task = agent.take()
    agent.sync(agent.started(task), agent.step_started(task), *leave(lab, agent, task, "k"))
    agent.end(task)
    agent.work(TaskStatus.FAILED)
    lab.clock.advance(2 * DAY)
    rerun_workflow(lab.parts, lab.workflow(pipeline).uuid, from_failed=True)
    assert clean(lab.parts, wish(lab, caches=9 * DAY)).runs == ()
    assert kinds(lab) == ALL
    agent.work()
    lab.clock.advance(2 * DAY)
    assert len(clean(lab.parts, wish(lab)).runs) == 1
    assert kinds(lab) == []


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_cleaning_that_is_killed_is_finished_by_the_next(
    lab: Lab, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipelines = [run_one(lab, key) for key in "ab"]
    lab.clock.advance(2 * DAY)
    real = Blobs.delete
    deleted: list[str] = []

    def delete(blobs: Blobs, name: str) -> None:
        if len(deleted) == after:
            raise Killed
        real(blobs, name)
        deleted.append(name)

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "delete", delete)
        with pytest.raises(Killed):
            clean(lab.parts, wish(lab))
    assert lab.every_pipeline() == []
    assert len(kinds(lab)) == 8 - after
    assert clean(lab.parts, wish(lab)).blobs == 8 - after
    assert kinds(lab) == []
    with pytest.raises(NotFoundError):
        rerun_workflow(lab.parts, pipelines[0].uuid)


def test_a_cleaning_killed_between_runs_leaves_whole_ones(lab: Lab) -> None:
    first, second = (run_one(lab, key) for key in "ab")
    lab.clock.advance(2 * DAY)

    def stop(_: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        clean(lab.parts, wish(lab), stop)
    assert [each.uuid for each in lab.every_pipeline()] == [second.uuid]
    assert lab.jobs(second) == {"job": "success"}
    assert clean(lab.parts, wish(lab)).runs == (second.uuid,)
    assert first.number < second.number


def test_a_blob_store_that_is_away_loses_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run_one(lab)
    lab.clock.advance(2 * DAY)

    def refuse(_blobs: Blobs, _name: str) -> None:
        raise UnavailableError("the blob store does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "delete", refuse)
        with pytest.raises(UnavailableError):
            clean(lab.parts, wish(lab))
    assert clean(lab.parts, wish(lab)).blobs == 4


def test_a_run_that_was_repeated_meanwhile_is_not_removed(lab: Lab) -> None:
    pipeline = run_one(lab, status=TaskStatus.FAILED)
    lab.clock.advance(2 * DAY)
    rerun_workflow(lab.parts, lab.workflow(pipeline).uuid)
    with lab.parts.db.write() as tx:
        assert retention.remove_pipeline(tx, pipeline.id) is None
    assert lab.jobs(pipeline) == {"job": "queued"}


def test_agents_of_commands_that_are_long_over_are_forgotten(lab: Lab) -> None:
    for name in ("local-old", "steady"):
        HandAgent(lab, name, slots=1, labels=())
    lab.clock.advance(2 * DAY)
    busy = HandAgent(lab, "local-busy", slots=1, labels=())
    lab.run({"job": None})
    busy.take()
    clean(lab.parts, wish(lab, older=-1))
    with lab.parts.db.read() as tx:
        names = set(tx.execute(text("SELECT name FROM agents")).scalars())
    assert names == {"steady", "local-busy"}


def test_numbers_are_not_given_again(lab: Lab) -> None:
    old = run_one(lab)
    lab.clock.advance(2 * DAY)
    clean(lab.parts, wish(lab))
    assert run_one(lab).number == old.number + 1
