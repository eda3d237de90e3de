"""What an agent may count on when it talks to a server, whatever lies between them."""

import threading
from collections.abc import Iterator

import pytest
import zstandard

from penstock.agent.transport import BlobKind
from penstock.engine import segments, uploads
from penstock.engine.control import cancel_workflow
from penstock.engine.feed import OutputAdded
from penstock.model.errors import LimitExceededError, NotFoundError, PenstockError, UnavailableError
from penstock.model.run import Fork
from penstock.model.status import TaskStatus
from penstock.wire.messages import (
    ArtifactStored,
    CacheSaved,
    CancelTask,
    Commands,
    Continue,
    LogOutput,
    TaskFinished,
    TaskStarted,
    TokenWish,
)
from penstock.wire.protocol import SEGMENT
from tests.support.processes import wait_until
from tests.support.stations import Connected, Station


def fetch(agent: Connected, task: str, blob: str) -> bytes:
    with agent.transport.download(task, blob) as pieces:
        return b"".join(pieces)


def cache_of(task: str, key: str, blob: str, sequence: int) -> CacheSaved:
    return CacheSaved(task=task, sequence=sequence, at=0, key=key, size=3, blob=blob)


def test_a_task_is_given_run_and_ended(station: Station) -> None:
    pipeline = station.lab.run({"build": None})
    agent = station.connect()
    [assignment] = agent.sync(free=1).assignments
    assert (assignment.plan.name, assignment.index, assignment.total) == ("build", 0, 1)
    begun = TaskStarted(task=assignment.task, sequence=1, at=0)
    ended = TaskFinished(task=assignment.task, sequence=2, at=0, status=TaskStatus.SUCCESS)
    assert agent.sync(begun, ended) == Commands()
    assert agent.sync(begun, ended, free=1) == Commands()
    assert station.lab.jobs(pipeline) == {"build": "success"}


def test_what_is_canceled_and_what_is_lost_is_told(station: Station) -> None:
    lab = station.lab
    pipeline = lab.run({"a": None, "b": None})
    agent = station.connect()
    one, two = agent.sync(free=2).assignments
    agent.sync(TaskStarted(task=one.task, sequence=1, at=0))
    cancel_workflow(lab.parts, lab.workflow(pipeline).uuid)
    answer = agent.sync()
    assert {each.task for each in answer.cancel} == {one.task, two.task}
    assert all(isinstance(each, CancelTask) for each in answer.cancel)
    agent.held.append("01890000-0000-7000-8000-000000000000")
    assert agent.sync().lost == ("01890000-0000-7000-8000-000000000000",)


def test_a_wait_ends_with_work(station: Station) -> None:
    agent = station.connect()
    heard: list[Commands] = []
    waiter = threading.Thread(target=lambda: heard.append(agent.sync(free=1, wait=50)))
    waiter.start()
    wait_until(lambda: station.lab.gateway._waiting[agent.uuid] == 1, what="it waits")
    station.lab.run({"build": None})
    waiter.join(20)
    assert len(heard[0].assignments) == 1


def test_a_newer_message_ends_an_older_wait(station: Station) -> None:
    agent = station.connect()
    heard: list[Commands] = []
    waiter = threading.Thread(target=lambda: heard.append(agent.sync(wait=50)))
    waiter.start()
    wait_until(lambda: station.lab.gateway._waiting[agent.uuid] == 1, what="it waits")
    agent.sync()
    waiter.join(20)
    assert heard == [Commands()]


