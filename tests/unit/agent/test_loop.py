"""Claiming, delivering, stopping: the conversation with the server, with an executor that runs nothing."""

import threading
import time
from collections.abc import Iterator

import msgspec
import pytest

from penstock.agent.executor.dummy import DummyExecutor
from penstock.agent.loop import Agent
from penstock.model.errors import ForbiddenError, RefusedError, UnavailableError
from penstock.model.status import Reason, TaskStatus
from penstock.plan.workflow import JobPlan
from penstock.wire.messages import CancelTask, Commands, Sync, TaskFinished
from tests.support.agents import QUICK, agent_at_work, assign
from tests.support.transport import FakeServer

BRIEF = msgspec.structs.replace(QUICK, poll=0.3)
SLOW = JobPlan(name="job", environment={"DUMMY_SECONDS": "100"})


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def dummy() -> DummyExecutor:
    return DummyExecutor()


@pytest.fixture
def agent(server: FakeServer, dummy: DummyExecutor) -> Iterator[Agent]:
    with agent_at_work(server, dummy) as agent:
        yield agent


def finished(server: FakeServer) -> int:
    return sum(isinstance(event, TaskFinished) for event in server.events)


def begun(server: FakeServer, task: str) -> bool:
    return bool(server.of(task))


@pytest.mark.usefixtures("agent")
def test_a_busy_agent_needs_about_one_message_per_task(server: FakeServer) -> None:
    begun = time.monotonic()
    server.give(*(assign("true") for _ in range(50)))
    server.wait_until(lambda: finished(server) == 50)
    polls = (time.monotonic() - begun) / 0.2
    assert len(server.messages) <= 50 + 10 + 2 * polls
    travelling = [message for message in server.messages if message.free and message.events]
    assert len(travelling) >= 40, "the end of a task and the claim of the next travel together"


