"""Addresses of files: good as they were given out, and no other way."""

from penstock.engine.usage_links import is_signed, sign_part

OLD, NEW = b"o" * 32, b"n" * 32


def test_an_address_is_good_as_it_was_given_out() -> None:
    signature = sign_part([NEW, OLD], "e", 1, expires_at=9)
    assert is_signed([NEW, OLD], "e", 1, expires_at=9, signature=signature)
    for export, part, expires in (("f", 1, 9), ("e", 2, 9), ("e", 1, 8), ("e/1", 1, 9)):
        assert not is_signed([NEW], export, part, expires_at=expires, signature=signature)


def test_an_address_outlives_a_key_that_is_kept() -> None:
    signature = sign_part([OLD], "e", 1, expires_at=9)
    assert is_signed([NEW, OLD], "e", 1, expires_at=9, signature=signature)
    assert not is_signed([NEW], "e", 1, expires_at=9, signature=signature)


def test_any_text_may_be_given_for_a_signature() -> None:
    for text in ("", "é", "\ud800", "\x00", "0" * 10_000):
        assert not is_signed([NEW], "e", 1, expires_at=9, signature=text)
