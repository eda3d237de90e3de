"""`penstock validate`: what is wrong with a config, and where."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from penstock.bootstrap.config import Question, compile_config, find_config
from penstock.cli.exit import Exit
from penstock.cli.options import show_diagnostics, split_pairs
from penstock.model.diagnostic import has_errors


def validate(
    file: Path | None = None,
    /,
    *,
    param: Annotated[list[str] | None, Parameter(negative="")] = None,
    branch: str = "",
    tag: str = "",
    json: Annotated[bool, Parameter(negative="")] = False,
    orb_lock: Path | None = None,
) -> int:
    """Say everything that is wrong with a config, each with its place and a way out.

    Exits with 0 when a pipeline can be made of it, 2 when not. Warnings and hints do not count.

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
    json
        Print the findings as one JSON array.
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
    )
    findings = compile_config(question).plan.diagnostics
    if json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(findings)) + b"\n")
    elif findings:
        show_diagnostics(findings)
    if has_errors(findings):
        return Exit.USAGE
    if not json:
        print(f"{found} is valid")
    return Exit.SUCCESS