@pytest.mark.parametrize("size", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT + 5])
def test_what_is_uploaded_comes_back(station: Station, size: int) -> None:
    station.lab.run({"build": None})
    agent = station.connect()
    task = agent.take().task
    data = bytes(range(256)) * (size // 256 + 1)
    pieces = [data[at : min(at + 300_001, size)] for at in range(0, size, 300_001)]
    blob = agent.transport.upload(task, BlobKind.ARTIFACT, pieces)
    assert fetch(agent, task, blob) == data[:size]
    stored = dict(station.lab.parts.blobs.list())
    assert [name for name in stored if name.startswith(segments.ROOT)] == []
    agent.sync(ArtifactStored(task=task, sequence=2, at=0, path="a", size=size, blob=blob))


def test_an_upload_past_its_bound_is_refused_and_nothing_is_kept(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.lab.run({"build": None})
    agent = station.connect()
    task = agent.take().task
    monkeypatch.setitem(uploads.LIMITS, "artifact", SEGMENT + 10)
    with pytest.raises(LimitExceededError, match="larger than"):
        agent.transport.upload(task, BlobKind.ARTIFACT, [b"x" * SEGMENT, b"x" * 11])
    assert [name for name, _ in station.lab.parts.blobs.list()] == []


def test_an_upload_that_breaks_off_leaves_no_blob(station: Station) -> None:
    station.lab.run({"build": None})
    agent = station.connect()
    task = agent.take().task

    def chunks() -> Iterator[bytes]:
        yield b"x" * (SEGMENT + 1)
        raise UnavailableError("the disk is gone")

    with pytest.raises(UnavailableError, match="the disk is gone"):
        agent.transport.upload(task, BlobKind.CACHE, chunks())
    folders = {name.split("/")[0] for name, _ in station.lab.parts.blobs.list()}
    assert folders <= {segments.ROOT}
    assert segments.sweep_segments(station.lab.parts) == 0, "they may be gone on with"
    agent.sync(TaskFinished(task=task, sequence=2, at=0, status=TaskStatus.SUCCESS))
    segments.sweep_segments(station.lab.parts)
    assert list(station.lab.parts.blobs.list()) == []


def test_only_blobs_of_the_task_its_project_and_its_workspace_are_given(station: Station) -> None:
    lab = station.lab
    lab.run({"a": None})
    agent, other = station.connect(), station.connect()
    mine = agent.take().task
    blob = agent.transport.upload(mine, BlobKind.CACHE, [b"abc"])
    secret = agent.transport.upload(mine, BlobKind.ARTIFACT, [b"secret"])
    agent.sync(cache_of(mine, "key", blob, 2))
    lab.run({"b": None})
    sibling = other.take().task
    assert fetch(other, sibling, blob) == b"abc"
    with pytest.raises(NotFoundError):
        fetch(other, sibling, secret)
    lab.trigger({"workflows": {"main": {"jobs": {"c": None}}}}, project="another")
    stranger = other.take().task
    for wanted in (blob, secret, "cache/xx/none", "../../etc/passwd", "log/x"):
        with pytest.raises(PenstockError, match=r"no such blob|not a name|nothing at this"):
            fetch(other, stranger, wanted)


def test_a_fork_does_not_read_the_project_s_caches_by_name(station: Station) -> None:
    lab = station.lab
    lab.run({"a": None})
    agent = station.connect()
    mine = agent.take().task
    blob = agent.transport.upload(mine, BlobKind.CACHE, [b"abc"])
    agent.sync(cache_of(mine, "key", blob, 2))
    lab.trigger({"workflows": {"main": {"jobs": {"b": None}}}}, fork=Fork(number=1, owner="eve", name="app"))
    forked = agent.take().task
    assert agent.transport.find_cache(forked, ("key",)) is None
    with pytest.raises(NotFoundError):
        fetch(agent, forked, blob)


def test_caches_are_found_by_prefix_and_taken_keys_are_told(station: Station) -> None:
    station.lab.run({"build": None})
    agent = station.connect()
    task = agent.take().task
    assert agent.transport.find_cache(task, ("deps-",)) is None
    blob = agent.transport.upload(task, BlobKind.CACHE, [b"abc"])
    agent.sync(cache_of(task, "deps-1", blob, 2))
    hit = agent.transport.find_cache(task, ("none", "deps-"))
    assert hit is not None
    assert (hit.key, hit.blob, hit.size) == ("deps-1", blob, 3)
    assert agent.transport.has_cache(task, "deps-1")
    assert not agent.transport.has_cache(task, "deps-")


def test_copies_see_each_other(station: Station) -> None:
    station.lab.run({"build": {"parallelism": 3}})
    agent = station.connect()
    one, two = agent.sync(free=2).assignments
    statuses = agent.transport.find_others(one.task)
    assert sorted(statuses) == sorted([TaskStatus.RUNNING, TaskStatus.QUEUED])
    assert agent.transport.find_others(two.task) == statuses


def test_a_wish_to_continue_is_answered(station: Station) -> None:
    station.lab.run({"build": None})
    agent = station.connect()
    task = agent.take().task
    wish = Continue(request="1", key="none", configuration="version: 2.1", parameters={"a": 1, "b": True})
    assert agent.transport.continue_pipeline(task, wish).status == 404


def test_a_wish_for_an_identity_token_is_answered(station: Station) -> None:
    station.lab.run({"build": None})
    agent = station.connect()
    task = agent.take().task
    minted = agent.transport.mint_token(task, TokenWish(audience=("a", "b"), root=True, ttl="5m"))
    assert (minted.status, "only a server issues them" in minted.text) == (400, True)


def test_output_arrives_byte_by_byte(station: Station) -> None:
    station.lab.run({"build": None})
    agent = station.connect()
    task = agent.take().task
    data = bytes(range(256)) * 8
    frame = zstandard.ZstdCompressor().compress(data)
    piece = LogOutput(
        task=task, sequence=2, at=0, step=0, offset=0, size=len(data), first_line=0, lines=8, data=frame
    )
    agent.sync(piece)
    heard = [change.data for change in station.lab.changes if isinstance(change, OutputAdded)]
    assert heard == [frame]


def test_many_threads_may_ask_at_once(station: Station) -> None:
    station.lab.run({"build": None})
    agent = station.connect()
    task = agent.take().task
    done: list[bool] = []

    def work(number: int) -> None:
        data = bytes([number]) * 100_000
        blob = agent.transport.upload(task, BlobKind.ARTIFACT, [data])
        done.append(fetch(agent, task, blob) == data)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert done == [True] * 8
