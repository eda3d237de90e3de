"""The agent: takes tasks, runs each on a thread, delivers what they say.

Two threads talk to the server. The one that calls `run` holds a long poll, which brings tasks to an idle
agent and stops to a busy one. The other delivers events as they come; the end of a task travels in the
same message as the offer of its slot, and the answer brings the next task, so a busy agent needs one
message per task. A slot is offered in one message at a time.
"""

import logging
import queue
import random
import threading
from collections.abc import Callable, Mapping
from math import inf

from penstock.agent.context import Condition, Tools
from penstock.agent.control import Control, Force, Stop
from penstock.agent.executor.base import Executor
from penstock.agent.last_words import LastWords
from penstock.agent.outbox import Outbox
from penstock.agent.report import Reporter
from penstock.agent.sampling import Sampler
from penstock.agent.session import Session, Verdict
from penstock.agent.transport import Transport
from penstock.agent.tuning import Tuning
from penstock.kit.clock import Clock, SystemClock
from penstock.kit.trace import REQUEST
from penstock.model.errors import PenstockError, UnavailableError
from penstock.model.status import Reason, TaskStatus
from penstock.model.usage import Used
from penstock.wire.messages import AnyEvent, Assignment, CancelTask, Commands, Sync, TaskFinished

_log = logging.getLogger(__name__)
_REST = 0.2  # seconds between polls of an agent that is busy delivering anyway
_FIRST_PAUSE = 0.1


