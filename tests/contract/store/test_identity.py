"""The keys of identity tokens, and what is set about the tokens, as both databases keep them."""

import msgspec
import pytest
from sqlalchemy import select, update

from penstock.model.errors import ConflictError, RefusedError
from penstock.model.identity import CustomClaims, SigningKey
from penstock.store import custom_claims, projects, schema, signing_keys
from penstock.store.database import Database
from penstock.store.sealing import Sealer
from tests.support.records import NOW, add_project

SEALER = Sealer([b"k" * 32])


def make_key(kid: str, signs_at: int = NOW) -> SigningKey:
    return SigningKey(id=0, kid=kid, public={"kid": kid, "n": "…"}, created_at=NOW, signs_at=signs_at)


def test_keys_are_listed_in_the_order_in_which_they_sign(db: Database) -> None:
    with db.write() as tx:
        signing_keys.lock_keys(tx)
        late, early = (
            signing_keys.add_key(tx, SEALER, make_key(kid, signs_at), kid.encode())
            for kid, signs_at in (("late", NOW + 2), ("early", NOW))
        )
        assert signing_keys.list_keys(tx) == [early, late]
        signing_keys.move_key(tx, late.id, signs_at=NOW - 1)
        assert [key.kid for key in signing_keys.list_keys(tx)] == ["late", "early"]
        signing_keys.remove_keys(tx, [])
        signing_keys.remove_keys(tx, [early.id])
        assert [key.kid for key in signing_keys.list_keys(tx)] == ["late"]
        assert signing_keys.open_key(tx, SEALER, late) == b"late"


def test_a_private_half_lies_sealed_and_opens_only_in_its_own_row(db: Database) -> None:
    table = schema.signing_keys
    with db.write() as tx:
        first, second = (signing_keys.add_key(tx, SEALER, make_key(kid), b"open sesame") for kid in "ab")
        sealed = tx.execute(select(table.c.sealed).where(table.c.id == first.id)).scalar_one()
        assert b"sesame" not in bytes(sealed)
        tx.execute(update(table).where(table.c.id == second.id).values(sealed=sealed))
        with pytest.raises(RefusedError, match="changed or moved"):
            signing_keys.open_key(tx, SEALER, second)
        with pytest.raises(RefusedError, match="not among the present ones"):
            signing_keys.open_key(tx, Sealer([b"n" * 32]), first)


def test_claims_of_a_place_are_one_row_and_go_with_it(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        owner = project.organization_id
        assert custom_claims.find_claims(tx, owner).id == 0
        custom_claims.save_claims(tx, CustomClaims(id=0, organization_id=owner, ttl=1000, ttl_updated_at=NOW))
        mine = CustomClaims(id=0, organization_id=owner, project_id=project.id, audience=("é", "a"))
        custom_claims.save_claims(tx, mine)
        above, own = custom_claims.list_claims(tx, owner, project.id)
        assert (above.project_id, above.ttl, own.audience) == (None, 1000, ("é", "a"))
        custom_claims.save_claims(tx, msgspec.structs.replace(own, audience=None, audience_updated_at=NOW))
        assert custom_claims.find_claims(tx, owner, project.id).audience is None
        assert custom_claims.list_claims(tx, owner, None) == [above]
        assert custom_claims.list_claims(tx, owner + 1, project.id) == []
        tx.execute(schema.projects.delete().where(schema.projects.c.id == project.id))
        assert custom_claims.list_claims(tx, owner, project.id) == [above]
        assert projects.get_project(tx, project.id) is None


@pytest.mark.parametrize("of_project", [True, False])
def test_a_place_has_no_second_row(db: Database, of_project: bool) -> None:  # noqa: FBT001 - a parameter
    with db.write() as tx:
        project = add_project(tx)
        named = project.id if of_project else None
        claims = CustomClaims(id=0, organization_id=project.organization_id, project_id=named)
        custom_claims.save_claims(tx, claims)
    with pytest.raises(ConflictError), db.write() as tx:
        custom_claims.save_claims(tx, claims)


def test_a_key_that_was_withdrawn_meanwhile_is_refused(db: Database) -> None:
    with db.write() as tx:
        key = signing_keys.add_key(tx, SEALER, make_key("a"), b"x")
        signing_keys.remove_keys(tx, [key.id])
        with pytest.raises(RefusedError, match="withdrawn"):
            signing_keys.open_key(tx, SEALER, key)
