"""One server process from its start to its end: the order in which parts begin and end."""

import asyncio
import logging
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import uvloop

from penstock.api.common.app import App, make_app
from penstock.api.common.caller import find_caller, find_person, recall_caller
from penstock.api.common.meter import Meter
from penstock.api.common.server import Limits, Server
from penstock.api.dialects import DIALECTS
from penstock.bootstrap.code import open_workshop
from penstock.bootstrap.folder import DataFolder, FolderLock
from penstock.bootstrap.gauges import read_gauges
from penstock.bootstrap.http import Listener, open_sockets, show_address
from penstock.bootstrap.journal import set_up_logging
from penstock.bootstrap.keyring import open_fitting_sealer
from penstock.bootstrap.leftovers import Leftovers
from penstock.bootstrap.local_agent import LocalAgent
from penstock.bootstrap.loops import Loop
from penstock.bootstrap.parts import open_server_parts
from penstock.bootstrap.readiness import Readiness
from penstock.bootstrap.rounds import make_loops
from penstock.bootstrap.schema_watch import make_watch
from penstock.bootstrap.settings import Settings
from penstock.bootstrap.sources import Found, find_slips
from penstock.bootstrap.webhooks import read_reach
from penstock.engine.accounts import make_admin
from penstock.engine.gateway import Gateway
from penstock.engine.launch import Workshop, compile_rest
from penstock.engine.unit import Parts
from penstock.forge.halt import halt
from penstock.model.errors import RefusedError, UnavailableError
from penstock.plan.resources import parse_prices
from penstock.store.sealing import Sealer

_log = logging.getLogger(__name__)

FAREWELL = 5.0
"""Seconds that requests under way are given when the server stops."""

START_PATIENCE = 60.0
"""Seconds a server that starts waits for a PostgreSQL that does not answer."""

ANNOUNCED = "the token of the administrator, shown this once: {}"

_BEAT = 1.0