class Agent:
    """Runs tasks from one server, at most `slots` at once.

    `choose` names the executor for an assignment and raises PenstockError when there is none; then the
    task ends as an infrastructure failure with that sentence.

        waiting -> running (after `run`) -> draining (after `stop` or a drain command) -> ended
    """

    def __init__(
        self,
        transport: Transport,
        choose: Callable[[Assignment], Executor],
        *,
        name: str,
        slots: int = 1,
        tuning: Tuning | None = None,
        conditions: Mapping[str, Condition] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._transport = transport
        self._choose = choose
        self._name = name
        self._slots = slots
        self._tuning = tuning or Tuning()
        self._tools = Tools(
            transport=transport,
            clock=clock or SystemClock(),
            tuning=self._tuning,
            conditions=conditions or {},
            sampler=Sampler(self._tuning.sample),
        )
        self._outbox = Outbox(self._tools.clock)
        self._board = threading.Condition()  # guards all below
        self._held: dict[str, Control] = {}  # until the server has the end of the task
        self._returned: dict[str, Assignment] = {}  # to begin when their lost selves have ended
        self._running: set[str] = set()  # those of them that occupy a slot
        self._offered = 0
        self._delivering: float | None = None  # since when, monotonic
        self._heard = 0.0  # when the server last answered, monotonic
        self._away = False
        self._draining = False
        self._ended = False
        self._lease = 30.0
        self._failure: Exception | None = None
        self._patience = inf  # until when undelivered ends of tasks are waited for, monotonic
        self._hurry = threading.Event()  # set when waiting for the server makes no sense any more
        self._work: queue.SimpleQueue[Assignment | None] = queue.SimpleQueue()
        self._workers: list[threading.Thread] = []
        self.idle = threading.Event()
        self.idle.set()

    def keep_last_words(self, place: LastWords) -> None:
        """What the server has not heard of tasks that have ended is kept there. To be called before `run`."""
        self._outbox.last_words = place

    def run(self) -> None:
        """Work until stopped and everything is delivered. Raises what the server finally refused with.

        An exception in this thread, Ctrl-C included, stops all tasks, tells the server and goes on.
        """
        sender = threading.Thread(target=self._deliver_all, name="penstock-sender", daemon=True)
        sender.start()
        try:
            pause = _FIRST_PAUSE
            while not self._is_over():
                pause = self._listen(pause)
        except BaseException:
            self.stop(now=True)
            self._wait_for_end()
            raise
        finally:
            self._leave(sender)
        if self._failure is not None:
            raise self._failure

    def stop(self, *, now: bool = False) -> None:
        """Take no more tasks; `run` returns when those that run have ended. With `now` they are stopped."""
        with self._board:
            self._draining = True
            controls = list(self._held.values()) if now else []
            if now:
                self._patience = min(self._patience, self._tools.clock.monotonic() + self._tuning.farewell)
            self._board.notify_all()
        for control in controls:
            control.request(Stop(Force.NOW, Reason.INTERRUPTED))
        self._outbox.nudge()

    # The two conversations.

    def _listen(self, pause: float) -> float:
        """One long poll; returns how long to pause after the next failure."""
        with self._board:
            while not self._is_over() and (rest := self._find_rest()) > 0:
                self._board.wait(rest)
            wait = 0.0 if self._is_over() else min(self._tuning.poll, self._lease / 3)
            message = self._compose(wait=wait)
        return self._pause_after(self._exchange(message), pause)

    def _find_rest(self) -> float:
        """Seconds the long poll is not needed: deliveries bring commands too, and offer what is free.

        One that is stuck, on a slow line perhaps, must not let the leases end.
        """
        now = self._tools.clock.monotonic()
        is_stuck = self._delivering is not None and now - self._delivering > self._lease / 3
        if not is_stuck and (self._delivering is not None or self._outbox.is_urgent):
            return _REST
        if self._count_free():
            return 0.0
        return self._heard + _REST - now

    def _deliver_all(self) -> None:
        pause = _FIRST_PAUSE
        try:
            while not self._ended:
                self._outbox.wait()
                pause = self._deliver(pause)
        except Exception as error:  # noqa: BLE001 - the outermost loop of the thread: `run` raises it
            self._give_up(error)

    def _deliver(self, pause: float) -> float:
        """Send what waits; returns how long to pause after the next failure."""
        batch = self._outbox.take()
        with self._board:
            self._delivering = self._tools.clock.monotonic()
            message = self._compose(batch)
        try:
            heard = self._exchange(message)
        finally:
            with self._board:
                self._delivering = None
                self._board.notify_all()
        if not heard:
            self._outbox.nudge()
        return self._pause_after(heard, pause)

    def _pause_after(self, heard: bool, pause: float) -> float:  # noqa: FBT001 - the only thing it is about
        """Wait a while when the server was not heard; returns the next pause, longer each time."""
        if heard:
            return _FIRST_PAUSE
        self._hurry.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads agents
        return min(pause * 2, self._tuning.retry)

    def _exchange(self, message: Sync) -> bool:
        """Send a message and do what the answer says; what the server has seen is forgotten.

        Returns false when the server is away.
        """
        try:
            answer = self._transport.sync(message)
        except UnavailableError as error:
            _log.log(logging.DEBUG if self._away else logging.WARNING, "trying again: %s", error)
            self._away = True
            self._withdraw(message)
            return False
        except PenstockError as error:
            self._withdraw(message)
            self._give_up(error)
            return False
        if self._away:
            _log.info("the server answers again")
        self._away = False
        self._outbox.acknowledge(message.events)
        self._obey(message, answer)
        return True

    def _compose(self, events: tuple[AnyEvent, ...] = (), wait: float = 0.0) -> Sync:
        """A message that offers the free slots nobody else offers."""
        done = {event.task for event in events if isinstance(event, TaskFinished)}
        free = self._count_free()
        self._offered += free
        return Sync(
            agent=self._name,
            events=events,
            holding=tuple(task for task in self._held if task not in done),
            free=free,
            wait=wait,
        )

    def _count_free(self) -> int:
        return 0 if self._draining else max(self._slots - len(self._running) - self._offered, 0)

    def _withdraw(self, message: Sync) -> None:
        with self._board:
            self._offered -= message.free
            self._board.notify_all()

    # What the server says.

    def _obey(self, message: Sync, commands: Commands) -> None:
        with self._board:
            self._offered -= message.free
            self._heard = self._tools.clock.monotonic()
            for event in message.events:
                if isinstance(event, TaskFinished):
                    self._held.pop(event.task, None)
            for assignment in commands.assignments:
                self._begin(assignment)
            self._draining |= commands.drain
            stops = [(stop.task, _read_stop(stop)) for stop in commands.cancel]
            stops += [(task, Stop(Force.SILENT, Reason.AGENT_LOST)) for task in commands.lost]
            for task, stop in stops:
                if task in self._held:
                    self._held[task].request(stop)
            for task in commands.lost:
                self._forget(task)
            self._note_idle()

    def _begin(self, assignment: Assignment) -> None:
        """Give the task to a thread; one that is held already was delivered twice, or lost and given back."""
        held = self._held.get(assignment.task)
        if held is not None:
            if held.stop is not None and held.stop.force is Force.SILENT:
                self._returned[assignment.task] = assignment
            return
        self._held[assignment.task] = Control()
        self._running.add(assignment.task)
        self._lease = min(self._lease, assignment.lease)
        self.idle.clear()
        self._work.put(assignment)
        if len(self._workers) < self._slots:
            worker = threading.Thread(
                target=self._work_on, name=f"penstock-task-{len(self._workers)}", daemon=True
            )
            self._workers.append(worker)
            worker.start()

    def _forget(self, task: str) -> None:
        """The task is another's: what it said is not delivered; its slot stays taken until it is gone."""
        self._outbox.drop(task)
        if task not in self._running:
            self._held.pop(task, None)
            self._outbox.admit(task)

    def _note_idle(self) -> None:
        if self._held:
            return
        self.idle.set()
        self._board.notify_all()
        if self._draining:
            self._outbox.nudge()

    # Work.

    def _work_on(self) -> None:
        while (assignment := self._work.get()) is not None:
            with self._board:
                control = self._held[assignment.task]
            try:
                self._run_task(assignment, control)
            except Exception:  # noqa: BLE001 - the outermost loop of a worker: the next task must not suffer
                _log.exception("task %s: could not be cleaned up", assignment.task)
            finally:
                control.close()

    def _run_task(self, assignment: Assignment, control: Control) -> None:
        REQUEST.set(assignment.request)
        facts = {"task": assignment.task, "job": assignment.job}
        _log.info("task begins", extra={"facts": facts})
        reporter = Reporter(assignment.task, self._outbox, self._tools.clock)
        session = Session(assignment, reporter, control, self._tools)
        try:
            verdict = session.run(self._choose(assignment))
        except PenstockError as error:
            verdict = Verdict(TaskStatus.INFRASTRUCTURE_FAIL, Reason.NO_AGENT, str(error))
        except Exception as error:  # noqa: BLE001 - the outermost loop of a task: it must end whatever happens
            _log.exception("task %s", assignment.task)
            verdict = Verdict(TaskStatus.INFRASTRUCTURE_FAIL, Reason.INTERNAL, f"internal error: {error!r}")
        self._free_slot(assignment.task, reporter, verdict, session.used)
        _log.info("task ends", extra={"facts": facts | {"status": verdict.status.value}})
        session.remove()

    def _free_slot(self, task: str, reporter: Reporter, verdict: Verdict, used: Used | None) -> None:
        """The slot is free before the end is said, so that one message carries the end and the offer."""
        with self._board:
            self._running.discard(task)
            stop = self._held[task].stop
            if stop is not None and stop.force is Force.SILENT:
                self._held.pop(task, None)
                self._outbox.admit(task)
                if returned := self._returned.pop(task, None):
                    self._begin(returned)
                self._note_idle()
            else:
                reporter.task_finished(verdict.status, verdict.reason, verdict.message, used)

    # The end.

    def _is_over(self) -> bool:
        if not self._draining:
            return False
        late = self._tools.clock.monotonic() >= self._patience
        return not self._held or (late and not self._running)

    def _give_up(self, error: Exception) -> None:
        """The server refused for good: nothing can be delivered any more."""
        self._failure = self._failure or error
        self._hurry.set()
        self.stop(now=True)
        with self._board:
            controls = list(self._held.values())
            self._ended = True
        for control in controls:
            control.request(Stop(Force.SILENT, Reason.INTERNAL))

    def _wait_for_end(self) -> None:
        """Return when all tasks have ended and the server knows, or patience is over."""
        with self._board:
            while not self._is_over():
                self._board.wait(0.05)

    def _leave(self, sender: threading.Thread) -> None:
        """All threads end; tasks that were stopped are waited for, and nothing is sent afterwards."""
        for _ in self._workers:
            self._work.put(None)
        for worker in self._workers:
            worker.join()
        self._tools.sampler.close()
        self._end()
        sender.join()

    def _end(self) -> None:
        with self._board:
            self._ended = True
            self._board.notify_all()
        self._hurry.set()
        self._outbox.nudge()


def _read_stop(command: CancelTask) -> Stop:
    return Stop(Force.CLEAN_UP if command.clean_up else Force.NOW, command.reason)
