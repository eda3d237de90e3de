"""`penstock run`: the pipeline of a checkout, on this machine."""

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Group, Parameter

from penstock.bootstrap.config import Question, compile_config, find_config, is_file
from penstock.bootstrap.executors import Choice, find_engine, list_missing
from penstock.cli.exit import Exit
from penstock.cli.options import read_keys, read_limit, read_variables, show_diagnostics, split_pairs
from penstock.engine.variables import GivenVariables
from penstock.model.diagnostic import Severity, has_errors
from penstock.model.errors import InvalidError
from penstock.model.project import SshKey
from penstock.plan.executor import ExecutorKind
from penstock.plan.plan import Plan
from penstock.plan.select import Selection
from penstock.plan.step import AddSshKeys
from penstock.plan.workflow import Start

_WHAT = Group("What to run", sort_key=1)
_GIVEN = Group("What it is given", sort_key=2)
_HOW = Group("How", sort_key=3)

_NAMED = 3  # jobs a warning names; of the others it says how many

Several = Parameter(negative="")
Flag = Parameter(negative="")


def run(  # noqa: PLR0913 - an argument for each option
    path: Path = Path(),
    /,
    *,
    config: Annotated[Path | None, Parameter(group=_WHAT)] = None,
    workflow: Annotated[list[str] | None, Several, Parameter(group=_WHAT)] = None,
    job: Annotated[list[str] | None, Several, Parameter(group=_WHAT)] = None,
    orb_lock: Annotated[Path | None, Parameter(group=_WHAT)] = None,
    param: Annotated[list[str] | None, Several, Parameter(group=_GIVEN)] = None,
    branch: Annotated[str, Parameter(group=_GIVEN)] = "",
    tag: Annotated[str, Parameter(group=_GIVEN)] = "",
    env_file: Annotated[list[Path] | None, Several, Parameter(group=_GIVEN)] = None,
    context: Annotated[list[str] | None, Several, Parameter(group=_GIVEN)] = None,
    ssh_key: Annotated[list[str] | None, Several, Parameter(group=_GIVEN)] = None,
    approve: Annotated[list[str] | None, Several, Parameter(group=_GIVEN)] = None,
    executor: Annotated[Choice, Parameter(group=_HOW, show_default=True)] = "auto",
    max_parallel: Annotated[int | None, Parameter(group=_HOW)] = None,
    time_limit: Annotated[str, Parameter(group=_HOW, show_default=True)] = "5h",
    output: Annotated[Path | None, Parameter(group=_HOW)] = None,
    json: Annotated[bool, Flag, Parameter(group=_HOW)] = False,
    verbose: Annotated[bool, Flag, Parameter(group=_HOW, alias="-v")] = False,
    keep: Annotated[bool, Flag, Parameter(group=_HOW)] = False,
) -> int:
    """Run the whole pipeline of a checkout on this machine, uncommitted changes included.

    The working tree is copied, never written to. Exits with 0 when everything passed, 1 when a job failed,
    2 when the config or the call is wrong, 3 when something the run depends on is missing, 130 after Ctrl-C.

    Parameters
    ----------
    path
        A folder of the checkout.
    config
        The config file; without it .circleci/config.yml.
    workflow
        Run only this workflow; may be given several times.
    job
        Run only this job and what it requires; may be given several times.
    orb_lock
        A file that pins the orbs: written when it is not there, obeyed when it is.
    param
        An argument for a pipeline parameter, NAME=VALUE; may be given several times.
    branch
        Run as on this branch instead of the one that is checked out.
    tag
        Run as for this tag.
    env_file
        Variables of the project, a file of NAME=VALUE lines; masked in output.
    context
        Variables of a context, NAME=FILE; masked in output.
    ssh_key
        A private SSH key of the project, FILE or FILE:HOST; may be given several times.
    approve
        Give this approval, or `all`; may be given several times.
    executor
        Where jobs run: `auto` is Docker for jobs with images when an engine answers, `host` always here.
    max_parallel
        How many jobs run at a time; without it as many as there are processors.
    time_limit
        The longest a job may take, like 30m or 1h30m; `none` for no limit.
    output
        Copy artifacts, logs and test results into this folder.
    json
        Print events as JSON lines, last a summary.
    verbose
        Print also what the steps print.
    keep
        Leave the folders of the jobs in place, for a look.
    """
    return _start(
        Wish(
            path=path,
            config=config,
            workflows=workflow or [],
            jobs=job or [],
            orb_lock=orb_lock,
            parameters=split_pairs(param or [], "--param"),
            branch=branch,
            tag=tag,
            env_files=env_file or [],
            contexts=split_pairs(context or [], "--context"),
            keys=read_keys(ssh_key or []),
            approve=tuple(approve or []),
            executor=executor,
            slots=max_parallel if max_parallel is not None else os.cpu_count() or 1,
            time_limit=read_limit(time_limit, "--time-limit"),
            output=output,
            json=json,
            verbose=verbose,
            keep=keep,
        )
    )


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the call."""

    path: Path
    config: Path | None
    workflows: list[str]
    jobs: list[str]
    orb_lock: Path | None
    parameters: dict[str, str]
    branch: str
    tag: str
    env_files: list[Path]
    contexts: dict[str, str]
    keys: tuple[SshKey, ...]
    approve: tuple[str, ...]
    executor: Choice
    slots: int
    time_limit: float
    output: Path | None
    json: bool
    verbose: bool
    keep: bool


def _check_wish(wish: Wish) -> None:
    """Raises InvalidError for options that make no sense."""
    if wish.branch and wish.tag:
        raise InvalidError("--branch and --tag exclude each other: a pipeline is for one of them")
    if wish.slots < 1:
        raise InvalidError("--max-parallel must be at least 1")
    if wish.output == Path() or (wish.output and is_file(wish.output)):
        raise InvalidError("--output must name a folder, other than the current one")


def _start(wish: Wish) -> int:
    """Compile, say what is to be said before, and run."""
    begun = time.monotonic()
    _check_wish(wish)
    checkout, file = find_config(wish.path, wish.config)
    question = Question(
        file=file,
        checkout=checkout,
        branch=wish.branch,
        tag=wish.tag,
        parameters=wish.parameters,
        orb_lock=wish.orb_lock,
    )
    compiled = compile_config(question)
    findings = [each for each in compiled.plan.diagnostics if each.severity is not Severity.HINT]
    if findings:
        show_diagnostics(findings)
    if has_errors(findings):
        return Exit.USAGE

    selection = Selection(
        workflows=tuple(wish.workflows), jobs=tuple(wish.jobs), approvals=tuple(wish.approve)
    )
    plan = selection.narrow(compiled.plan)
    if not any(workflow.start is Start.AT_ONCE for workflow in plan.workflows.values()):
        _tell(
            "nothing to run: no workflow starts for this branch or tag (schedules run with --workflow NAME)"
        )
        return Exit.SUCCESS
    engine = find_engine(plan, wish.executor)
    _warn(plan, wish, has_engine=engine is not None)
    from penstock.cli.local import Settings, run_order

    settings = Settings(
        question=question,
        compiled=compiled,
        selection=selection,
        announce=partial(_announce, wish=wish, has_engine=engine is not None),
        variables=_read_given(wish),
        slots=wish.slots,
        time_limit=wish.time_limit,
        engine=engine,
        anything=wish.executor == "host",
        approve=wish.approve,
        output=wish.output,
        json=wish.json,
        verbose=wish.verbose,
        keep=wish.keep,
        begun=begun,
    )
    return run_order(settings)


def _read_given(wish: Wish) -> GivenVariables:
    """What the files of the call say. Raises InvalidError with the place of a mistake."""
    return GivenVariables(
        project={name: value for file in wish.env_files for name, value in read_variables(file).items()},
        contexts={name: read_variables(Path(file)) for name, file in wish.contexts.items()},
        keys=wish.keys,
    )


def _announce(rest: Plan, *, wish: Wish, has_engine: bool) -> None:
    """Say of the config a setup workflow continues with what was said of the first one."""
    findings = [each for each in rest.diagnostics if each.severity is not Severity.HINT]
    if findings:
        show_diagnostics(findings)
    _warn(rest, wish, has_engine=has_engine)


def _warn(plan: Plan, wish: Wish, *, has_engine: bool) -> None:
    """Say once what will be different from where the pipeline usually runs."""
    jobs = [job for workflow in plan.workflows.values() for job in workflow.jobs.values()]
    elsewhere = sorted({job.name for job in jobs if job.executor.kind is ExecutorKind.DOCKER})
    if elsewhere and not has_engine:
        services = any(len(job.executor.images) > 1 for job in jobs)
        without = ", without their service containers" if services else ""
        _tell(f"on this host, with its tools{without}, instead of a container: {_name_some(elsewhere)}")
    foreign = sorted({job.name for job in jobs if list_missing(job.executor)})
    if foreign and wish.executor == "host":
        _tell(f"on this host instead of another kind of machine: {_name_some(foreign)}")
    missing = sorted({name for job in jobs for name in job.contexts} - set(wish.contexts))
    if missing:
        way_out = f"give them with --context {missing[0]}=FILE"
        _tell(f"no variables for context {', '.join(missing)}: {way_out}")
    _warn_of_keys(plan, wish.keys)


def _warn_of_keys(plan: Plan, keys: tuple[SshKey, ...]) -> None:
    """Say which keys a job will miss."""
    jobs = [job for workflow in plan.workflows.values() for job in workflow.jobs.values()]
    steps = [step for job in jobs for step in job.steps if isinstance(step, AddSshKeys)]
    wanted = dict.fromkeys(each for step in steps for each in step.fingerprints)
    missing = [each for each in wanted if not any(key.answers_to(each) for key in keys)]
    if missing:
        _tell(f"no SSH key {', '.join(missing)}: give it with --ssh-key FILE")


def _name_some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _tell(sentence: str) -> None:
    print(f"penstock: {sentence}", file=sys.stderr)
