"""Connections that break: what was sent is not sent again, and nothing is lost or done twice."""

import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from penstock.agent.remote import transport
from penstock.agent.remote.transport import RemoteServer
from penstock.agent.transport import BlobKind
from penstock.engine.gateway import Gateway
from penstock.model.errors import UnavailableError
from penstock.model.status import TaskStatus
from penstock.wire.messages import TaskFinished
from penstock.wire.protocol import SEGMENT
from tests.support.bad_wire import BadWire, bad_wire
from tests.support.lab import Lab
from tests.support.processes import wait_until
from tests.support.served import connect, serving
from tests.support.stations import Connected, Station, open_station


class Distant:
    """An agent behind a wire that may break, and a task of its own."""

    def __init__(self, station: Station, wire: BadWire) -> None:
        near = station.connect()
        self.lab = station.lab
        self.wire = wire
        self.links = connect(wire.url)
        self.agent = Connected(RemoteServer(self.links, near.uuid, near.token), near.uuid, near.token)

    def take(self) -> str:
        self.lab.run({"build": None})
        return self.agent.take().task


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE", 0.01)


@pytest.fixture
def distant(lab: Lab) -> Iterator[Distant]:
    with open_station("over HTTP", lab) as station:
        assert station.served is not None
        with bad_wire(urlsplit(station.served.url).port) as wire:
            made = Distant(station, wire)
            yield made
            made.links.close()


@pytest.mark.parametrize("after", [100, SEGMENT // 2, SEGMENT + SEGMENT // 3])
def test_an_upload_goes_on_where_it_was_cut(distant: Distant, after: int) -> None:
    task = distant.take()
    data = bytes(range(256)) * (5 * SEGMENT // 512)
    distant.wire.cut_all()
    distant.wire.cut(3, after)
    sent: list[int] = []

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(data), 100_000):
            sent.append(at)
            yield data[at : at + 100_000]

    blob = distant.agent.transport.upload(task, BlobKind.CACHE, chunks())
    assert distant.wire.broken >= 2
    assert sent == sorted(set(sent)), "the step was asked for bytes again"
    assert distant.lab.parts.blobs.read(blob) == data


def test_any_server_may_take_the_next_segment(distant: Distant) -> None:
    task = distant.take()
    data = bytes(range(256)) * (4 * SEGMENT // 256)
    with serving(distant.lab.parts, Gateway(distant.lab.parts)) as other:
        ports = [distant.wire.target, urlsplit(other.url).port] * 20

        def chunks() -> Iterator[bytes]:
            for at in range(0, len(data), SEGMENT // 2):
                distant.wire.target = ports.pop()
                distant.wire.cut_all()
                yield data[at : at + SEGMENT // 2]

        blob = distant.agent.transport.upload(task, BlobKind.CACHE, chunks())
        with distant.agent.transport.download(task, blob) as pieces:
            assert b"".join(pieces) == data


def test_a_download_goes_on_where_it_was_cut(distant: Distant) -> None:
    task = distant.take()
    data = bytes(range(256)) * 40_000
    blob = distant.agent.transport.upload(task, BlobKind.CACHE, [data])
    distant.wire.cut(3, down=3_000_000)
    with distant.agent.transport.download(task, blob) as pieces:
        assert b"".join(pieces) == data
    assert distant.wire.broken == 3


def test_a_transfer_that_is_cut_again_and_again_is_given_up(distant: Distant) -> None:
    task = distant.take()
    blob = distant.agent.transport.upload(task, BlobKind.CACHE, [b"abc" * 1000])
    distant.wire.cut_all()
    distant.wire.cut(1000, 10)
    with pytest.raises(UnavailableError, match=r"cut|reset"):
        distant.agent.transport.upload(task, BlobKind.CACHE, [b"abc" * 100_000])
    with pytest.raises(UnavailableError, match=r"cut|reset"), distant.agent.transport.download(task, blob):
        pass


def test_an_end_whose_answer_was_lost_counts_once(distant: Distant) -> None:
    task = distant.take()
    distant.wire.cut_all()
    distant.wire.cut(1, down=10)
    ended = TaskFinished(task=task, sequence=2, at=0, status=TaskStatus.SUCCESS)
    with pytest.raises(UnavailableError):
        distant.agent.sync(ended)
    distant.agent.sync(ended)
    [pipeline] = distant.lab.every_pipeline()
    assert distant.lab.jobs(pipeline) == {"build": "success"}


def test_work_for_an_agent_that_went_away_while_waiting_is_for_another(distant: Distant) -> None:
    lab = distant.lab
    gone: list[Exception] = []

    def wait() -> None:
        try:
            distant.agent.sync(free=1, wait=50)
        except UnavailableError as error:
            gone.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    wait_until(lambda: lab.gateway._waiting[distant.agent.uuid] == 1, what="it waits")
    distant.wire.target = None
    distant.wire.cut_all()
    waiter.join(20)
    assert len(gone) == 1
    wait_until(lambda: lab.gateway._waiting[distant.agent.uuid] == 0, what="the server notices")
    pipeline = lab.run({"build": None})
    lab.agent().work()
    assert lab.jobs(pipeline) == {"build": "success"}
