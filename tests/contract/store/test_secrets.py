"""Secrets and variables: sealed in the rows, opened only in their own place."""

import pytest
from sqlalchemy import select, update

from penstock.model.errors import RefusedError
from penstock.store import contexts, secrets, variables
from penstock.store.database import Database, Transaction
from penstock.store.resealing import BATCH, SEALED, count_locked, reseal_all
from penstock.store.schema import context_variables, metadata, project_variables
from penstock.store.sealing import Sealer
from penstock.store.secrets import Secret
from penstock.store.variables import Holder
from tests.support.records import NOW, add_organization, add_project

SEALER = Sealer([b"k" * 32])


def holders(tx: Transaction) -> list[Holder]:
    project = add_project(tx)
    context = contexts.create_context(tx, add_organization(tx).id, "deploy", now=NOW)
    return [variables.of_project(project.id), variables.of_context(context.id)]


def test_variables_are_listed_by_name_without_values(db: Database) -> None:
    with db.write() as tx:
        for holder in holders(tx):
            variables.set_variable(tx, SEALER, holder, "TOKEN", "old", now=NOW)
            variables.set_variable(tx, SEALER, holder, "A", "é\udcff\x00", now=NOW)
            info = variables.set_variable(tx, SEALER, holder, "TOKEN", "new", now=NOW + 1)
            assert (info.created_at, info.updated_at) == (NOW, NOW + 1)
            assert [found.name for found in variables.list_variables(tx, holder)] == ["A", "TOKEN"]
            assert variables.list_variables(tx, holder, after="A") == [info]
            assert variables.open_variables(tx, SEALER, holder) == {"A": "é\udcff\x00", "TOKEN": "new"}
            assert variables.delete_variable(tx, holder, "A")
            assert not variables.delete_variable(tx, holder, "A")


def test_no_value_lies_open_in_a_row(db: Database) -> None:
    with db.write() as tx:
        for holder, table in zip(holders(tx), (project_variables, context_variables), strict=True):
            variables.set_variable(tx, SEALER, holder, "TOKEN", "open sesame", now=NOW)
            assert b"sesame" not in bytes(tx.execute(select(table.c.sealed)).scalar_one())


def test_a_value_does_not_open_in_another_row(db: Database) -> None:
    with db.write() as tx:
        [holder, _] = holders(tx)
        for name in ("A", "B"):
            variables.set_variable(tx, SEALER, holder, name, f"value of {name}", now=NOW)
        table = project_variables
        stolen = tx.execute(select(table.c.sealed).where(table.c.name == "A")).scalar_one()
        tx.execute(update(table).where(table.c.name == "B").values(sealed=stolen))
        with pytest.raises(RefusedError, match="changed or moved"):
            variables.open_variables(tx, SEALER, holder)


def test_values_are_sealed_again_with_a_new_key(db: Database) -> None:
    rotated, new_only = Sealer([b"n" * 32, b"k" * 32]), Sealer([b"n" * 32])
    with db.write() as tx:
        both = holders(tx)
        for holder in both:
            variables.set_variable(tx, SEALER, holder, "A", "1", now=NOW)
            variables.set_variable(tx, rotated, holder, "B", "2", now=NOW)
        for number in range(2 * BATCH):
            secrets.set_secret(tx, SEALER, f"o/{number}", Secret("é", b"one"), now=NOW)
        assert count_locked(tx, rotated) == 0
        assert count_locked(tx, new_only) == 2 + 2 * BATCH
    done = reseal_all(db, new_only)
    assert (done.current, done.resealed, len(done.lost)) == (2, 0, 2 + 2 * BATCH)
    assert "context_variables/1/A" in done.lost
    done = reseal_all(db, rotated)
    assert (done.current, done.resealed, done.lost) == (2, 2 + 2 * BATCH, [])
    assert reseal_all(db, rotated).current == 4 + 2 * BATCH
    with db.read() as tx:
        assert count_locked(tx, new_only) == 0
        for holder in both:
            assert variables.open_variables(tx, new_only, holder) == {"A": "1", "B": "2"}
        assert secrets.open_secret(tx, new_only, "o/7", "é") == b"one"


def test_what_cannot_be_opened_is_named(db: Database) -> None:
    with db.write() as tx:
        for holder in holders(tx):
            variables.set_variable(tx, SEALER, holder, "TOKEN", "hush", now=NOW)
            with pytest.raises(RefusedError, match="the variable TOKEN cannot be opened") as told:
                variables.open_variables(tx, Sealer([b"n" * 32]), holder)
            assert "hush" not in str(told.value)
        secrets.set_secret(tx, SEALER, "o/1", Secret("clone", b"hush"), now=NOW)
        with pytest.raises(RefusedError, match="the secret clone cannot be opened"):
            secrets.open_secret(tx, Sealer([b"n" * 32]), "o/1", "clone")


def test_every_sealed_column_is_known() -> None:
    assert {each.table.name for each in SEALED} == {
        table.name for table in metadata.sorted_tables if "sealed" in table.c
    }


def test_a_secret_belongs_to_its_owner_and_keeps_its_identity(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        mine, theirs = secrets.of_project(project.id), secrets.of_organization(project.organization_id)
        first = secrets.set_secret(tx, SEALER, mine, secrets.Secret("aws", b"one"), now=NOW)
        second = secrets.set_secret(tx, SEALER, mine, secrets.Secret("aws", b"two\x00"), now=NOW + 1)
        secrets.set_secret(tx, SEALER, theirs, secrets.Secret("aws", b"other"), now=NOW)
        assert (second.uuid, second.created_at, second.updated_at) == (first.uuid, NOW, NOW + 1)
        assert secrets.open_secret(tx, SEALER, mine, "aws") == b"two\x00"
        assert secrets.open_secret(tx, SEALER, mine, "none") is None
        assert secrets.list_secrets(tx, mine) == [second]
        assert secrets.secret_by_uuid(tx, first.uuid) == second
        assert secrets.delete_secret(tx, mine, "aws")
        assert not secrets.delete_secret(tx, mine, "aws")
        assert secrets.open_secret(tx, SEALER, theirs, "aws") == b"other"
