"""Launches a pipeline of a project: which commit, what its config says there, and off it goes."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from penstock.engine.access import unknown
from penstock.engine.config_schedules import choose_scheduled
from penstock.engine.continuation import Compiler, ToCompile
from penstock.engine.describe import describe_pipeline
from penstock.engine.forks import guess_fork, label_fork
from penstock.engine.host_account import label_statuses
from penstock.engine.languages import find_language
from penstock.engine.organizations import load_organization_settings
from penstock.engine.origin import label_origin
from penstock.engine.project_settings import load_project_settings
from penstock.engine.review import Case, review_case, review_rest
from penstock.engine.setup_switch import refuse_setup
from penstock.engine.transact import transact
from penstock.engine.trigger import TriggerRequest, trigger_pipeline
from penstock.engine.unit import Parts, Unit
from penstock.forge.address import ANYWHERE, Policy
from penstock.kit.ids import new_id
from penstock.kit.marks import Mark
from penstock.language.circleci.continuation import compile_continuation
from penstock.language.circleci.pipeline import list_values
from penstock.language.common.context import Context
from penstock.model.diagnostic import Diagnostic, Severity
from penstock.model.errors import (
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    RefusedError,
)
from penstock.model.project import Project
from penstock.model.run import Authorship, Fork, Pipeline, Revision, TriggerType
from penstock.model.settings import ProjectSettings
from penstock.plan.plan import Plan
from penstock.policy.referee import Referee
from penstock.store import counters, projects, removal
from penstock.store.database import Transaction

Simple = str | int | bool

LANGUAGE = "circleci"

CONTINUATION = "continuation"
"""What stands for a file's name in findings of a config that came from a job."""

CONFIG_FETCH = "config-fetch"
"""Code of the finding of a pipeline whose config cannot be had."""

MOST_PARAMETERS, MOST_NAME, MOST_VALUE = 100, 128, 512
"""How many parameters a trigger may give, and how long (CircleCI API v2: triggerPipeline)."""

_FAULTS = {"unexpected-argument", "argument-too-long", "argument-type"}
"""Codes of findings that are about the arguments of the trigger when they are in no call."""


class Ref(msgspec.Struct, frozen=True, kw_only=True):
    """A branch or a tag; neither is the default branch. A branch may be `pull/7/head`."""

    branch: str = ""
    tag: str = ""


class CommitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A commit as a pipeline remembers it; a `foreign` one is on no branch of the repository itself."""

    sha: str
    author: str = ""
    authorship: Authorship | None = None
    subject: str = ""
    body: str = ""
    foreign: bool = False


class Fetch(msgspec.Struct, frozen=True, kw_only=True):
    """A commit somebody told of, and where it is to be had.

    `ref` is the full name it was on; `sha` may be that of an annotated tag, or "" for where the ref is now.
    `url` is that of another repository than the project's own, "" for that one.
    """

    ref: str
    sha: str = ""
    url: str = ""


class SourceOfCode(Protocol):
    """Where the source of projects is read."""

    def obtain(self, project: Project, fetch: Fetch) -> CommitFacts:
        """The commit, which can be read from now on, also when its ref has moved on or is gone.

        Raises as `resolve` does.
        """
        ...

    def resolve(self, project: Project, ref: Ref) -> CommitFacts:
        """The commit the ref is at now in the origin.

        Raises NotFoundError for a ref or repository that is not there, ForbiddenError or UnavailableError
        as the origin would have it.
        """
        ...

    def read_file(self, project: Project, sha: str, path: str) -> bytes:
        """The file at a commit that was resolved. Raises NotFoundError, InvalidError, LimitExceededError."""
        ...


class NoCode:
    """A source of code that has none."""

    def obtain(self, project: Project, fetch: Fetch) -> CommitFacts:
        """Raises NotFoundError."""
        raise NotFoundError(f"{project.slug} has no {fetch.ref} here")

    def resolve(self, project: Project, ref: Ref) -> CommitFacts:
        """Raises NotFoundError."""
        raise NotFoundError(f"{project.slug} has no {ref.tag or ref.branch} here")

    def read_file(self, project: Project, sha: str, path: str) -> bytes:
        """Raises NotFoundError."""
        raise NotFoundError(f"{project.slug} has no {path} at {sha} here")


Supply = Callable[[bytes, Context], Context]
"""Adds to the context what the config wants from elsewhere: orbs."""


class Workshop(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to make a plan of a project's config."""

    code: SourceOfCode
    policy: Policy = ANYWHERE  # where projects may be
    hosts: Mapping[str, str] = {}  # below which addresses the repositories of hosts are
    is_open: Callable[[Project], bool] = lambda _project: False  # whether everybody may clone it
    sweep: Callable[[], None] = lambda: None  # does away with copies nobody needs
    supply: Supply = lambda _source, context: context
    referee: Referee = msgspec.field(default_factory=Referee)  # has configs judged by policies


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline somebody wants.

    The config is taken from `config` when that is another ref, and is `source` when there is one.
    """

    ref: Ref
    actor: str
    config: Ref | None = None
    source: str = ""
    parameters: Mapping[str, Simple] = {}
    trigger: TriggerType = TriggerType.API


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A wish with what was found out about it.

    `values` are what the config may refer to beside what every pipeline has; `labels` are kept with the
    pipeline. With `workflow` that one alone starts, which must have a schedule.
    """

    project: Project
    wish: Wish
    uuid: str
    revision: Revision
    file: str
    source: bytes
    fault: str = ""  # why there is no source
    values: Mapping[str, Simple | None] = {}
    labels: Mapping[str, str] = {}
    workflow: str = ""


