"""Runs the pipeline of a checkout in this process: engine, store and agent in one."""

import queue
import threading
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from penstock.agent.loop import Agent
from penstock.agent.tuning import Tuning
from penstock.bootstrap.config import Compiled, Question, compile_config
from penstock.bootstrap.continuation import make_compiler
from penstock.bootstrap.executors import LocalExecutors
from penstock.bootstrap.home import Home, RunFolder, is_abandoned, remove_abandoned
from penstock.bootstrap.interrupts import Interrupts, Phase
from penstock.bootstrap.parts import open_parts
from penstock.engine.continuation import Compiler
from penstock.engine.control import approve_job, cancel_pipeline
from penstock.engine.expiry import expire_caches
from penstock.engine.facts import LOCAL_SOURCE
from penstock.engine.feed import Change, JobChanged, PipelineChanged, WorkflowChanged
from penstock.engine.gateway import Gateway
from penstock.engine.history import find_run
from penstock.engine.recover import end_pipeline, recover_pipelines
from penstock.engine.summary import summarize_pipeline
from penstock.engine.timers import tick
from penstock.engine.trigger import (
    ProjectRef,
    Reservation,
    TriggerRequest,
    reserve_pipeline,
    trigger_pipeline,
)
from penstock.engine.unit import Parts
from penstock.engine.variables import GivenVariables
from penstock.forge.checkout import Snapshot, take_snapshot
from penstock.model.errors import UnavailableError
from penstock.model.run import Pipeline, TriggerType
from penstock.model.status import JobStatus, PipelineStatus, Reason, WorkflowStatus
from penstock.model.summary import RunSummary
from penstock.plan.plan import Plan
from penstock.plan.select import EVERY, Selection
from penstock.store.agents import register_agent
from penstock.wire.messages import Commands, Sync

if TYPE_CHECKING:
    from penstock.agent.executor.docker.engine import Engine

_TICK = 0.5  # seconds between looks at timers
_TUNING = Tuning(clean_up=60, farewell=2, poll=2, sample=0)  # a poll is also how soon a fault is noticed
_SETTLED = {WorkflowStatus.ON_HOLD}
NOT_APPROVED = "not approved"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run and how. `announce` hears of the config a setup workflow continues with."""

    question: Question
    compiled: Compiled
    selection: Selection
    announce: Callable[[Plan], None]
    variables: GivenVariables
    slots: int
    time_limit: float  # seconds, of a job that names none
    engine: "Engine | None" = None  # for jobs that ask for containers
    anything: bool = False  # jobs for other machines run on this one
    approve: Collection[str] = ()
    keep: bool = False


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a local run ended. `outcome` is None when approvals are left that nobody gave."""

    pipeline: str
    outcome: WorkflowStatus | None
    status: PipelineStatus
    interrupted: bool
    folder: Path | None  # where the jobs' folders stay, when they do
    held: tuple[str, ...]
    summary: RunSummary


class _Fault(msgspec.Struct, frozen=True):
    """Something that ends the run: it goes to the thread that can tell the user."""

    error: BaseException


class _Interrupt(msgspec.Struct, frozen=True):
    """Somebody wants the run to end."""


