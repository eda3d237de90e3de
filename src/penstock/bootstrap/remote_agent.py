"""One agent process from its start to its end: joining, working, draining, leaving."""

import logging
import os
import queue
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from random import uniform

import msgspec

from penstock import __version__
from penstock.agent.executor.base import Executor
from penstock.agent.last_words import LastWords
from penstock.agent.loop import Agent
from penstock.agent.remote.address import load_trust, read_address
from penstock.agent.remote.link import SYSTEM, Links, UnknownTokenError
from penstock.agent.remote.membership import hand_in, join_group, return_to, take_leave
from penstock.agent.remote.transport import RemoteServer
from penstock.agent.tuning import Tuning
from penstock.bootstrap.agent_folder import AgentFolder, Identity
from penstock.bootstrap.executors import Choice, LocalExecutors, list_offered, open_engine_for
from penstock.bootstrap.leftovers import Leftovers
from penstock.model.errors import NotFoundError, PenstockError, UnavailableError
from penstock.store.sealing import hash_token
from penstock.wire.messages import Assignment
from penstock.wire.protocol import Hello, Welcome

_log = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
INSISTED = 130
"""Exit status of an agent that was ended by a third signal."""


class AgentOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is told on its command line."""

    server: str
    token: str
    work: Path
    labels: tuple[str, ...] = ()
    slots: int = 1
    name: str = ""
    executor: Choice = "auto"
    authorities: str = ""
    once: bool = False
    usage_interval: float = 15.0  # seconds

    def __repr__(self) -> str:
        """Without the token."""
        return f"AgentOptions(server={self.server!r}, work={self.work!r})"


class RemoteAgent:
    """An agent, run by the thread that calls `run`.

    joining -> working -> draining (first signal) -> handing back (second signal) -> left
    """

    def __init__(self, options: AgentOptions, announce: Callable[[str], None]) -> None:
        self._options = options
        self._announce = announce
        self._folder = AgentFolder(options.work)
        self._last_words = LastWords(self._folder.ends)
        address = read_address(options.server)
        self._links = Links(address, load_trust(options.authorities) if address.tls else None)
        self._news: queue.SimpleQueue[str] = queue.SimpleQueue()  # signals, and the end of the work
        self._stopping = threading.Event()
        self._identity: Identity | None = None
        self._agent: Agent | None = None
        self._lock = threading.Lock()  # guards the agent while another takes its place
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Work until told to stop by SIGTERM or SIGINT, or with `once` until a job has ended.

        Raises UnknownTokenError when the server lets the agent in no more, and what else it finally refuses
        with.
        """
        with ExitStack() as stack:
            self._folder.open()
            stack.callback(self._folder.close)
            stack.callback(self._links.close)
            leftovers = Leftovers(self._folder.jobs)
            threading.Thread(target=leftovers.remove, name="penstock-leftovers", daemon=True).start()
            engine = open_engine_for(self._options.executor)
            executors = LocalExecutors(self._folder.jobs, engine, anything=True)
            stack.callback(executors.close)
            for number in (signal.SIGTERM, signal.SIGINT):
                stack.callback(signal.signal, number, signal.signal(number, self._heed_signal))
            worker = threading.Thread(target=self._work, args=(executors,), name="penstock-agent")
            worker.start()
            self._watch()
            worker.join()
        if self._failure is not None:
            raise self._failure

    def _heed_signal(self, _number: int, _frame: object) -> None:
        self._news.put("signal")

    def _watch(self) -> None:
        """Answer signals until the work has ended: drain, hand back, end at once."""
        signals = 0
        while self._news.get() == "signal":
            signals += 1
            if signals == 1:
                self._announce("draining: what runs may end, nothing new is taken")
                self._stop()
            elif signals == 2:  # noqa: PLR2004 - the second
                self._announce("handing back what runs")
                threading.Thread(target=self._hand_back, name="penstock-handback", daemon=True).start()
            else:
                os._exit(INSISTED)

    def _stop(self, *, now: bool = False) -> None:
        self._stopping.set()
        with self._lock:
            if self._agent is not None:
                self._agent.stop(now=now)

    def _hand_back(self) -> None:
        """What is held is run elsewhere; when the server cannot be told, what runs is ended all the same."""
        try:
            if self._identity is not None:
                hand_in(self._links, self._identity.token)
        except PenstockError as error:
            _log.warning("what runs could not be handed back: %s", error)
            self._stop(now=True)
            return
        self._stop()

    def _work(self, executors: LocalExecutors) -> None:
        """Be an agent until it is over."""
        try:
            identity = self._identity = self._insist(self._join)
            if identity is not None:
                self._serve(identity, executors)
        except BaseException as error:  # noqa: BLE001 - the outermost loop of the thread: `run` raises it
            self._failure = error
        finally:
            self._news.put("end")

    def _serve(self, identity: Identity, executors: LocalExecutors) -> None:
        """Work as this agent until told to stop."""
        server = RemoteServer(self._links, identity.agent, identity.token)
        choose, tuning = self._choose_from(executors), Tuning(sample=self._options.usage_interval)
        agent = Agent(server, choose, name=identity.agent, slots=self._slots(), tuning=tuning)
        agent.keep_last_words(self._last_words)
        with self._lock:
            self._agent = agent
            if self._stopping.is_set():
                agent.stop()
        try:
            agent.run()
        except (UnknownTokenError, NotFoundError) as error:
            self._folder.forget_identity()
            raise UnknownTokenError(
                "this agent was removed from the server; what it ran is stopped"
            ) from error
        if self._options.once:
            self._folder.forget_identity()
        with suppress(PenstockError):  # the server will find out
            take_leave(self._links, identity.token, forget=self._options.once)
        self._announce("left: nothing runs any more")

    def _choose_from(self, executors: LocalExecutors) -> Callable[[Assignment], Executor]:
        """The executors' choice; with `once` the first assignment is the last."""

        def choose(assignment: Assignment) -> Executor:
            if self._options.once:
                self._stop()
            return executors.choose(assignment)

        return choose

    def _slots(self) -> int:
        return 1 if self._options.once else self._options.slots

    def _insist(self, join: Callable[[], Identity]) -> Identity | None:
        """Who the agent is, asked for until the server answers; None when it is told to stop before."""
        pause, said = FIRST_PAUSE, ""
        while not self._stopping.is_set():
            try:
                return join()
            except UnavailableError as error:
                if str(error) != said:
                    said = str(error)
                    _log.warning("%s; trying again", said)
            self._stopping.wait(uniform(pause / 2, pause))  # noqa: S311 - spreads agents
            pause = min(pause * 2, LONGEST_PAUSE)
        return None

    def _join(self) -> Identity:
        """Who the agent is for the server: the same as before if that may be."""
        options, url = self._options, self._links.address.url
        hello = Hello(
            name=options.name or socket.gethostname(),
            labels=tuple(dict.fromkeys((*options.labels, *sorted(list_offered())))),
            slots=self._slots(),
            version=__version__,
            system=SYSTEM,
        )
        known = self._folder.load_identity(url, options.token)
        if known is not None:
            with suppress(UnknownTokenError):
                self._last_words.deliver(RemoteServer(self._links, known.agent, known.token), known.agent)
                self._introduce(hello, return_to(self._links, known.token, hello))
                return known
        welcome = join_group(self._links, options.token, hello)
        made = Identity(
            server=url, joined=hash_token(options.token), agent=welcome.agent, token=welcome.token
        )
        self._folder.save_identity(made)
        self._introduce(hello, welcome)
        return made

    def _introduce(self, hello: Hello, welcome: Welcome) -> None:
        jobs = "1 job" if hello.slots == 1 else f"{hello.slots} jobs"
        labels = ", ".join(label for label in welcome.labels if not label.startswith("organization="))
        place = self._links.address.url
        self._announce(
            f"agent {hello.name} ({welcome.agent}) works for {place}: {jobs} at once, labels {labels}"
        )