def launch_pipeline(parts: Parts, workshop: Workshop, project: Project, wish: Wish) -> Pipeline:
    """The pipeline, stored and started; errored when its config cannot be had or has mistakes.

    Raises InvalidError for arguments the config does not take, RefusedError when the project takes no new
    work or its repository lets nobody in, NotFoundError for a branch or tag that is not there.
    """
    _check_wish(wish)
    with parts.db.read() as tx:
        settings = check_open(tx, project)
    return start_draft(parts, workshop, settings, _draft(workshop, project, settings, wish))


def start_draft(parts: Parts, workshop: Workshop, settings: ProjectSettings, draft: Draft) -> Pipeline:
    """The pipeline of the draft, stored and started; raises InvalidError as `launch_pipeline` does.

    Raises NotFoundError when the draft's `workflow` has no schedule in the config or its project is gone.
    """
    project = draft.project
    with parts.db.read() as tx:
        labels = {**draft.labels, **label_statuses(tx, project, settings)}
    draft = msgspec.structs.replace(draft, labels=labels)
    plan, context = _compile(workshop, draft, number=0)
    faults = [
        finding.message for finding in plan.diagnostics if finding.code in _FAULTS and not finding.scope
    ]
    if draft.wish.parameters and faults and draft.wish.trigger is not TriggerType.SCHEDULE:
        raise InvalidError("\n".join(faults))
    number = transact(parts, lambda unit: _take_number(unit, project))
    if any(
        "pipeline.number" in text for text in (draft.source.decode(errors="replace"), *context.orbs.values())
    ):
        plan, _ = _compile(workshop, draft, number=number, known=context)
    plan = refuse_setup(plan, settings, draft.file, draft.source)
    case = Case(project, draft.revision, number, draft.source, plan, draft.file)
    plan, judgement = review_case(parts, workshop.referee, case)
    supersedes = settings.autocancel_builds and _is_newest(project, draft)
    request = _make_request(draft, plan, number, supersedes=supersedes)
    return trigger_pipeline(parts, msgspec.structs.replace(request, judgement=judgement))


def check_open(tx: Transaction, project: Project) -> ProjectSettings:
    """The settings of a project that takes new work. Raises RefusedError when it or its owner does not."""
    settings = load_project_settings(tx, project.id)
    if settings.block_new_work or load_organization_settings(tx, project.organization_id).block_new_work:
        raise RefusedError("This project takes no new work at present: block_new_work is set.")
    return settings


def compile_rest(parts: Parts, workshop: Workshop) -> Compiler:
    """Compiles the config with which a setup workflow continues its pipeline."""

    def work(wanted: ToCompile) -> Plan:
        pipeline = wanted.pipeline
        facts = describe_pipeline(
            wanted.project, pipeline.revision, pipeline.trigger, pipeline.uuid, pipeline.number
        )
        context = Context(
            file=CONTINUATION,
            branch=pipeline.revision.branch,
            tag=pipeline.revision.tag,
            values=list_values(facts) | dict(wanted.values),
            parameters=pipeline.parameters,
        )
        source = wanted.source.encode("utf-8", "surrogatepass")
        plan = compile_continuation(source, workshop.supply(source, context), wanted.setup, wanted.given)
        return review_rest(parts, workshop.referee, wanted, plan)

    return work


def _check_wish(wish: Wish) -> None:
    """Raises InvalidError for what no pipeline can be made of."""
    for ref in (wish.ref, wish.config):
        if ref is not None and ref.branch and ref.tag:
            raise InvalidError("Only one of branch and tag may be given.")
    check_parameters(wish.parameters)


def check_parameters(parameters: Mapping[str, Simple]) -> None:
    """Return when a pipeline may be given these. Raises InvalidError for too many or too long ones."""
    if len(parameters) > MOST_PARAMETERS:
        raise InvalidError(f"There are more than {MOST_PARAMETERS} pipeline parameters.")
    for name, value in parameters.items():
        if len(name) > MOST_NAME or len(str(value)) > MOST_VALUE:
            bounds = f"names may have {MOST_NAME} characters, values {MOST_VALUE}"
            raise InvalidError(f"Pipeline parameter {name[:MOST_NAME]} is too long: {bounds}.")


def _draft(workshop: Workshop, project: Project, settings: ProjectSettings, wish: Wish) -> Draft:
    commit = _resolve(workshop, project, wish.ref)
    origin = (
        commit if wish.config is None or wish.config == wish.ref else _resolve(workshop, project, wish.config)
    )
    source, fault = wish.source.encode("utf-8", "surrogatepass"), ""
    if not source:
        source, fault = read_config(workshop, project, origin.sha, settings.config_path)
    draft = draft_commit(project, settings, wish, commit, _find_fork(wish, commit, origin))
    return msgspec.structs.replace(draft, source=source, fault=fault)


