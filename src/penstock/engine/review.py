"""Has the config of a pipeline judged by the policies of its organization before anything of it runs."""

from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.engine.continuation import ToCompile
from penstock.engine.decisions import Judgement, judge, record_judgement, word_violation
from penstock.engine.transact import transact
from penstock.engine.unit import Parts
from penstock.kit.marks import Mark
from penstock.model.diagnostic import Diagnostic, Severity, has_errors
from penstock.model.errors import InvalidError
from penstock.model.project import Project
from penstock.model.run import Revision
from penstock.plan.plan import Plan
from penstock.policy.decision import Decision, fail
from penstock.policy.document import make_document
from penstock.policy.referee import Referee
from penstock.store import policies

VIOLATION = "policy-violation"
"""Code of the findings of a config that the policies do not let pass."""

MOST_FINDINGS = 50


class Case(msgspec.Struct, frozen=True):
    """A config that is to be judged, as it is written and as a plan."""

    project: Project
    revision: Revision
    number: int
    source: str | bytes
    plan: Plan
    file: str


def review_case(parts: Parts, referee: Referee, case: Case) -> tuple[Plan, Judgement | None]:
    """The plan, with nothing to run in it when the policies are against that, and what was decided.

    None when nothing is to be judged. No transaction is open while policies are evaluated. Raises
    UnavailableError.
    """
    if has_errors(case.plan.diagnostics):
        return case.plan, None
    with parts.db.read() as tx:
        settings = policies.load_settings(tx, case.project.organization_id)
    if not settings.enabled:
        return case.plan, None
    metadata = describe_case(case)
    try:
        document = make_document(case.source, case.plan.compiled)
    except InvalidError as error:
        decision = fail(str(error))
        made = Judgement(
            organization_id=case.project.organization_id,
            decision=decision,
            bundle_id=settings.bundle_id,
            metadata=metadata,
            time_taken_ms=0,
        )
    else:
        made = judge(parts, referee, case.project.organization_id, document, metadata)
    return _apply(case, made.decision), made


def describe_case(case: Case) -> dict[str, Any]:
    """What policies find below `data.meta` (CircleCI docs: config policies)."""
    revision, fork = case.revision, case.revision.fork
    origin = case.project.url
    if fork is not None and fork.owner and fork.name:
        origin = origin.replace(_name_repository(case.project), f"{fork.owner}/{fork.name}")
    vcs: Mapping[str, str] = {
        "branch": revision.branch,
        "release_tag": revision.tag,
        "origin_repository_url": origin,
        "target_repository_url": case.project.url,
    }
    return {
        "project_id": case.project.uuid,
        "build_number": case.number,
        "ssh_rerun": False,  # jobs cannot be entered here
        "vcs": {name: value for name, value in vcs.items() if value},
    }


def _name_repository(project: Project) -> str:
    return project.slug.partition("/")[2]


def _apply(case: Case, decision: Decision) -> Plan:
    """The plan after the decision."""
    if not decision.status.blocks:
        return case.plan
    messages = [word_violation(each) for each in decision.hard_failures[:MOST_FINDINGS]]
    if not messages:
        messages = [f"the config policies cannot decide: {decision.reason}"]
    findings = [
        Diagnostic(severity=Severity.ERROR, code=VIOLATION, message=message, mark=Mark(case.file))
        for message in messages
    ]
    diagnostics = (*case.plan.diagnostics, *findings)
    return msgspec.structs.replace(case.plan, workflows={}, diagnostics=diagnostics)


def review_rest(parts: Parts, referee: Referee, wanted: ToCompile, plan: Plan) -> Plan:
    """The plan with which a pipeline continues, as `review_case` leaves it; the log says why."""
    pipeline = wanted.pipeline
    source = wanted.source.encode("utf-8", "surrogatepass")
    case = Case(wanted.project, pipeline.revision, pipeline.number, source, plan, "continuation")
    reviewed, made = review_case(parts, referee, case)
    if made is not None:
        transact(parts, lambda unit: record_judgement(unit, pipeline.id, made))
    return reviewed
