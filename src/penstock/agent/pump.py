"""One poll loop per task: reads what its processes write, watches them end, keeps the time."""

import errno
import os
import select
import signal
from enum import Enum
from math import inf

import msgspec

from penstock.agent.chunk import StepLog
from penstock.agent.control import Control, Force
from penstock.agent.executor.base import Running
from penstock.agent.tuning import Tuning
from penstock.kit.clock import Clock
from penstock.model.errors import PenstockError

_READ = 512 << 10
_TICK = 0.02  # between looks where the system gives no descriptor to wait for
_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR


class Ending(Enum):
    """Why the wait for a process is over."""

    EXIT = "exit"  # by itself
    SILENCE = "silence"  # no output for too long
    STEP_TIME = "step_time"  # the step's own limit
    JOB_TIME = "job_time"  # the job's limit
    STOP = "stop"  # somebody asked
    LOST = "lost"  # the place is gone


class InterruptedStepError(PenstockError):
    """A step that is no process must end now; `ending` says why."""

    def __init__(self, ending: Ending) -> None:
        super().__init__("the step was interrupted")
        self.ending = ending


class Limits(msgspec.Struct, frozen=True):
    """How long a process may be silent (seconds) and until when it may run (monotonic)."""

    silence: float = inf
    deadline: float = inf


class Channel:
    """An open pipe, the log it flows into, and when something last came."""

    def __init__(self, descriptor: int, log: StepLog, now: float) -> None:
        self.descriptor = descriptor
        self.log = log
        self.heard = now
        self.open = True