def draft_commit(
    project: Project, settings: ProjectSettings, wish: Wish, commit: CommitFacts, fork: Fork | None
) -> Draft:
    """A draft of the commit, which comes from that fork if from one; it has no config yet."""
    revision = Revision(
        sha=commit.sha,
        branch=wish.ref.branch or ("" if wish.ref.tag else project.default_branch),
        tag=wish.ref.tag,
        subject=commit.subject,
        body=commit.body,
        author=commit.author,
        authorship=commit.authorship,
        fork=fork,
    )
    trusted = fork is not None and settings.forks_receive_secret_env_vars
    return Draft(
        project=project,
        wish=wish,
        uuid=new_id(),
        revision=revision,
        file=settings.config_path,
        source=b"",
        labels=label_fork(trusted=trusted) | _label_origin(project, wish),
    )


def _label_origin(project: Project, wish: Wish) -> dict[str, str]:
    other = wish.config if wish.config is not None and wish.config != wish.ref else None
    if wish.source or other is None:
        return label_origin(given=bool(wish.source))
    branch = other.branch or ("" if other.tag else project.default_branch)
    return label_origin(given=False, branch=branch, tag=other.tag)


def _find_fork(wish: Wish, commit: CommitFacts, origin: CommitFacts) -> Fork | None:
    """The fork that the code or the config comes from, when somebody asked for a pull request's."""
    if commit.foreign:
        return guess_fork(wish.ref.branch)
    return guess_fork(wish.config.branch) if origin.foreign and wish.config is not None else None


def read_config(workshop: Workshop, project: Project, sha: str, path: str) -> tuple[bytes, str]:
    """The config at the commit, and why it cannot be had when it cannot."""
    try:
        return workshop.code.read_file(project, sha, path), ""
    except (NotFoundError, InvalidError, LimitExceededError) as error:
        return b"", f"Failed to fetch {path}: {error}"


def _resolve(workshop: Workshop, project: Project, ref: Ref) -> CommitFacts:
    wanted = ref if ref.branch or ref.tag else Ref(branch=project.default_branch)
    try:
        return workshop.code.resolve(project, wanted)
    except ForbiddenError as error:  # it is the server that may not, not whoever asks
        raise RefusedError(str(error)) from error


def _compile(
    workshop: Workshop, draft: Draft, *, number: int, known: Context | None = None
) -> tuple[Plan, Context]:
    """The plan, and the context with all that was fetched for it."""
    if draft.fault:
        finding = Diagnostic(
            severity=Severity.ERROR, code=CONFIG_FETCH, message=draft.fault, mark=Mark(draft.file, 1, 1)
        )
        return Plan(language=LANGUAGE, diagnostics=(finding,)), Context(file=draft.file)
    described = describe_pipeline(draft.project, draft.revision, draft.wish.trigger, draft.uuid, number)
    values = list_values(described) | dict(draft.values)
    if known is not None:
        context = msgspec.structs.replace(known, values=values)
    else:
        revision = draft.revision
        context = Context(
            file=draft.file,
            branch=revision.branch,
            tag=revision.tag,
            values=values,
            parameters=draft.wish.parameters,
        )
        context = workshop.supply(draft.source, context)
    plan = find_language(LANGUAGE).compile(draft.source, context)
    return choose_scheduled(plan, draft.workflow), context


def _take_number(unit: Unit, project: Project) -> int:
    found = projects.get_project(unit.tx, project.id)
    if found is None or removal.is_marked(found):  # deleted while its commit was fetched
        raise unknown(Project)
    return counters.next_number(unit.tx, project.id, counters.CounterKind.PIPELINE)


def _make_request(draft: Draft, plan: Plan, number: int, *, supersedes: bool) -> TriggerRequest:
    return TriggerRequest(
        project_id=draft.project.id,
        uuid=draft.uuid,
        number=number,
        trigger=draft.wish.trigger,
        actor=draft.wish.actor,
        revision=draft.revision,
        plan=plan,
        source=draft.source.decode(errors="replace"),
        parameters=draft.wish.parameters,
        labels=draft.labels,
        supersedes=supersedes,
        schedules=_is_of_branch(draft.wish),
    )


def _is_of_branch(wish: Wish) -> bool:
    """True when the config is the branch's own, and nothing was said that makes it another."""
    if wish.trigger is not TriggerType.API:
        return wish.trigger is TriggerType.WEBHOOK
    return not wish.parameters and not wish.source and wish.config in {None, wish.ref}


def _is_newest(project: Project, draft: Draft) -> bool:
    """True when older pipelines of the branch are not wanted any more (CircleCI docs: auto-cancel)."""
    branch = draft.revision.branch
    scheduled = draft.wish.trigger is TriggerType.SCHEDULE
    return bool(branch) and branch != project.default_branch and not scheduled
