from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import given

from penstock.kit.ids import is_id, new_id


def test_ids_sort_in_the_order_they_were_made() -> None:
    made = [new_id() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_made_by_many_threads_never_repeat() -> None:
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: [new_id() for _ in range(500)], range(8)))
    assert len({made for batch in batches for made in batch}) == 4000
    assert all(batch == sorted(batch) for batch in batches)


def test_an_id_is_a_version_7_uuid_of_the_rfc() -> None:
    made = UUID(new_id())
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"


@given(st.uuids())
def test_any_uuid_in_canonical_form_is_an_id(value: UUID) -> None:
    assert is_id(str(value))
    assert is_id(str(value).upper())


@pytest.mark.parametrize("form", ["{%s}", "urn:uuid:%s", "%s ", "x%s"])
def test_other_forms_of_a_uuid_are_no_ids(form: str) -> None:
    assert not is_id(form % new_id())


@given(st.text(max_size=40))
def test_a_text_is_an_id_only_with_the_length_of_one(text: str) -> None:
    assert not is_id(text) or len(text) == 36


def test_a_uuid_without_hyphens_is_no_id() -> None:
    assert not is_id(new_id().replace("-", ""))
