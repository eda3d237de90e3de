"""`penstock policy`: what configs of an organization must keep."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from penstock.api.circleci.platform.policy_payloads import BundleDiff, DecisionLog
from penstock.cli.catalog import CATALOG
from penstock.cli.exit import Exit
from penstock.cli.policy_decide import decide
from penstock.cli.policy_test import run_tests
from penstock.cli.remote.access import IN_ORGANIZATION, InOrganization, open_client
from penstock.cli.remote.console import write_answer, write_items, write_json, write_line
from penstock.cli.remote.names import find_organization
from penstock.cli.remote.policies import PolicyDesk
from penstock.kit.ids import is_id
from penstock.model.errors import InvalidError
from penstock.policy.folder import read_policies

_ENTRY = CATALOG["policy"]
policy = App(name="policy", help=_ENTRY.help, help_epilogue=_ENTRY.epilogue)
policy.command(run_tests, name="test")
policy.command(decide)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)  # cyclopts knows no structs of msgspec
class Which:
    """Which decisions are wanted."""

    status: Annotated[
        Literal["PASS", "SOFT_FAIL", "HARD_FAIL", "ERROR"] | None,
        Parameter(help="Only those that came down to this."),
    ] = None
    branch: Annotated[str, Parameter(help="Only those about this branch.")] = ""
    project: Annotated[str, Parameter(help="Only those about the project of this id.")] = ""
    after: Annotated[str, Parameter(help="Only those made after this instant: 2026-11-01T00:00:00Z.")] = ""
    before: Annotated[str, Parameter(help="Only those made before this instant.")] = ""


ALL = Which()


@policy.command
def push(
    folder: Path,
    /,
    *,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    yes: Annotated[bool, Parameter(negative="")] = False,
    access: InOrganization = IN_ORGANIZATION,
) -> int:
    """Make the policies of a folder those of an organization, and take all others away.

    Parameters
    ----------
    folder
        The folder; files below it that end in .rego are policies, but for those that end in _test.rego.
    dry_run
        Only show what would change.
    yes
        Change it: without this, nothing that is there is changed or taken away.
    """
    policies = read_policies(folder)
    desk = _open_desk(access)
    difference = desk.push(policies, dry=True)
    if dry_run:
        return _show_difference(difference, "would be", json=access.json)
    risky = [*difference.modified, *difference.deleted]
    if risky and not yes:
        raise InvalidError(f"policies would be changed or deleted ({', '.join(risky)}): add --yes")
    return _show_difference(desk.push(policies, dry=False), "is", json=access.json)


@policy.command
def diff(folder: Path, /, *, access: InOrganization = IN_ORGANIZATION) -> int:
    """Show what a push of the folder would change.

    Parameters
    ----------
    folder
        The folder.
    """
    difference = _open_desk(access).push(read_policies(folder), dry=True)
    return _show_difference(difference, "would be", json=access.json)


@policy.command
def fetch(name: str = "", /, *, output: Path | None = None, access: InOrganization = IN_ORGANIZATION) -> int:
    """Print the policies of an organization, or write them to a folder.

    Parameters
    ----------
    name
        The policy; else all of them.
    output
        A folder, in which each becomes a file NAME.rego.
    """
    found = _open_desk(access).fetch()
    if name:
        if name not in found:
            raise InvalidError(f"there is no policy {name}; there are {', '.join(found) or 'none'}")
        found = {name: found[name]}
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        for each, content in found.items():
            (output / f"{each}.rego").write_text(content, "utf-8")
        told = {"folder": str(output), "policies": list(found)}
        return write_answer(told, f"{len(found)} policies are in {output}.", json=access.json)
    if access.json:
        write_json(found)
        return Exit.SUCCESS
    for content in found.values():  # a server takes none with signs that steer a terminal
        sys.stdout.write(content if content.endswith("\n") else f"{content}\n")
    return Exit.SUCCESS


@policy.command
def logs(
    decision: str = "",
    /,
    *,
    which: Which = ALL,
    limit: int = 20,
    access: InOrganization = IN_ORGANIZATION,
) -> int:
    """List what was decided, newest first, or show one decision.

    Parameters
    ----------
    decision
        The id of a decision.
    limit
        How many at most.
    """
    desk = _open_desk(access)
    if decision:
        if not is_id(decision):
            raise InvalidError(f"{decision} is no id of a decision; `penstock policy logs --json` has them")
        write_json(desk.find(decision))
        return Exit.SUCCESS
    given = {
        "status": which.status,
        "branch": which.branch,
        "project_id": which.project,
        "after": which.after,
        "before": which.before,
    }
    query = {name: value for name, value in given.items() if value}
    heading = ("MADE", "STATUS", "BUILD", "BRANCH", "WHY")
    return write_items(desk.list_log(query, max(limit, 1)), _list_cells, *heading, json=access.json)


@policy.command
def settings(
    *, enabled: Literal["true", "false"] | None = None, access: InOrganization = IN_ORGANIZATION
) -> int:
    """Show whether pipelines are judged by the policies, or set it.

    Parameters
    ----------
    enabled
        Whether they are from now on.
    """
    wanted = None if enabled is None else enabled == "true"
    found = _open_desk(access).settings(enabled=wanted)
    sentence = f"Pipelines are {'' if found.enabled else 'not '}judged by the policies."
    return write_answer(found, sentence, json=access.json)


def _open_desk(access: InOrganization) -> PolicyDesk:
    client = open_client(access)
    return PolicyDesk(client, find_organization(client, access.organization).id)


def _show_difference(difference: BundleDiff, word: str, *, json: bool) -> int:
    """A line for each policy that is another than before."""
    if json:
        write_json(difference)
        return Exit.SUCCESS
    changes = {"created": difference.created, "modified": difference.modified, "deleted": difference.deleted}
    lines = [f"{name} {word} {what}" for what, names in changes.items() for name in names]
    for line in lines or ["The policies are the same."]:
        write_line(line)
    return Exit.SUCCESS


def _list_cells(entry: DecisionLog) -> list[str]:
    decision = entry.decision
    violations = [*decision.hard_failures, *decision.soft_failures]
    why = decision.reason or "; ".join(f"{each.rule}: {each.reason}" for each in violations)
    vcs = entry.metadata.get("vcs")
    branch = vcs.get("branch", "") if isinstance(vcs, dict) else ""
    build = entry.metadata.get("build_number", "-")
    return [entry.created_at, decision.status, str(build), str(branch or "-"), why or "-"]
