"""Builds what a webhook announced: keeps the promise made when it was heard, once and for all."""

import logging

import msgspec

from penstock.engine.deliver import is_last_try
from penstock.engine.event_values import pack_values
from penstock.engine.forks import label_fork
from penstock.engine.held import Held
from penstock.engine.launch import (
    CommitFacts,
    Draft,
    Fetch,
    Ref,
    Wish,
    Workshop,
    check_open,
    read_config,
    start_draft,
)
from penstock.engine.unit import Parts, Unit
from penstock.forge.hooks.event import NOBODY
from penstock.forge.hooks.skip import find_skip
from penstock.forge.hooks.trigger import TriggerFacts
from penstock.kit.ids import new_id
from penstock.kit.shapes import learn
from penstock.kit.trace import REQUEST, work_for
from penstock.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from penstock.model.project import Project
from penstock.model.run import Fork, Pipeline, Revision, TriggerType
from penstock.store import outbox, pipelines, projects, removal
from penstock.store.outbox import Letter

PUSH = "push"
"""The kind of letter that promises a pipeline."""

_log = logging.getLogger(__name__)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline that was promised: its project and UUID, and what the host said in which request."""

    project: str
    pipeline: str
    facts: TriggerFacts
    request: str = ""


def promise_pipeline(unit: Unit, project: Project, facts: TriggerFacts) -> Order:
    """The pipeline will be made soon after the transaction; those of a project in the order of promises."""
    order = Order(project=project.uuid, pipeline=new_id(), facts=facts, request=REQUEST.get())
    outbox.hasten_letters(unit.tx, PUSH, project.uuid, now=unit.now)  # the host is there again
    unit.promise(PUSH, project.uuid, msgspec.to_builtins(order))
    return order


class PushDesk:
    """Makes the pipelines that letters promise; threads that get the same letter do not both work at it."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._held = Held()

    def deliver(self, parts: Parts, letter: Letter) -> None:
        """An `engine.deliver.Deliver`."""
        order = msgspec.convert(letter.payload, learn(Order))
        with (
            self._held.hold(order.pipeline, "its commit is still being fetched"),
            work_for(order.request),
        ):
            launch_push(parts, self._workshop, order, last=is_last_try(letter))


def launch_push(parts: Parts, workshop: Workshop, order: Order, *, last: bool = False) -> Pipeline | None:
    """The pipeline, stored and started; None when its project is gone or blocked, or its commit says skip.

    Nothing is made twice. Raises UnavailableError when the origin does not answer; with `last` that makes
    an errored pipeline, as everything else does by which the commit cannot be had.
    """
    with parts.db.read() as tx:
        made = pipelines.pipeline_by_uuid(tx, order.pipeline)
        project = projects.project_by_uuid(tx, order.project)
        if made is not None or project is None or removal.is_marked(project):
            return made
        try:
            settings = check_open(tx, project)
        except RefusedError as error:
            _log.info("project %s: a push is not built: %s", project.slug, error)
            return None
    commit, fault = _obtain(workshop, project, order.facts, last=last)
    mark = "" if order.facts.skip_checked else find_skip(commit.subject, commit.body)
    if mark:
        _log.info("project %s: commit %s is not built: it says %s", project.slug, commit.sha, mark)
        return None
    source = b""
    if not fault:
        source, fault = read_config(workshop, project, commit.sha, settings.config_path)
    facts = order.facts
    draft = Draft(
        project=project,
        wish=Wish(ref=Ref(), actor=_name_actor(facts), trigger=TriggerType.WEBHOOK),
        uuid=order.pipeline,
        revision=_describe_revision(facts, commit),
        file=settings.config_path,
        source=source,
        fault=fault,
        values=facts.values,
        labels=pack_values(facts.values) | label_fork(trusted=facts.secrets, url=facts.fetch_url),
    )
    try:
        return start_draft(parts, workshop, settings, draft)
    except ConflictError:  # another server was first
        with parts.db.read() as tx:
            return pipelines.pipeline_by_uuid(tx, order.pipeline)


def _obtain(
    workshop: Workshop, project: Project, facts: TriggerFacts, *, last: bool
) -> tuple[CommitFacts, str]:
    """The commit, or what is known of it with the reason why it cannot be had."""
    wanted = Fetch(ref=facts.fetch_ref, sha=facts.revision.sha, url=facts.fetch_url)
    try:
        return workshop.code.obtain(project, wanted), ""
    except UnavailableError as error:
        if not last:
            raise
        fault = str(error)
    except (NotFoundError, ForbiddenError, InvalidError, LimitExceededError) as error:
        fault = str(error)
    known = facts.revision
    commit = CommitFacts(sha=known.sha, author=known.author, subject=known.subject, body=known.body)
    return commit, f"Failed to fetch the commit: {fault}"


def _describe_revision(facts: TriggerFacts, commit: CommitFacts) -> Revision:
    """What the host said of it, with the commit's own words where it said nothing."""
    told = facts.revision
    fork = None
    if facts.fork:
        owner, _, name = facts.fork.rpartition("/")
        fork = Fork(number=facts.pull_number or 0, owner=owner, name=name)
    return msgspec.structs.replace(
        told,
        sha=commit.sha,
        subject=told.subject or commit.subject,
        body=told.body or (commit.body if not told.subject else ""),
        author=told.author or commit.author,
        authorship=commit.authorship,
        fork=fork,
    )


def _name_actor(facts: TriggerFacts) -> str:
    """The login at the host of who did it: by nothing else, which people choose at will, are they known."""
    return facts.actor.login or NOBODY
