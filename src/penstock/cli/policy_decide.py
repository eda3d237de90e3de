"""`penstock policy decide`: what policies say of a config, before it is pushed."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from penstock.bootstrap.config import Question, compile_config, find_config, read_config
from penstock.cli.exit import Exit
from penstock.cli.options import show_diagnostics, split_pairs
from penstock.cli.remote.access import IN_ORGANIZATION, InOrganization, open_client
from penstock.cli.remote.console import write_json, write_line
from penstock.cli.remote.names import find_organization
from penstock.cli.remote.policies import PolicyDesk
from penstock.model.diagnostic import has_errors
from penstock.model.errors import InvalidError
from penstock.policy.decision import Decision, Status, Violation
from penstock.policy.document import make_document
from penstock.policy.document import read_config as read_map
from penstock.policy.document import write_json as encode_json
from penstock.policy.folder import read_policies, read_text
from penstock.policy.referee import Referee


def decide(
    config: Path | None = None,
    /,
    *,
    policies: Path | None = None,
    meta: Path | None = None,
    param: Annotated[list[str] | None, Parameter(negative="")] = None,
    compile: Annotated[bool, Parameter(negative="--no-compile")] = True,  # noqa: A002 - the option's name
    access: InOrganization = IN_ORGANIZATION,
) -> int:
    """Say what policies would decide about a config: those of a folder, or of an organization on a server.

    Exits with 1 when the config would not run.

    Parameters
    ----------
    config
        The config; without it .circleci/config.yml of this checkout.
    policies
        A folder with policies; no server is asked then.
    meta
        A file, JSON or YAML, with what policies find below data.meta.
    param
        An argument for a pipeline parameter, NAME=VALUE; may be given several times.
    compile
        Compile the config first, so that policies find it below input._compiled_.
    """
    document = _make_document(config, param or [], compiles=compile)
    if document is None:
        return Exit.USAGE
    metadata: dict[str, Any] = dict(read_map(read_text(meta), str(meta))) if meta is not None else {}
    decision = _decide_here(policies, document, metadata) if policies else _ask(access, document, metadata)
    if access.json:
        write_json(decision)
    else:
        _show(decision)
    return Exit.FAILED if decision.status.blocks else Exit.SUCCESS


def _make_document(config: Path | None, param: list[str], *, compiles: bool) -> bytes | None:
    """The document, None for a config with errors, which have been shown."""
    checkout, found = find_config(config.parent if config else Path(), config)
    if not compiles:
        return make_document(read_config(found))
    question = Question(file=found, checkout=checkout, parameters=split_pairs(param, "--param"))
    compiled = compile_config(question)
    if has_errors(compiled.plan.diagnostics):
        show_diagnostics(compiled.plan.diagnostics)
        return None
    return make_document(compiled.source, compiled.plan.compiled)


def _decide_here(folder: Path, document: bytes, metadata: dict[str, Any]) -> Decision:
    files = read_policies(folder)
    referee = Referee()
    try:
        policies = referee.check(files)
        if not policies:
            raise InvalidError(f"there are no policies in {folder}")
        return referee.judge(files, document, encode_json(metadata))
    finally:
        referee.close()


def _ask(access: InOrganization, document: bytes, metadata: dict[str, Any]) -> Decision:
    client = open_client(access)
    desk = PolicyDesk(client, find_organization(client, access.organization).id)
    answer = desk.decide(document.decode(), metadata)
    return Decision(
        status=Status(answer.status),
        reason=answer.reason,
        enabled_rules=answer.enabled_rules,
        hard_failures=tuple(Violation(each.rule, each.reason) for each in answer.hard_failures),
        soft_failures=tuple(Violation(each.rule, each.reason) for each in answer.soft_failures),
    )


def _show(decision: Decision) -> None:
    write_line(decision.status + (f": {decision.reason}" if decision.reason else ""))
    for kind, violations in (("hard", decision.hard_failures), ("soft", decision.soft_failures)):
        for each in violations:
            write_line(f"  {kind}  {each.rule}: {each.reason}")
