"""Decisions by the policies of an organization: asked for, and kept in a log."""

import time
from typing import Any

import msgspec

from penstock.engine.access import Action, require
from penstock.engine.principal import Principal
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import new_id
from penstock.model.errors import NotFoundError
from penstock.model.project import Organization
from penstock.policy.decision import Decision, Status, Violation
from penstock.policy.document import make_document, write_json
from penstock.policy.referee import Referee
from penstock.store import decisions, policies
from penstock.store.database import Transaction
from penstock.store.decisions import StoredDecision

MOST_QUESTIONS = 1000
"""Entries that an organization's log keeps of questions that were about no pipeline."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with all that the log tells of it."""

    organization_id: int
    decision: Decision
    bundle_id: int | None
    metadata: dict[str, Any]
    time_taken_ms: int


def answer_question(
    parts: Parts,
    referee: Referee,
    by: Principal,
    owner: Organization,
    config: str,
    metadata: dict[str, Any],
) -> Decision:
    """What the policies in force say of a config; it is in the log.

    Raises ForbiddenError, InvalidError for what is no config, UnavailableError.
    """
    require(by, Action.ASK_POLICIES, owner)
    document = make_document(config.encode("utf-8", "surrogatepass"))
    made = judge(parts, referee, owner.id, document, metadata)

    def work(unit: Unit) -> None:
        record_judgement(unit, None, made)
        decisions.trim_questions(unit.tx, owner.id, keep=MOST_QUESTIONS)

    transact(parts, work)
    return made.decision


def judge(
    parts: Parts, referee: Referee, organization_id: int, document: bytes, metadata: dict[str, Any]
) -> Judgement:
    """What the policies in force say of a document; no transaction is open meanwhile.

    Raises as `Referee.judge` and `document.write_json`.
    """
    with parts.db.read() as tx:
        bundle_id = policies.load_settings(tx, organization_id).bundle_id
        texts = policies.texts_of(policies.load_policies(tx, bundle_id))
    began = time.monotonic()
    decision = referee.judge(texts, document, write_json(metadata))
    took = int((time.monotonic() - began) * 1000)
    return Judgement(
        organization_id=organization_id,
        decision=decision,
        bundle_id=bundle_id,
        metadata=metadata,
        time_taken_ms=took,
    )


def record_judgement(unit: Unit, pipeline_id: int | None, made: Judgement) -> None:
    """The judgement is in the log; it goes with the pipeline it is about."""
    vcs = made.metadata.get("vcs")
    branch = vcs.get("branch") if isinstance(vcs, dict) else None
    entry = StoredDecision(
        id=0,
        uuid=new_id(),
        organization_id=made.organization_id,
        bundle_id=policies.find_bundle(unit.tx, made.bundle_id),
        pipeline_id=pipeline_id,
        created_at=unit.now,
        status=made.decision.status,
        branch=_show(branch),
        project=_show(made.metadata.get("project_id")),
        build_number=_show(made.metadata.get("build_number")),
        decision=msgspec.to_builtins(made.decision),
        metadata=made.metadata,
        time_taken_ms=made.time_taken_ms,
    )
    decisions.add_decision(unit.tx, entry)


def open_decision(tx: Transaction, owner: Organization, uuid: str) -> StoredDecision:
    """The entry of the log. Raises NotFoundError."""
    found = decisions.find_decision(tx, owner.id, uuid)
    if found is None:
        raise NotFoundError("decision log not found")
    return found


def list_warnings(tx: Transaction, pipeline_id: int) -> tuple[str, ...]:
    """What the policies have against a pipeline that may run all the same."""
    found = decisions.decisions_of(tx, pipeline_id, Status.SOFT_FAIL)
    violations = [msgspec.convert(each, Violation) for entry in found for each in entry["soft_failures"]]
    return tuple(dict.fromkeys(word_violation(each) for each in violations))


def word_violation(violation: Violation) -> str:
    """The violation as a person reads it."""
    return f"policy {violation.rule}: {violation.reason}"


def _show(value: object) -> str:
    """The value as the log's filters ask for it."""
    return str(value)[:500] if isinstance(value, str | int) and not isinstance(value, bool) else ""
