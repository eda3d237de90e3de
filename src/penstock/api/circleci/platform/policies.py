"""Config policies: bundles of them, decisions by them, and whether they are in force."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from penstock.api.circleci.platform.policy_payloads import (
    BundleBody,
    BundleDiff,
    Decision,
    DecisionBody,
    DecisionLog,
    DecisionSettings,
    DecisionSettingsBody,
    DecisionsQuery,
    PolicyBundle,
    PolicyDocument,
)
from penstock.api.circleci.times import show_millis
from penstock.api.common.answer import Answer, answer_json
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.faults import TooLargeError
from penstock.api.common.server import Server
from penstock.engine import decisions as log
from penstock.engine import policies as bundles
from penstock.engine.access import Action
from penstock.engine.lookup import open_organization
from penstock.engine.runs import read_id
from penstock.kit.clock import from_datetime
from penstock.kit.shapes import learn
from penstock.model.errors import InvalidError, LimitExceededError
from penstock.model.project import Organization
from penstock.policy.decision import Status
from penstock.store import decisions, policies
from penstock.store.database import Transaction
from penstock.store.decisions import Filter, StoredDecision
from penstock.store.policies import StoredPolicy

CONTEXT = "config"
"""The only thing there are policies about."""


def push_bundle(server: Server, call: Call) -> Answer:
    """Replace the policies of an organization, or with `dry` say what that would change."""
    body: BundleBody | None = call.payload
    dry = call.query.dry
    owner = _open(server, call, Action.CHANGE_POLICIES)
    files = body.policies if body is not None else {}
    try:
        made = bundles.push_bundle(
            server.parts, server.workshop.referee, principal_of(call), owner, files, dry=dry
        )
    except LimitExceededError as error:
        raise TooLargeError(str(error)) from error
    diff = BundleDiff(created=made.created, modified=made.modified, deleted=made.deleted)
    return answer_json(diff, 200 if dry else 201)


def get_bundle(server: Server, call: Call) -> PolicyBundle:
    """Get the policies of an organization."""
    owner = _open(server, call, Action.SEE_POLICIES)
    with server.parts.db.read() as tx:
        return _show_bundle(bundles.list_policies(tx, owner))


def get_policy(server: Server, call: Call) -> PolicyDocument:
    """Get a policy by name."""
    owner = _open(server, call, Action.SEE_POLICIES)
    with server.parts.db.read() as tx:
        return _show_policy(bundles.find_policy(tx, owner, call.params["policy"]))


def make_decision(server: Server, call: Call) -> Decision:
    """Have a config judged by the policies of an organization."""
    body: DecisionBody = call.payload
    owner = _open(server, call, Action.ASK_POLICIES)
    made = log.answer_question(
        server.parts, server.workshop.referee, principal_of(call), owner, body.input, body.metadata or {}
    )
    return _show_decision(msgspec.to_builtins(made))


def list_decisions(server: Server, call: Call) -> list[DecisionLog]:
    """List decisions by the policies of an organization, newest first."""
    owner = _open(server, call, Action.SEE_POLICIES)
    query: DecisionsQuery = call.query
    if query.status and query.status not in set(Status):
        return []
    wanted = Filter(
        status=query.status,
        after=from_datetime(query.after) if query.after is not None else None,
        before=from_datetime(query.before) if query.before is not None else None,
        branch=query.branch,
        project=query.project_id,
        build_number=query.build_number,
    )
    with server.parts.db.read() as tx:
        found = decisions.list_decisions(tx, owner.id, wanted, offset=query.offset)
        return _show_log(tx, found)


def get_decision(server: Server, call: Call) -> DecisionLog:
    """Get a decision by id."""
    owner, uuid = _open(server, call, Action.SEE_POLICIES), read_id(call.params["decision"])
    with server.parts.db.read() as tx:
        [shown] = _show_log(tx, [log.open_decision(tx, owner, uuid)])
    return shown


def get_decision_bundle(server: Server, call: Call) -> PolicyBundle:
    """Get the policies that a decision was made with."""
    owner, uuid = _open(server, call, Action.SEE_POLICIES), read_id(call.params["decision"])
    with server.parts.db.read() as tx:
        found = log.open_decision(tx, owner, uuid)
        return _show_bundle(policies.load_policies(tx, found.bundle_id))


def get_settings(server: Server, call: Call) -> DecisionSettings:
    """Get whether pipelines are judged."""
    owner = _open(server, call, Action.SEE_POLICIES)
    with server.parts.db.read() as tx:
        return DecisionSettings(enabled=policies.load_settings(tx, owner.id).enabled)


def set_settings(server: Server, call: Call) -> DecisionSettings:
    """Have pipelines judged, or not any more."""
    body: DecisionSettingsBody | None = call.payload
    owner = _open(server, call, Action.CHANGE_POLICIES)
    if body is None or body.enabled is None:
        return get_settings(server, call)
    changed = bundles.set_enabled(server.parts, principal_of(call), owner, enabled=body.enabled)
    return DecisionSettings(enabled=changed.enabled)


def _open(server: Server, call: Call, action: Action) -> Organization:
    """The organization of the path, in which the caller may do this."""
    owner = read_id(call.params["owner"])
    with server.parts.db.read() as tx:
        found = open_organization(tx, principal_of(call), action, owner)
    if call.params["policy_context"] != CONTEXT:
        raise InvalidError("context: must be a valid value.")
    return found


def _show_bundle(found: Iterable[StoredPolicy]) -> PolicyBundle:
    return {each.name: (_show_policy(each),) for each in found}


def _show_policy(policy: StoredPolicy) -> PolicyDocument:
    return PolicyDocument(
        content=policy.content,
        created_at=show_millis(policy.created_at),
        created_by=policy.created_by,
        name=policy.name,
    )


def _show_log(tx: Transaction, found: Sequence[StoredDecision]) -> list[DecisionLog]:
    hashes = policies.load_hashes(tx, [each.bundle_id for each in found if each.bundle_id is not None])
    return [
        DecisionLog(
            id=each.uuid,
            created_at=show_millis(each.created_at),
            decision=_show_decision(each.decision),
            metadata=each.metadata,
            policies=hashes.get(each.bundle_id or 0, {}),
            time_taken_ms=each.time_taken_ms,
        )
        for each in found
    ]


def _show_decision(decision: Mapping[str, object]) -> Decision:
    return msgspec.convert(decision, learn(Decision))
