"""What an agent has yet to say of tasks that have ended, kept where a kill of the agent does not reach it.

Without it, a job that came to its end while the server was away is run once more when its agent dies, too.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.agent.transport import Transport
from penstock.model.errors import PenstockError, UnavailableError
from penstock.wire.messages import AnyEvent, Sync

_log = logging.getLogger(__name__)
_EVENTS = msgspec.msgpack.Decoder(tuple[AnyEvent, ...])


class LastWords:
    """A folder with a file for each task that has ended and of whose end the server has not heard.

    A file is there at once and whole, though a power cut may take it. Of a disk that is full it is said once,
    and the agent goes on without.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._complained = False

    def keep(self, task: str, events: Sequence[AnyEvent]) -> None:
        """These events of the task, its end among them, are found after a restart."""
        path = self._place(task)
        draft = path.with_suffix(".new")
        try:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            draft.write_bytes(msgspec.msgpack.encode(events))
            draft.replace(path)
        except OSError as error:
            if not self._complained:
                _log.warning("the end of a task cannot be kept in %s: %s", self._folder, error.strerror)
            self._complained = True

    def forget(self, task: str) -> None:
        """The server has heard of the task's end, or does not want to."""
        with suppress(OSError):
            self._place(task).unlink(missing_ok=True)

    def deliver(self, transport: Transport, agent: str) -> None:
        """The server has heard all that an earlier agent of this folder kept, and nothing is kept any more.

        Raises UnavailableError when the server is away.
        """
        for path, events in self._read():
            try:
                transport.sync(Sync(agent=agent, events=events))
                _log.info("told the server of a task's end that came before a restart: %s", events[-1].task)
            except UnavailableError:
                raise
            except PenstockError as error:
                _log.warning("the server does not want to hear of a task's end: %s", error)
            path.unlink(missing_ok=True)

    def _read(self) -> Iterator[tuple[Path, tuple[AnyEvent, ...]]]:
        if not self._folder.is_dir():
            return
        for path in sorted(self._folder.iterdir()):
            with suppress(OSError, msgspec.DecodeError):
                events = _EVENTS.decode(path.read_bytes())
                if events and not path.suffix:
                    yield path, events
                    continue
            path.unlink(missing_ok=True)

    def _place(self, task: str) -> Path:
        """The task's file; the name of a task comes from the server and is trusted with no path."""
        return self._folder / hashlib.sha256(task.encode()).hexdigest()[:32]
