"""Events on their way to the server: kept in order until it has them, within a bound."""

import threading

from penstock.agent.last_words import LastWords
from penstock.kit.clock import Clock
from penstock.wire.messages import AnyEvent, LogOutput, TaskFinished

ROOM = 8 << 20
_PER_MESSAGE = 1 << 20  # so that also a slow line carries it within a lease
_ENOUGH = 1 << 20
_OVERHEAD = 256
_PATIENCE = 0.05  # seconds an event may wait for company; the end of a task never waits
_SHORT = 0.01  # the same for output, which has waited before it came here


class Outbox:
    """What all tasks of an agent want to say. Any thread may put; one thread takes and acknowledges.

    With a place for last words, what is not acknowledged of a task that has ended is kept there until it is.

    States of an event: put -> (taken, maybe several times) -> acknowledged or dropped.
    """

    def __init__(self, clock: Clock, room: int = ROOM) -> None:
        self.last_words: LastWords | None = None
        self._clock = clock
        self._room = room
        self._events: dict[tuple[str, int], AnyEvent] = {}
        self._closed: set[str] = set()
        self._bytes = 0
        self._due: float | None = None  # when what is here must leave, monotonic
        self._urgent = False
        self._news = threading.Condition()

    def put(self, event: AnyEvent) -> None:
        """Keep the event. Never blocks: whoever produces output asks `has_room` first."""
        with self._news:
            if event.task in self._closed:
                return
            self._events[event.task, event.sequence] = event
            self._bytes += _weigh(event)
            if self.last_words is not None and isinstance(event, TaskFinished):
                unheard = [each for each in self._events.values() if each.task == event.task]
                self.last_words.keep(event.task, unheard)
            due = self._clock.monotonic() + (_SHORT if isinstance(event, LogOutput) else _PATIENCE)
            sooner = self._due is None or due < self._due
            if sooner:
                self._due = due
            self._urgent |= isinstance(event, TaskFinished)
            if sooner or self._urgent or self._bytes >= _ENOUGH:
                self._news.notify_all()

    @property
    def has_room(self) -> bool:
        """True when more output may be read; false is back-pressure on the steps."""
        return self._bytes < self._room

    @property
    def is_urgent(self) -> bool:
        """True when something must be sent at once, which the next delivery will do."""
        return self._urgent

    def __bool__(self) -> bool:
        """True while anything is not acknowledged."""
        return bool(self._events)

    def holds(self, task: str, sequence: int) -> bool:
        """True while the event is not acknowledged."""
        return (task, sequence) in self._events

    def nudge(self) -> None:
        """End the present or next `wait`, with or without events."""
        with self._news:
            self._urgent = True
            self._news.notify_all()

    def wait(self) -> None:
        """Return when there is something to send now."""
        with self._news:
            while not self._urgent and self._bytes < _ENOUGH:
                if self._due is None:
                    self._news.wait()
                    continue
                rest = self._due - self._clock.monotonic()
                if rest <= 0:
                    break
                self._news.wait(rest)

    def take(self) -> tuple[AnyEvent, ...]:
        """The oldest events that fit into a message; they stay here until acknowledged."""
        batch: list[AnyEvent] = []
        size = 0
        with self._news:
            for event in self._events.values():
                size += _weigh(event)
                if batch and size > _PER_MESSAGE:
                    break
                batch.append(event)
            self._urgent = False
        return tuple(batch)

    def acknowledge(self, batch: tuple[AnyEvent, ...]) -> None:
        """Forget what the server has."""
        with self._news:
            for event in batch:
                if self._events.pop((event.task, event.sequence), None) is not None:
                    self._bytes -= _weigh(event)
                    self._forget_end(event)
            self._due = self._clock.monotonic() + _PATIENCE if self._events else None
            self._urgent |= any(isinstance(event, TaskFinished) for event in self._events.values())

    def admit(self, task: str) -> None:
        """Take events of the task again: its lost self has ended."""
        with self._news:
            self._closed.discard(task)

    def drop(self, task: str) -> None:
        """Forget all events of a task, which is no longer this agent's, and take no more until `admit`."""
        with self._news:
            self._closed.add(task)
            for key in [key for key in self._events if key[0] == task]:
                event = self._events.pop(key)
                self._bytes -= _weigh(event)
                self._forget_end(event)
            if not self._events:
                self._due = None

    def _forget_end(self, event: AnyEvent) -> None:
        if self.last_words is not None and isinstance(event, TaskFinished):
            self.last_words.forget(event.task)


def _weigh(event: AnyEvent) -> int:
    return _OVERHEAD + (len(event.data) if isinstance(event, LogOutput) else 0)
