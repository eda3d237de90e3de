"""`penstock compile`: a config as it is after all expansion."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from penstock.bootstrap.config import Question, compile_config, find_config
from penstock.cli.exit import Exit
from penstock.cli.options import show_diagnostics, split_pairs
from penstock.model.diagnostic import has_errors


def compile(  # noqa: A001 - the command's name
    file: Path | None = None,
    /,
    *,
    param: Annotated[list[str] | None, Parameter(negative="")] = None,
    branch: str = "",
    tag: str = "",
    plan: Annotated[bool, Parameter(negative="")] = False,
    orb_lock: Path | None = None,
) -> int:
    """Print the processed config as YAML: commands, executors, parameters and matrices expanded.

    Exits with 2, and prints what is wrong, when the config has errors.

    Parameters
    ----------
    file
        The config file; without it .circleci/config.yml of this checkout.
    param
        An argument for a pipeline parameter, NAME=VALUE; may be given several times.
    branch
        Compile as for this branch instead of the one that is checked out.
    tag
        Compile as for this tag.
    plan
        Print the plan the engine would run, as JSON, instead.
    orb_lock
        A file that pins the orbs: written when it is not there, obeyed when it is.
    """
    checkout, found = find_config(file.parent if file else Path(), file)
    question = Question(
        file=found,
        checkout=checkout,
        branch=branch,
        tag=tag,
        parameters=split_pairs(param or [], "--param"),
        orb_lock=orb_lock,
        pipeline="00000000-0000-0000-0000-000000000001",
    )
    compiled = compile_config(question).plan
    if has_errors(compiled.diagnostics):
        show_diagnostics(compiled.diagnostics)
        return Exit.USAGE
    if plan:
        bare = msgspec.structs.replace(compiled, diagnostics=(), compiled="")
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(bare)) + b"\n")
    else:
        sys.stdout.write(compiled.compiled)
    return Exit.SUCCESS