class LocalRun:
    """One run of one checkout. Use as a context manager: leaving it leaves no process and no lock."""

    folder: RunFolder
    parts: Parts

    def __init__(self, home: Home, order: Order) -> None:
        self._home = home
        self._order = order
        self._news: queue.SimpleQueue[Change | _Fault | _Interrupt] = queue.SimpleQueue()
        self._interrupts = Interrupts(self.interrupt)
        self._leave = ExitStack()
        self._executors: LocalExecutors | None = None
        self._agent: Agent | None = None
        self._gateway: Gateway | None = None
        self._thread: threading.Thread | None = None
        self._held: dict[str, str] = {}  # approvals that wait: name by job id
        self._open: dict[str, WorkflowStatus] = {}
        self.interrupted = 0
        self._unwatch: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._interrupts)
            self.folder = RunFolder(self._home.runs / self._order.question.pipeline)
            stack.callback(self._put_away)
            self.parts = open_parts(self._home, self._order.variables)
            stack.callback(self.parts.db.close)
            stack.callback(self._stop_agent)
            self._leave = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._interrupts.phase = Phase.LEAVING
        self._leave.close()

    def interrupt(self) -> None:
        """Cancel the run as Ctrl-C does. May be called from any thread; returns at once."""
        self._news.put(_Interrupt())

    def run(self, watch: Callable[[Change], None]) -> Ending:
        """Run the pipeline to its end, telling `watch` of every change.

        Ctrl-C cancels it and lets `when: always` steps run; once more ends everything at once. Raises
        UnavailableError when the data folder cannot be written to any more; nothing runs on then.
        """
        recover_runs(self.parts, self._home)
        pipeline = self._trigger(watch)
        self._start_agent(pipeline)
        outcome = self._follow(pipeline)
        held = tuple(self._held.values())
        summary = summarize_pipeline(self.parts, pipeline.uuid)  # what is on hold is shown as such
        if outcome is None:
            self._unwatch()  # that the rest is given up now is no news of the run
            end_pipeline(self.parts, pipeline.id, message=NOT_APPROVED)
        else:
            self._disown(pipeline)
        self._interrupts.phase = Phase.AFTER
        return Ending(
            pipeline=pipeline.uuid,
            outcome=outcome,
            status=find_run(self.parts, pipeline.uuid).status,
            interrupted=self.interrupted > 0,
            folder=self._home.kept / self.folder.path.name if self._order.keep else None,
            held=held,
            summary=summary,
        )

    def _trigger(self, watch: Callable[[Change], None]) -> Pipeline:
        question, checkout = self._order.question, self._order.question.checkout
        snapshot = take_snapshot(checkout, self.folder.path / "source.git")
        identity = checkout.identity
        ref = ProjectRef(
            organization=identity.organization,
            name=identity.name,
            url=checkout.remote,
            default_branch=checkout.default_branch,
        )
        reservation = reserve_pipeline(self.parts, ref)
        compiled = self._order.compiled
        if b"pipeline.number" in compiled.source:
            numbered = msgspec.structs.replace(question, number=reservation.number)
            compiled = compile_config(numbered, compiled.source)
        self._interrupts.start_run()
        self._unwatch = self.parts.feed.subscribe(watch)
        self.parts.feed.subscribe(self._news.put)
        return trigger_pipeline(self.parts, self._make_request(compiled, reservation, snapshot))

    def _make_request(
        self, compiled: Compiled, reservation: Reservation, snapshot: Snapshot
    ) -> TriggerRequest:
        question = self._order.question
        revision = msgspec.structs.replace(
            snapshot.revision,
            branch="" if question.tag else question.branch or snapshot.revision.branch,
            tag=question.tag,
        )
        return TriggerRequest(
            project_id=reservation.project.id,
            uuid=question.pipeline,
            number=reservation.number,
            trigger=TriggerType.LOCAL,
            actor=question.checkout.author,
            revision=revision,
            plan=self._order.selection.narrow(compiled.plan),
            source=compiled.source.decode(errors="replace"),
            parameters=compiled.parameters,
            owner=str(self.folder.path),
            labels={LOCAL_SOURCE: str(snapshot.repository)},
        )

    def _start_agent(self, pipeline: Pipeline) -> None:
        with self.parts.db.write() as tx:
            record = register_agent(
                tx,
                f"local-{pipeline.uuid[-12:]}",
                labels=[pipeline.uuid],
                slots=self._order.slots,
                now=self.parts.clock.now(),
            )
        jobs = self.folder.path / "jobs"
        order = self._order
        self._executors = executors = LocalExecutors(
            jobs, order.engine, anything=order.anything, keep=order.keep
        )
        compiler = make_compiler(order.question, order.selection, order.announce)
        self._gateway = transport = _Watched(self.parts, self._fail, compiler)
        self._agent = Agent(
            transport,
            executors.choose,
            name=record.uuid,
            slots=self._order.slots,
            tuning=msgspec.structs.replace(_TUNING, job_time=self._order.time_limit),
        )
        self._thread = threading.Thread(
            target=self._work, args=(self._agent,), name="penstock-agent", daemon=True
        )
        self._thread.start()

    def _stop_agent(self) -> None:
        """No process of a job is left and no thread of ours."""
        if self._agent is not None and self._gateway is not None:
            self._agent.stop(now=True)
            self._gateway.end_waits()
        if self._thread is not None:
            self._thread.join()
        if self._executors is not None:
            self._executors.close()

    def _put_away(self) -> None:
        if self._order.keep:
            self.folder.keep(self._home.kept)
        else:
            self.folder.remove()

    def _work(self, agent: Agent) -> None:
        try:
            agent.run()
        except BaseException as error:  # noqa: BLE001 - the outermost loop of the thread: handed to the main one
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._news.put(_Fault(error))

    def _follow(self, pipeline: Pipeline) -> WorkflowStatus | None:
        """Wait until the pipeline has ended; None when only approvals nobody gives are left."""
        while True:
            news = self._next_news(pipeline)
            if isinstance(news, PipelineChanged) and news.ended:
                return news.outcome
            if news is not None and self._is_stuck(news):
                return None

    def _next_news(self, pipeline: Pipeline) -> Change | None:
        try:
            news = self._news.get(timeout=_TICK)
        except queue.Empty:
            tick(self.parts)
            return None
        if isinstance(news, _Fault):
            raise news.error
        if isinstance(news, _Interrupt):
            self._interrupt(pipeline)
            return None
        return news

    def _is_stuck(self, news: Change) -> bool:
        """Give the approvals that are to be given; True when all that is left waits for others."""
        if isinstance(news, WorkflowChanged):
            self._open[news.workflow] = news.status
            if news.status.is_terminal:
                del self._open[news.workflow]
        elif isinstance(news, JobChanged) and news.status is JobStatus.ON_HOLD:
            if EVERY in self._order.approve or {news.name, news.key} & set(self._order.approve):
                approve_job(self.parts, news.job, by=self._order.question.checkout.author)
                return False
            self._held[news.job] = news.name
        elif isinstance(news, JobChanged):
            self._held.pop(news.job, None)
        return bool(self._held) and set(self._open.values()) <= _SETTLED and self._news.empty()

    def _interrupt(self, pipeline: Pipeline) -> None:
        self.interrupted += 1
        if self.interrupted == 1:
            cancel_pipeline(self.parts, pipeline.uuid, reason=Reason.INTERRUPTED)
        elif self._agent is not None:
            self._agent.stop(now=True)

    def _disown(self, pipeline: Pipeline) -> None:
        from penstock.store.pipelines import disown_pipeline

        with self.parts.db.write() as tx:
            disown_pipeline(tx, pipeline.id)


def recover_runs(parts: Parts, home: Home) -> None:
    """What commands that were killed left is ended in the store, and their folders are gone.

    So are caches whose time is over.
    """
    recover_pipelines(parts, lambda owner: is_abandoned(Path(owner)))
    remove_abandoned(home)
    expire_caches(parts)


class _Watched(Gateway):
    """The gateway in this process. When it cannot store any more, trying again is no use."""

    def __init__(self, parts: Parts, tell: Callable[[BaseException], None], compiler: Compiler) -> None:
        super().__init__(parts, clean_up=True, compiler=compiler)
        self._tell = tell

    def sync(self, message: Sync) -> Commands:
        """As the gateway's; a failure to store ends the run."""
        try:
            return super().sync(message)
        except UnavailableError as error:
            self._tell(error)
            raise