class SlowLine(FakeServer):
    """A server to which news get through only when the gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def sync(self, message: Sync) -> Commands:
        if message.events:
            self.gate.wait(30)
        return super().sync(message)


def test_leases_are_renewed_while_news_are_slow_on_their_way(dummy: DummyExecutor) -> None:
    server = SlowLine()
    assignment = assign("true", job=SLOW, lease=0.6)
    with agent_at_work(server, dummy):
        server.give(assignment)
        server.wait_until(
            lambda: sum(assignment.task in message.holding for message in server.messages) >= 3, seconds=10
        )
        assert server.events == []
        server.gate.set()


def test_no_more_tasks_are_taken_than_there_are_slots(server: FakeServer, dummy: DummyExecutor) -> None:
    tasks = [assign("true", job=SLOW) for _ in range(5)]
    with agent_at_work(server, dummy, slots=2):
        server.give(*tasks)
        server.wait_until(lambda: begun(server, tasks[1].task))
        assert not any(begun(server, task.task) for task in tasks[2:])
        server.wait_until(lambda: dummy.clock.advance(100) > 0)
        server.wait_until(lambda: dummy.clock.advance(100) == 0 and finished(server) == 5)


def test_nothing_is_lost_or_said_twice_when_the_server_comes_and_goes(
    server: FakeServer, dummy: DummyExecutor
) -> None:
    tasks = [assign("one", "two") for _ in range(30)]
    with agent_at_work(server, dummy, slots=3):
        for number, task in enumerate(tasks):
            server.trouble = UnavailableError("away") if number % 3 == 0 else None
            server.give(task)
        server.trouble = None
        server.wait_until(lambda: finished(server) == 30)
    for task in tasks:
        assert [event.sequence for event in server.of(task.task)] == list(range(1, 9))


@pytest.mark.usefixtures("agent")
def test_held_tasks_are_named_so_that_their_leases_live_on(server: FakeServer, dummy: DummyExecutor) -> None:
    task = assign("true", job=SLOW, lease=0.3)
    server.give(task)
    server.wait_until(lambda: begun(server, task.task))
    seen = len(server.messages)
    server.wait_until(lambda: len(server.messages) >= seen + 3)
    assert all(message.holding == (task.task,) for message in server.messages[seen:])
    dummy.clock.advance(100)
    server.finish_of(task.task)


@pytest.mark.usefixtures("agent")
def test_a_lost_task_ends_without_a_word_and_its_slot_is_used_again(server: FakeServer) -> None:
    lost, after = assign("true", job=SLOW), assign("true")
    server.give(lost)
    server.wait_until(lambda: len(server.of(lost.task)) == 3)
    before = server.of(lost.task)
    server.lose(lost.task)
    server.give(after)
    server.finish_of(after.task)
    assert server.of(lost.task) == before


@pytest.mark.usefixtures("agent")
def test_a_lost_task_may_come_back_to_the_same_agent(server: FakeServer, dummy: DummyExecutor) -> None:
    task = assign("true", job=SLOW)
    server.give(task)
    server.wait_until(lambda: begun(server, task.task))
    server.lose(task.task)
    server.events.clear()
    server.give(task)
    server.wait_until(lambda: begun(server, task.task))
    server.wait_until(lambda: dummy.clock.advance(100) > 0)
    assert server.finish_of(task.task).status is TaskStatus.SUCCESS


@pytest.mark.usefixtures("agent")
def test_a_cancel_reaches_a_running_task(server: FakeServer) -> None:
    task = assign("true", job=SLOW)
    server.give(task)
    server.wait_until(lambda: begun(server, task.task))
    server.cancel(CancelTask(task=task.task, reason=Reason.STRATEGY))
    finish = server.finish_of(task.task)
    assert (finish.status, finish.reason) == (TaskStatus.CANCELED, Reason.STRATEGY)


def test_a_draining_agent_ends_what_it_has_and_takes_nothing(
    server: FakeServer, dummy: DummyExecutor
) -> None:
    agent = Agent(server, lambda _: dummy, name="agent", tuning=QUICK)
    thread = threading.Thread(target=agent.run)
    thread.start()
    first, second = assign("true", job=SLOW), assign("true")
    server.give(first)
    server.wait_until(lambda: begun(server, first.task))
    agent.stop()
    server.give(second)
    server.wait_until(lambda: dummy.clock.advance(100) > 0)
    thread.join(10)
    assert not thread.is_alive()
    assert server.finish_of(first.task).status is TaskStatus.SUCCESS
    assert not begun(server, second.task)


def test_the_server_may_ask_for_a_drain(server: FakeServer, dummy: DummyExecutor) -> None:
    agent = Agent(server, lambda _: dummy, name="agent", tuning=QUICK)
    server.drain = True
    thread = threading.Thread(target=agent.run)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


def test_a_final_refusal_ends_the_agent_with_the_servers_sentence(
    server: FakeServer, dummy: DummyExecutor
) -> None:
    server.trouble = ForbiddenError("this token was revoked")
    agent = Agent(server, lambda _: dummy, name="agent", tuning=QUICK)
    with pytest.raises(ForbiddenError, match="this token was revoked"):
        agent.run()


def test_an_agent_that_must_stop_gives_an_absent_server_up(server: FakeServer, dummy: DummyExecutor) -> None:
    task = assign("true", job=SLOW)
    with agent_at_work(server, dummy):
        server.give(task)
        server.wait_until(lambda: begun(server, task.task))
        server.trouble = UnavailableError("away for good")


def test_a_task_without_an_executor_ends_with_the_reason(server: FakeServer) -> None:
    def refuse(_: object) -> DummyExecutor:
        raise RefusedError("this agent has no docker")

    agent = Agent(server, refuse, name="agent", tuning=QUICK)
    thread = threading.Thread(target=agent.run)
    thread.start()
    task = assign("true")
    server.give(task)
    finish = server.finish_of(task.task)
    assert (finish.status, finish.message) == (TaskStatus.INFRASTRUCTURE_FAIL, "this agent has no docker")
    agent.stop()
    thread.join(10)


@pytest.mark.usefixtures("agent")
def test_a_machine_that_offers_no_place_is_no_failure_of_the_job(server: FakeServer) -> None:
    task = assign("true", job=JobPlan(name="job", environment={"DUMMY_CRASH": "prepare"}))
    server.give(task)
    assert server.finish_of(task.task).status is TaskStatus.INFRASTRUCTURE_FAIL


def test_an_agent_says_when_it_is_idle(server: FakeServer, dummy: DummyExecutor, agent: Agent) -> None:
    task = assign("true", job=SLOW)
    server.give(task)
    server.wait_until(lambda: begun(server, task.task))
    assert not agent.idle.is_set()
    server.wait_until(lambda: dummy.clock.advance(100) > 0)
    assert agent.idle.wait(10)


class Broken(FakeServer):
    """A server with a fault of its own, as soon as there is something to say."""

    def sync(self, message: Sync) -> Commands:
        if message.events:
            raise ZeroDivisionError("a fault in the server")
        return super().sync(message)


def test_a_fault_behind_the_transport_ends_the_agent_and_is_raised(dummy: DummyExecutor) -> None:
    server = Broken()
    agent = Agent(server, lambda _: dummy, name="agent", tuning=BRIEF)
    server.give(assign("true"))
    with pytest.raises(ZeroDivisionError, match="a fault in the server"):
        agent.run()


def test_ctrl_c_in_run_ends_the_tasks_and_tells_the_server(dummy: DummyExecutor) -> None:
    class Interrupting(FakeServer):
        def sync(self, message: Sync) -> Commands:
            answer = super().sync(message)
            if message.wait and message.holding:
                raise KeyboardInterrupt
            return answer

    interrupting = Interrupting()
    task = assign("true", job=SLOW)
    interrupting.give(task)
    with pytest.raises(KeyboardInterrupt):
        Agent(interrupting, lambda _: dummy, name="agent", tuning=BRIEF).run()
    finish = interrupting.finish_of(task.task)
    assert (finish.status, finish.reason) == (TaskStatus.INFRASTRUCTURE_FAIL, Reason.INTERRUPTED)
