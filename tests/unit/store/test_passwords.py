"""A password is known again, and nothing else is taken for it."""

import pytest

from penstock.store.passwords import hash_password, verify_password


def test_only_the_same_password_opens() -> None:
    stored = hash_password("correct horse é\udcff")
    assert "horse" not in stored
    assert hash_password("correct horse é\udcff") != stored
    assert verify_password("correct horse é\udcff", stored)
    assert not verify_password("correct horse", stored)


@pytest.mark.parametrize(
    "stored", [None, "", "scrypt", "scrypt$15$8$1$AA==", "scrypt$99$8$1$AA==$AA==", "scrypt$x$8$1$!$!"]
)
def test_nothing_opens_what_has_no_password(stored: str | None) -> None:
    assert not verify_password("", stored)
    assert not verify_password("x", stored)
