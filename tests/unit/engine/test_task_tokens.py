"""A task's token says which task it is, cannot be made or changed by others, and expires."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.task_tokens import PREFIX, PURPOSE, read_task_token, sign_task_token
from penstock.kit.ids import new_id
from penstock.store.sealing import Sealer

KEYS = Sealer([b"k" * 32]).derive_keys(PURPOSE)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.uuids(), st.integers(1, 2**48 - 1))
def test_a_token_is_read_until_it_expires(task: UUID, expires_at: int) -> None:
    token = sign_task_token(KEYS, str(task), expires_at=expires_at)
    assert read_task_token(KEYS, token, now=expires_at - 1) == str(task)
    assert read_task_token(KEYS, token, now=expires_at) is None


@given(st.data())
def test_no_change_of_a_token_is_accepted(data: st.DataObject) -> None:
    token = sign_task_token(KEYS, new_id(), expires_at=1000)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from(LETTERS + "=+/ é").filter(lambda new: new != token[place]))
    assert read_task_token(KEYS, token[:place] + letter + token[place + 1 :], now=0) is None
    assert read_task_token(KEYS, token[:place], now=0) is None
    assert read_task_token(KEYS, token + letter, now=0) is None


@given(st.text() | st.text(alphabet=LETTERS).map(lambda text: PREFIX + text))
def test_no_text_of_others_is_a_token(text: str) -> None:
    assert read_task_token(KEYS, text, now=0) is None


def test_a_token_signed_with_an_older_key_holds_while_that_key_is_kept() -> None:
    task = new_id()
    token = sign_task_token(KEYS, task, expires_at=9)
    rotated = Sealer([b"n" * 32, b"k" * 32]).derive_keys(PURPOSE)
    assert read_task_token(rotated, token, now=0) == task
    assert read_task_token(rotated[:1], token, now=0) is None


def test_keys_of_one_purpose_open_nothing_of_another() -> None:
    sealer = Sealer([b"k" * 32])
    assert sealer.derive_keys("something else") != KEYS
    assert b"k" * 32 not in sealer.derive_keys(PURPOSE)
    other = sealer.derive_keys("something else")
    assert read_task_token(other, sign_task_token(KEYS, new_id(), expires_at=9), now=0) is None


@pytest.mark.parametrize("task", ["", "no uuid"])
def test_only_tasks_have_tokens(task: str) -> None:
    with pytest.raises(ValueError, match="badly formed"):
        sign_task_token(KEYS, task, expires_at=1)
