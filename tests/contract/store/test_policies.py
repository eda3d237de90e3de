"""Bundles of policies, and the decisions that were made with them, on both databases."""

import msgspec

from penstock.kit.ids import new_id
from penstock.store import decisions, policies, removal
from penstock.store.database import Database, Transaction
from penstock.store.decisions import Filter, StoredDecision
from penstock.store.policies import PolicySettings, StoredPolicy
from tests.support.records import NOW, add_organization


def make_policy(owner: int, name: str, content: str = "text") -> StoredPolicy:
    return StoredPolicy(
        id=0,
        organization_id=owner,
        name=name,
        content=content,
        hash=f"hash of {content}",
        created_at=NOW,
        created_by=new_id(),
    )


def push(
    tx: Transaction, owner: int, *added: StoredPolicy, kept: tuple[StoredPolicy, ...] = ()
) -> int | None:
    before = policies.load_settings(tx, owner)
    bundle = policies.save_bundle(tx, owner, kept, added, now=NOW)
    policies.save_settings(tx, owner, msgspec.structs.replace(before, bundle_id=bundle))
    policies.drop_unused(tx, owner, spare=before.bundle_id)
    return bundle


def decide(tx: Transaction, owner: int, bundle: int | None, **fields: object) -> StoredDecision:
    entry = StoredDecision(
        id=0,
        uuid=new_id(),
        organization_id=owner,
        bundle_id=bundle,
        pipeline_id=None,
        created_at=NOW,
        status="PASS",
        branch="main",
        project="p",
        build_number="7",
        decision={"status": "PASS"},
        metadata={"build_number": 7, "text": "zero \x00 byte"},
        time_taken_ms=3,
    )
    entry = msgspec.structs.replace(entry, **fields)
    return msgspec.structs.replace(entry, id=decisions.add_decision(tx, entry))


def test_a_bundle_holds_policies_that_others_hold_too(db: Database) -> None:
    with db.write() as tx:
        owner = add_organization(tx).id
        assert policies.load_settings(tx, owner) == PolicySettings()
        assert policies.load_policies(tx, None) == []
        first = push(tx, owner, make_policy(owner, "b"), make_policy(owner, "a", "é\n"))
        found = policies.load_policies(tx, first)
        assert [(each.name, each.content) for each in found] == [("a", "é\n"), ("b", "text")]
        decide(tx, owner, first)
        second = push(tx, owner, make_policy(owner, "b", "new"), kept=(found[0],))
        assert policies.load_settings(tx, owner) == PolicySettings(bundle_id=second)
        assert policies.load_policies(tx, second)[0] == found[0]
        assert policies.load_hashes(tx, [first or 0, second or 0]) == {
            first: {"a": "hash of é\n", "b": "hash of text"},
            second: {"a": "hash of é\n", "b": "hash of new"},
        }
        assert policies.texts_of(policies.load_policies(tx, second)) == {"a": "é\n", "b": "new"}


def test_bundles_that_nothing_needs_are_gone(db: Database) -> None:
    with db.write() as tx:
        owner = add_organization(tx).id
        decided = push(tx, owner, make_policy(owner, "a"))
        decide(tx, owner, decided)
        forgotten = push(tx, owner, make_policy(owner, "b"))
        spared = push(tx, owner, make_policy(owner, "c"))
        assert push(tx, owner) is None
        there = [policies.find_bundle(tx, each) is not None for each in (decided, forgotten, spared)]
        assert there == [True, False, True]
        assert policies.find_bundle(tx, None) is None
        assert [each.name for each in policies.load_policies(tx, decided)] == ["a"]


def test_settings_are_one_row_for_an_organization(db: Database) -> None:
    with db.write() as tx:
        owner, other = add_organization(tx).id, add_organization(tx, slug="gh/other").id
        for enabled in (True, False, True):
            policies.save_settings(tx, owner, PolicySettings(enabled=enabled))
        assert policies.load_settings(tx, owner).enabled
        assert not policies.load_settings(tx, other).enabled


def test_the_log_is_filtered_by_all_that_is_asked(db: Database) -> None:
    with db.write() as tx:
        owner, other = add_organization(tx).id, add_organization(tx, slug="gh/other").id
        first = decide(tx, owner, None)
        second = decide(tx, owner, None, status="ERROR", branch="dev", build_number="8", created_at=NOW + 1)
        decide(tx, other, None)
    with db.read() as tx:

        def ask(**wanted: object) -> list[StoredDecision]:
            return decisions.list_decisions(tx, owner, Filter(**wanted))  # type: ignore[arg-type]  # made of words

        assert ask() == [second, first]
        assert ask(status="PASS") == [first]
        assert ask(branch="dev", build_number="8") == [second]
        assert ask(branch="dev", build_number="7") == []
        assert ask(after=NOW) == [second]
        assert ask(before=NOW + 1) == [first]
        assert ask(project="none") == []
        assert decisions.list_decisions(tx, owner, Filter(), offset=1) == [first]
        assert decisions.find_decision(tx, owner, first.uuid) == first
        assert decisions.find_decision(tx, other, first.uuid) is None


def test_only_the_newest_questions_are_kept(db: Database) -> None:
    with db.write() as tx:
        owner = add_organization(tx).id
        made = [decide(tx, owner, None) for _ in range(6)]
        decisions.trim_questions(tx, owner, keep=10)
        assert len(decisions.list_decisions(tx, owner, Filter())) == 6
        decisions.trim_questions(tx, owner, keep=2)
        assert decisions.list_decisions(tx, owner, Filter()) == [made[5], made[4]]


def test_policies_go_with_their_organization(db: Database) -> None:
    with db.write() as tx:
        owner = add_organization(tx).id
        bundle = push(tx, owner, make_policy(owner, "a"))
        decide(tx, owner, bundle)
        removal.delete_organization(tx, owner)
        assert policies.find_bundle(tx, bundle) is None
        assert decisions.list_decisions(tx, owner, Filter()) == []