class Process:
    """A server, run by the thread that calls `run`.

    starting -> answering -> draining (first signal) -> leaving -> ended
                    └──────── second signal ───────────┘
    """

    def __init__(self, found: Found, announce: Callable[[str], None]) -> None:
        self._settings = found.settings
        self._announce = announce
        self._folder = DataFolder(found.data)
        self._signals = 0
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._agent: LocalAgent | None = None
        self._loops: list[Loop] = []
        self._reason = ""  # why it must not go on

    def run(self) -> None:
        """Serve until told to stop by SIGTERM or SIGINT.

        Afterwards nothing of it runs and its jobs are handed back. Raises UnavailableError, RefusedError
        or InvalidError when it cannot start.
        """
        settings = self._settings
        self._prepare()
        with ExitStack() as stack:
            stack.enter_context(FolderLock(self._folder))
            sockets = open_sockets(settings.host, settings.port)
            for each in sockets:
                stack.callback(each.close)
            address = show_address(sockets, settings)
            base_url = (settings.base_url or address).rstrip("/")
            parts = self._open_parts(base_url)
            stack.callback(parts.db.close)
            sealer = open_fitting_sealer(parts.db, settings, self._folder)
            workshop = open_workshop(settings, self._folder, parts.db, sealer)
            stack.callback(workshop.referee.close)
            gateway = Gateway(parts, compiler=compile_rest(parts, workshop))
            self._make_admin(parts)
            self._readiness = Readiness(parts, self._folder.root)
            server = Server(
                parts=parts,
                gateway=gateway,
                meter=_make_meter(parts),
                sealer=sealer,
                authenticate=partial(find_caller, parts),
                recall=partial(recall_caller, parts),
                log_in=partial(find_person, parts),
                workshop=workshop,
                base_url=base_url,
                limits=_read_limits(settings),
                prices=parse_prices(settings.credit_prices),
                figures_for_all=settings.metrics == "all",
                reach=read_reach(settings),
                find_reasons=self._readiness.find_reasons,
            )
            app = make_app(server, DIALECTS)
            stack.callback(app.close)
            self._loops = self._make_loops(parts, workshop, sealer)
            if settings.slots != 0:
                self._agent = LocalAgent(parts, gateway, settings, self._folder)
            uvloop.run(self._live(server, app, sockets, address))
            if self._reason:
                raise RefusedError(self._reason)

    def _make_admin(self, parts: Parts) -> None:
        """There is an administrator; the token of one who is new is announced when nobody gave it."""
        settings = self._settings
        admin = make_admin(parts, token=settings.admin_token, password=settings.admin_password)
        if admin.token:
            self._announce(ANNOUNCED.format(admin.token))

    def _make_loops(self, parts: Parts, workshop: Workshop, sealer: Sealer) -> list[Loop]:
        """All recurring work, not yet started."""
        leftovers = Leftovers(self._folder.jobs, self._folder.keys)
        return [
            *make_loops(parts, self._settings, workshop, sealer, leftovers),
            make_watch(parts, self._leave),
        ]

    def _prepare(self) -> None:
        """The log, the limits of the process and the folder are as the server needs them."""
        set_up_logging(self._settings.log_level, self._settings.log_format)
        for slip in find_slips():
            _log.warning("%s", slip)
        raise_file_limit()
        self._folder.make()

    def _open_parts(self, base_url: str) -> Parts:
        """The parts, for whose database is waited a while: machines often start together.

        Raises UnavailableError, RefusedError or InvalidError when they cannot be had.
        """
        deadline, said = time.monotonic() + START_PATIENCE, False
        while True:
            try:
                return open_server_parts(self._settings, self._folder, base_url)
            except UnavailableError as error:
                is_ours = self._settings.database.startswith("postgres")
                if not is_ours or time.monotonic() > deadline:
                    raise
                if not said:
                    _log.warning("waits up to %g s for the database: %s", START_PATIENCE, error)
                said = True
                time.sleep(1)

    async def _live(self, server: Server, app: App, sockets: list[socket.socket], address: str) -> None:
        """Answer requests; on a signal drain, then leave."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._heed_signal)
        listener = Listener(app, self._settings, lambda: self._announce(f"listening on {address}"))
        beat = loop.create_task(_measure_lag(server.meter))
        try:
            await asyncio.to_thread(self._begin)
            serving = loop.create_task(listener.serve(sockets))
            waiting = loop.create_task(self._stop.wait())
            await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            await self._drain()
            listener.should_exit = True
            leaving = loop.create_task(self._end_waits(server))
            await asyncio.wait({serving}, timeout=FAREWELL)
            listener.force_exit = True
            await serving
            leaving.cancel()
        finally:
            beat.cancel()
            await asyncio.to_thread(self._end)

    def _begin(self) -> None:
        for each in self._loops:
            each.start()
        if self._agent is not None:
            self._agent.start()

    async def _drain(self) -> None:
        """Give running jobs time to end; a second signal cuts it short."""
        self._readiness.leave()
        if self._agent is None or self._hurry.is_set():
            return
        self._agent.drain()
        _log.info("draining: no more jobs are taken, those that run have %g s", self._settings.drain)
        ended = asyncio.ensure_future(asyncio.to_thread(self._agent.join, self._settings.drain))
        hurried = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait({ended, hurried}, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()

    async def _end_waits(self, server: Server) -> None:
        """Answer those who wait for work or news, again and again: more may come while connections close."""
        while True:
            server.parts.feed.close()
            server.gateway.end_waits()
            await asyncio.sleep(0.1)

    def _end(self) -> None:
        """Hand back what still runs, and end all threads."""
        if self._agent is not None:
            self._agent.stop()
        halt()
        for each in self._loops:
            each.stop()
        for each in self._loops:
            each.join()
        _log.info("stopped")

    def _leave(self, reason: str) -> None:
        """Stop as if told to, for a reason; called by a loop's thread."""
        if not self._reason:
            self._reason = reason
            _log.error("%s", reason)
            os.kill(os.getpid(), signal.SIGTERM)

    def _heed_signal(self) -> None:
        """The first drains, the second hands back at once, the third ends the process as it is."""
        self._signals += 1
        self._stop.set()
        if self._signals > 1:
            self._hurry.set()
        if self._signals > 2:  # noqa: PLR2004 - somebody insists
            os._exit(130)


def _make_meter(parts: Parts) -> Meter:
    """The server's figures."""
    meter = Meter()
    meter.watch(partial(read_gauges, parts))
    return meter


def raise_file_limit() -> None:
    """As many files may be open as the system lets this process have: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _read_limits(settings: Settings) -> Limits:
    return Limits(
        body=settings.body_limit,
        depth=settings.body_depth,
        patience=settings.body_patience,
        threads=settings.threads,
        waiting=settings.waiting,
    )


async def _measure_lag(meter: Meter) -> None:
    """Note once a second how late the loop is."""
    while True:
        due = time.monotonic() + _BEAT
        await asyncio.sleep(_BEAT)
        meter.loop_lag.set(max(time.monotonic() - due, 0))
