"""A whole agent behind a wire that breaks: what it does when it was away for longer than its lease."""

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from penstock.agent.executor.host import HostExecutor
from penstock.agent.loop import Agent
from penstock.agent.remote.transport import RemoteServer
from tests.support.agents import QUICK
from tests.support.bad_wire import BadWire, bad_wire
from tests.support.lab import LAPSE, Lab
from tests.support.processes import mark_of, processes_with, wait_until
from tests.support.served import connect
from tests.support.stations import open_station


@pytest.fixture
def wire(lab: Lab, tmp_path: Path) -> Iterator[BadWire]:
    """The wire of an agent that works in this process."""
    with open_station("over HTTP", lab) as station:
        assert station.served is not None
        near = station.connect()
        with bad_wire(urlsplit(station.served.url).port) as wire:
            links = connect(wire.url)
            executor = HostExecutor(tmp_path / "work", adopts=False)
            server = RemoteServer(links, near.uuid, near.token)
            agent = Agent(server, lambda _: executor, name=near.uuid, tuning=QUICK)
            thread = threading.Thread(target=agent.run)
            thread.start()
            yield wire
            agent.stop(now=True)
            thread.join(30)
            executor.close()
            links.close()


def job(command: str) -> dict[str, object]:
    return {"steps": [{"kind": "run", "name": "it", "command": command}]}


def test_an_agent_that_was_away_too_long_stops_its_job_which_is_tried_again(
    lab: Lab, wire: BadWire, tmp_path: Path
) -> None:
    target, mark = wire.target, mark_of(tmp_path)
    pipeline = lab.run({"long": job(f"test -e {tmp_path}/on && exit; touch {tmp_path}/on; sleep {mark}")})
    wait_until((tmp_path / "on").exists, what="the job runs")
    [task] = lab.tasks(pipeline, "long")
    wait_until(lambda: len(lab.steps(task)) == 1, what="the server knows")
    wire.target = None
    wire.cut_all()
    lab.pass_time(LAPSE)
    assert lab.jobs(pipeline) == {"long": "queued"}
    assert processes_with(mark)
    wire.target = target
    wait_until(lambda: lab.jobs(pipeline) == {"long": "success"}, what="the second attempt passes")
    assert not processes_with(mark), "the slot was free again only when the first was gone"
    first, second = lab.tasks(pipeline, "long")
    assert (first.status, first.reason) == ("infrastructure_fail", "agent_lost")
    assert (second.status, second.attempt) == ("success", 2)


def test_an_agent_that_was_away_for_a_moment_goes_on(lab: Lab, wire: BadWire, tmp_path: Path) -> None:
    target = wire.target
    script = f"touch {tmp_path}/on; until test -e {tmp_path}/go; do sleep 0.05; done; echo end"
    pipeline = lab.run({"long": job(script)})
    wait_until((tmp_path / "on").exists, what="the job runs")
    wire.target = None
    wire.cut_all()
    lab.pass_time(LAPSE - 5)
    (tmp_path / "go").touch()
    wire.target = target
    wait_until(lambda: lab.jobs(pipeline) == {"long": "success"}, what="it ends")
