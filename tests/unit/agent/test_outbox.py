import threading

from penstock.agent.outbox import Outbox
from penstock.kit.clock import SystemClock
from penstock.model.status import TaskStatus
from penstock.wire.messages import LogOutput, TaskFinished, TaskStarted


def log(sequence: int, size: int = 10, task: str = "t") -> LogOutput:
    return LogOutput(
        task=task,
        sequence=sequence,
        at=0,
        step=0,
        offset=0,
        size=size,
        first_line=0,
        lines=0,
        data=bytes(size),
    )


def test_events_stay_until_they_are_acknowledged() -> None:
    outbox = Outbox(SystemClock())
    outbox.put(log(1))
    batch = outbox.take()
    assert outbox.take() == batch == (log(1),)
    outbox.put(log(2))
    outbox.acknowledge(batch)
    assert outbox.take() == (log(2),)


def test_a_message_holds_a_bounded_part_in_order() -> None:
    outbox = Outbox(SystemClock())
    for sequence in range(1, 11):
        outbox.put(log(sequence, size=1 << 18))
    batch = outbox.take()
    assert [event.sequence for event in batch] == [1, 2, 3]


def test_a_full_outbox_has_no_room_until_events_leave() -> None:
    outbox = Outbox(SystemClock(), room=1000)
    rooms = [outbox.has_room]
    outbox.put(log(1, size=2000))
    rooms.append(outbox.has_room)
    outbox.acknowledge(outbox.take())
    rooms.append(outbox.has_room)
    assert rooms == [True, False, True]


def test_dropped_tasks_say_nothing_and_free_their_room() -> None:
    outbox = Outbox(SystemClock(), room=1000)
    outbox.put(log(1, size=2000, task="lost"))
    outbox.put(log(1, task="kept"))
    outbox.drop("lost")
    assert [event.task for event in outbox.take()] == ["kept"]
    assert outbox.has_room


def test_the_end_of_a_task_wakes_the_sender_at_once() -> None:
    outbox = Outbox(SystemClock())
    waiter = threading.Thread(target=outbox.wait)
    waiter.start()
    outbox.put(TaskFinished(task="t", sequence=1, at=0, status=TaskStatus.SUCCESS))
    waiter.join(5)
    assert not waiter.is_alive()


def test_other_events_wait_for_company_only_briefly() -> None:
    outbox = Outbox(SystemClock())
    outbox.put(TaskStarted(task="t", sequence=1, at=0))
    outbox.wait()
    assert len(outbox.take()) == 1
