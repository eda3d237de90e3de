"""Servers on one PostgreSQL wake each other's agents at once, and again after the connection broke."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.bootstrap.loops import Loop
from penstock.engine.echo import Echo
from penstock.engine.gateway import LOOK
from penstock.model.status import WorkflowStatus
from penstock.wire.messages import Commands, Sync
from tests.support.databases import PostgresServer
from tests.support.lab import Lab
from tests.support.processes import wait_until

pytestmark = pytest.mark.postgres


@pytest.fixture
def pair(postgresql: PostgresServer, tmp_path: Path) -> Iterator[tuple[Lab, Lab]]:
    """Two servers on one database, that call out to each other."""
    url = postgresql.new_database()
    first, second = Lab(url, tmp_path), Lab(url, tmp_path)
    with _echoing(first), _echoing(second):
        yield first, second
    first.close()
    second.close()
    postgresql.drop(url)


@contextmanager
def _echoing(lab: Lab) -> Iterator[None]:
    echo = Echo(lab.parts)
    loops = [Loop("echo", echo.tell), Loop("ear", echo.hear, echo.close)]
    begun = lab.parts.signal.count
    for each in loops:
        each.start()
    assert lab.parts.signal.wait(begun, 20), "it listens"
    try:
        yield
    finally:
        for each in loops:
            each.stop()
        for each in loops:
            each.join()


def test_an_agent_that_waits_at_one_server_gets_the_work_that_came_to_the_other(
    pair: tuple[Lab, Lab],
) -> None:
    first, second = pair
    agent = second.agent()
    heard: list[Commands] = []
    woken = threading.Event()
    second.parts.signal.watch(woken.set)
    waiting = threading.Thread(
        target=lambda: heard.append(second.gateway.sync(Sync(agent=agent.uuid, free=1, wait=600)))
    )
    waiting.start()
    pipeline = first.run({"a": None})
    assert woken.wait(20)
    waiting.join(LOOK * 10)
    (commands,) = heard
    assert len(commands.assignments) == 1
    assert first.status(pipeline) is WorkflowStatus.RUNNING


def test_what_a_server_hears_it_does_not_call_out_again(pair: tuple[Lab, Lab]) -> None:
    first, second = pair
    own = second.parts.signal.own
    count = second.parts.signal.count
    first.parts.signal.notify()
    assert second.parts.signal.wait(count, 20)
    assert second.parts.signal.own == own


def test_a_broken_connection_is_made_anew(pair: tuple[Lab, Lab], postgresql: PostgresServer) -> None:
    first, second = pair
    with second.parts.db.read() as tx:
        name = tx.exec_driver_sql("SELECT current_database()").scalar_one()
    count = second.parts.signal.count
    postgresql.cut_connections(name)
    assert second.parts.signal.wait(count, 20), "it listens again, and looks at what it missed"

    def hears() -> bool:
        seen = second.parts.signal.count
        first.parts.signal.notify()
        return second.parts.signal.wait(seen, 1)

    wait_until(hears, seconds=20, what="words are heard again")