class Pump:
    """Moves output of all processes of a task into their logs. Only the thread of the task uses it.

    Processes of earlier steps that still hold a pipe are read as long as the task lasts. While the server
    is behind nothing is read, so a process that writes is held up by its pipe and memory stays flat.
    """

    def __init__(self, control: Control, clock: Clock, tuning: Tuning) -> None:
        self._control = control
        self._clock = clock
        self._tuning = tuning
        self._poll = select.poll()
        self._channels: dict[int, Channel] = {}
        self._reading = True
        self.tolerated: Force | None = None  # a stop of this force was obeyed: only a harder one interrupts
        self.deadline = inf  # of the job, monotonic
        self._poll.register(control, select.POLLIN)

    def follow(self, running: Running, log: StepLog) -> Channel:
        """Read the process's output into the log from now on."""
        channel = Channel(running.output, log, self._clock.monotonic())
        self._channels[running.output] = channel
        if self._reading:
            self._poll.register(running.output, _READABLE)
        return channel

    def wait(self, running: Running, channel: Channel, limits: Limits) -> Ending:
        """Read until the process has ended or must end; everything it wrote before its end is in the log."""
        if running.ended is not None:
            self._poll.register(running.ended, select.POLLIN)
        try:
            while (ending := self._look(running, channel, limits)) is None:
                pass
        finally:
            if running.ended is not None:
                self._poll.unregister(running.ended)
        return ending

    def end(self, running: Running, channel: Channel, grace: float) -> None:
        """End the process and its group: politely, after the grace by force. Its output is still read."""
        deadline = self._clock.monotonic() + grace
        running.signal(signal.SIGTERM)
        while running.poll() is None or running.signal(0):
            if self._clock.monotonic() >= deadline:
                running.signal(signal.SIGKILL)
                deadline = inf
            if running.poll() is not None and deadline == inf:
                break
            self.turn(_TICK)
        self._drain(channel, patient=False)

    def turn(self, timeout: float) -> set[int]:
        """One look at all descriptors, at most so many seconds; returns those that were ready."""
        self._heed_room()
        ready = {fd for fd, _ in self._poll.poll(self._until_flush(timeout) * 1000)}
        if self._control.fileno() in ready:
            self._control.acknowledge()
        for descriptor in ready & self._channels.keys():
            self._read(self._channels[descriptor])
        now = self._clock.monotonic()
        for channel in self._channels.values():
            if channel.log.due is not None and channel.log.due <= now:
                channel.log.flush()
        return ready

    def breathe(self, deadline: float = inf) -> None:
        """What long work that is no process calls often: lets other output flow, raises when it must end."""
        if self._channels:
            self.turn(0)
        ending = self._find_interruption(deadline)
        if ending is not None:
            raise InterruptedStepError(ending)

    def pause(self, seconds: float) -> None:
        """Wait so long; raises like `breathe`."""
        until = self._clock.monotonic() + seconds
        while (rest := until - self._clock.monotonic()) > 0:
            self.turn(min(rest, 1.0))
            self.breathe()

    def close(self) -> None:
        """Take what is left in the pipes and close them."""
        for channel in list(self._channels.values()):
            self._drain(channel, patient=False)
            channel.log.finish()
            self._close(channel)

    def _look(self, running: Running, channel: Channel, limits: Limits) -> Ending | None:
        now = self._clock.monotonic()
        silent_at = channel.heard + limits.silence if self._reading else inf
        next_event = min(silent_at, limits.deadline, self.deadline) - now
        timeout = min(max(next_event, 0.0), 3600.0)
        ready = self.turn(timeout if running.ended is not None else min(timeout, _TICK))
        if (running.ended is None or running.ended in ready) and running.poll() is not None:
            self._drain(channel)
            return Ending.EXIT
        interruption = self._find_interruption(limits.deadline)
        if interruption is None and self._reading and now >= channel.heard + limits.silence:
            return Ending.SILENCE
        return interruption

    def _find_interruption(self, deadline: float) -> Ending | None:
        stop = self._control.stop
        if stop is not None and (self.tolerated is None or stop.force > self.tolerated):
            return Ending.STOP
        now = self._clock.monotonic()
        if now >= self.deadline:
            return Ending.JOB_TIME
        return Ending.STEP_TIME if now >= deadline else None

    def _until_flush(self, timeout: float) -> float:
        """The timeout, cut to when the next log is due or room may have come back."""
        if not self._reading:
            return min(timeout, _TICK)
        dues = [channel.log.due for channel in self._channels.values() if channel.log.due is not None]
        return min([timeout, *(max(due - self._clock.monotonic(), 0.0) for due in dues)])

    def _heed_room(self) -> None:
        """Read while there is room, stop reading while there is none."""
        room = all(channel.log.has_room for channel in self._channels.values())
        if room == self._reading:
            return
        self._reading = room
        now = self._clock.monotonic()
        for channel in self._channels.values():
            if room:
                self._poll.register(channel.descriptor, _READABLE)
                channel.heard = now  # the silence was ours
            else:
                self._poll.unregister(channel.descriptor)

    def _read(self, channel: Channel) -> int:
        """Move one piece; returns its size, 0 at the end of the stream or when nothing waits."""
        try:
            data = os.read(channel.descriptor, _READ)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if not data:
            self._close(channel)
            return 0
        channel.heard = self._clock.monotonic()
        channel.log.write(data)
        return len(data)

    def _drain(self, channel: Channel, *, patient: bool = True) -> None:
        """Take what is in the pipe now. A child that goes on writing is read later, not waited for.

        Unless patient, room is not waited for: a pipe holds little.
        """
        left = 2 << 20  # more than any pipe holds
        while channel.open and left > 0 and (not patient or self._has_room(channel)):
            got = self._read(channel)
            left -= got
            if not got:
                break

    def _has_room(self, channel: Channel) -> bool:
        """Wait until there is room for more; false when the wait is cut short by a stop or a deadline."""
        while not channel.log.has_room:
            if self._find_interruption(inf) is not None:
                return False
            self.turn(_TICK)
        return True

    def _close(self, channel: Channel) -> None:
        if channel.open:
            channel.open = False
            del self._channels[channel.descriptor]
            if self._reading:
                self._poll.unregister(channel.descriptor)
            os.close(channel.descriptor)
            channel.log.flush()
