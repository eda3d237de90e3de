"""The agent inside a server: takes tasks like any other, over calls instead of a network."""

import logging
import os
import socket
import threading
from pathlib import Path

from penstock.agent.last_words import LastWords
from penstock.agent.loop import Agent
from penstock.agent.tuning import Tuning
from penstock.bootstrap.executors import LocalExecutors, list_offered, open_engine_for
from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.settings import Settings
from penstock.engine.gateway import Gateway
from penstock.engine.handback import hand_back
from penstock.engine.unit import Parts
from penstock.model.errors import PenstockError, UnavailableError
from penstock.store.agents import AgentChange, agent_by_uuid, register_agent, update_agent

_log = logging.getLogger(__name__)

_REST = 5.0  # seconds before an agent that failed begins anew
_LOOK = 0.2  # seconds between two looks at whether it has let go of what was taken from it
KILLED = "the server that ran it was killed"


class LocalAgent:
    """Runs tasks on this machine.

    new -> working (after `start`) -> draining (after `drain`) -> stopped (after `stop`)
    """

    def __init__(self, parts: Parts, gateway: Gateway, settings: Settings, folder: DataFolder) -> None:
        self._parts = parts
        self._gateway = gateway
        self._folder = folder
        self._labels = tuple(dict.fromkeys((*settings.labels, *sorted(list_offered()))))
        self._slots = os.cpu_count() or 1 if settings.slots is None else settings.slots
        self._tuning = Tuning(sample=settings.usage_interval)
        self._engine = open_engine_for(settings.executor)
        self._executors = LocalExecutors(folder.jobs, self._engine, anything=True)
        self._last_words = LastWords(folder.ends)
        self._leaving = threading.Event()
        self._agent: Agent | None = None
        self._uuid = ""
        self._thread = threading.Thread(target=self._work, name="penstock-agent", daemon=True)

    def start(self) -> None:
        """Take tasks from here on. What a server that was killed left in this folder's name is taken back."""
        self._uuid = self._register()
        self._last_words.deliver(self._gateway, self._uuid)
        hand_back(self._parts, self._uuid, message=KILLED)
        self._agent = self._make_agent()
        self._thread.start()

    def drain(self) -> None:
        """Take no more tasks."""
        self._leaving.set()
        if self._agent is not None:
            self._agent.stop()
        self._gateway.end_waits()

    def is_idle(self) -> bool:
        """True when it has ended: no task runs any more."""
        return not self._thread.is_alive()

    def join(self, seconds: float) -> bool:
        """Wait until all its tasks have ended; True when they have."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return self.is_idle()

    def stop(self) -> None:
        """No process of a job is left; tasks that had not ended are handed back."""
        self.drain()
        while not self.is_idle():
            try:
                count = hand_back(self._parts, self._uuid)
                if count:
                    _log.info("handed back %d running jobs", count)
            except PenstockError as error:
                _log.warning("running jobs could not be handed back: %s; their leases will end", error)
                if self._agent is not None:
                    self._agent.stop(now=True)
            self._gateway.end_waits()
            self.join(_LOOK)
        self._executors.close()

    def _register(self) -> str:
        """The agent's record, the same as in this folder's last server if that is still there."""
        file = self._folder.agent
        name = f"server-{socket.gethostname()}"
        with self._parts.db.write() as tx:
            known = agent_by_uuid(tx, _read_word(file))
            if known is not None:
                change = AgentChange(id=known.id, name=name, labels=tuple(self._labels), slots=self._slots)
                update_agent(tx, change)
                return known.uuid
            now = self._parts.clock.now()
            made = register_agent(tx, name, labels=self._labels, slots=self._slots, now=now)
        try:
            file.write_text(made.uuid + "\n")
        except OSError as error:
            raise UnavailableError(f"cannot write {file}: {error.strerror}") from error
        return made.uuid

    def _make_agent(self) -> Agent:
        choose = self._executors.choose
        agent = Agent(self._gateway, choose, name=self._uuid, slots=self._slots, tuning=self._tuning)
        agent.keep_last_words(self._last_words)
        return agent

    def _work(self) -> None:
        """Be an agent; one that failed is followed by another."""
        while self._agent is not None:
            try:
                self._agent.run()
            except Exception:  # noqa: BLE001 - the outermost loop of the thread: another agent goes on
                _log.exception("the agent in this server failed and begins anew")
            if self._leaving.wait(0 if self._leaving.is_set() else _REST):
                return
            self._agent = self._make_agent()


def _read_word(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
