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

from penstock.agent.context import Condition, Tools
from penstock.agent.control import Control, Force, Stop
from penstock.agent.executor.base import Executor
from penstock.agent.outbox import Outbox
from penstock.agent.report import Reporter
from penstock.agent.session import Session, Verdict
from penstock.agent.transport import Transport
from penstock.agent.tuning import Tuning
from penstock.kit.clock import Clock, SystemClock
from penstock.model.errors import PenstockError, UnavailableError
from penstock.model.status import Reason, TaskStatus
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
        )
        self._outbox = Outbox(self._tools.clock)
        self._board = threading.Condition()  # guards all below
        self._held: dict[str, Control] = {}  # until the server has the end of the task
        self._running: set[str] = set()  # those of them that occupy a slot
        self._offered = 0
        self._delivering = False
        self._draining = False
        self._ended = False
        self._lease = 30.0
        self._failure: PenstockError | None = None
        self._hurry = threading.Event()  # set when waiting for the server makes no sense any more
        self._work: queue.SimpleQueue[Assignment | None] = queue.SimpleQueue()
        self._workers: list[threading.Thread] = []
        self.idle = threading.Event()
        self.idle.set()

    def run(self) -> None:
        """Work until stopped and everything is delivered. Raises what the server finally refused.

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
            self._board.notify_all()
        for control in controls:
            control.request(Stop(Force.NOW, Reason.INTERRUPTED))
        self._outbox.nudge()

    # The two conversations.

    def _listen(self, pause: float) -> float:
        """One long poll; returns how long to wait before the next when the server is away."""
        with self._board:
            self._board.wait_for(lambda: not self._delivering)
            if not self._count_free():
                self._board.wait(_REST)  # meanwhile answers to deliveries bring commands too
                if self._delivering or self._is_over():
                    return pause
            wait = 0.0 if self._is_over() else min(self._tuning.poll, self._lease / 3)
            message = self._compose(wait=wait)
        return self._exchange(message, pause)

    def _deliver_all(self) -> None:
        pause = _FIRST_PAUSE
        while not self._ended:
            self._outbox.wait()
            pause = self._deliver(pause)

    def _deliver(self, pause: float) -> float:
        """Send what waits; returns how long to wait before the next try when the server is away."""
        batch = self._outbox.take()
        with self._board:
            self._delivering = True
            message = self._compose(batch)
        try:
            return self._exchange(message, pause)
        finally:
            with self._board:
                self._delivering = False
                self._board.notify_all()

    def _exchange(self, message: Sync, pause: float) -> float:
        """Send a message and do what the answer says; what the server has seen is forgotten.

        When the server is away, waits for the pause and returns a longer one, else the first.
        """
        try:
            answer = self._transport.sync(message)
        except UnavailableError as error:
            _log.warning("the server is not available, trying again: %s", error)
            self._withdraw(message)
            self._hurry.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads agents
            if message.events:
                self._outbox.nudge()
            return min(pause * 2, self._tuning.retry)
        except PenstockError as error:
            self._withdraw(message)
            self._give_up(error)
            return pause
        self._outbox.acknowledge(message.events)
        self._obey(message, answer)
        return _FIRST_PAUSE

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
            for event in message.events:
                if isinstance(event, TaskFinished):
                    self._held.pop(event.task, None)
            for assignment in commands.assignments:
                self._begin(assignment)
            self._draining |= commands.drain
            stops = [(stop.task, _read_stop(stop)) for stop in commands.cancel]
            stops += [(task, Stop(Force.SILENT, Reason.AGENT_LOST)) for task in commands.lost]
            found = [(self._held[task], stop) for task, stop in stops if task in self._held]
            for task in commands.lost:
                self._forget(task)
            self._note_idle()
        for control, stop in found:
            control.request(stop)

    def _begin(self, assignment: Assignment) -> None:
        """Give the task to a thread; one that is held already was delivered twice."""
        if assignment.task in self._held:
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
        if task not in self._running:
            self._held.pop(task, None)
        self._outbox.drop(task)

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
        reporter = Reporter(assignment.task, self._outbox, self._tools.clock)
        session = Session(assignment, reporter, control, self._tools)
        try:
            verdict = session.run(self._choose(assignment))
        except PenstockError as error:
            verdict = Verdict(TaskStatus.INFRASTRUCTURE_FAIL, Reason.NO_AGENT, str(error))
        except Exception as error:  # noqa: BLE001 - the outermost loop of a task: it must end whatever happens
            _log.exception("task %s", assignment.task)
            verdict = Verdict(TaskStatus.INFRASTRUCTURE_FAIL, Reason.INTERNAL, f"internal error: {error!r}")
        self._free_slot(assignment.task, reporter, verdict)
        session.remove()

    def _free_slot(self, task: str, reporter: Reporter, verdict: Verdict) -> None:
        """The slot is free before the end is said, so that one message carries the end and the offer."""
        with self._board:
            self._running.discard(task)
            if reporter.muted:
                self._held.pop(task, None)
                self._note_idle()
            else:
                reporter.task_finished(verdict.status, verdict.reason, verdict.message)

    # The end.

    def _is_over(self) -> bool:
        return self._draining and not self._held

    def _give_up(self, error: PenstockError) -> None:
        """The server refused for good: nothing can be delivered any more."""
        self._failure = self._failure or error
        self._hurry.set()
        self.stop(now=True)
        with self._board:
            controls = list(self._held.values())
            self._ended = True
        for control in controls:
            control.request(Stop(Force.SILENT, Reason.INTERNAL))

    def _leave(self, sender: threading.Thread) -> None:
        """Threads end, undelivered events get a last chance, then the agent is silent."""
        for _ in self._workers:
            self._work.put(None)
        for worker in self._workers:
            worker.join()
        if self._outbox and self._failure is None:
            timer = threading.Timer(self._tuning.farewell, self._end)
            timer.start()
            with self._board:
                self._board.wait_for(lambda: self._ended or not self._outbox)
            timer.cancel()
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
