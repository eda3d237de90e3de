"""Cron texts: what is none is told, and what is one stands for the right instants."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.kit.clock import from_datetime, to_datetime
from penstock.language.circleci.cron import find_cron_doubt
from penstock.model.almanac import next_instant
from penstock.model.cron import find_cron_fault, read_cron

BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


@given(st.tuples(*(st.lists(st.integers(*bounds), min_size=1, max_size=4) for bounds in BOUNDS)))
def test_lists_of_values_within_bounds_are_right(fields: tuple[list[int], ...]) -> None:
    text = " ".join(",".join(map(str, values)) for values in fields)
    assert find_cron_fault(text) == find_cron_doubt(text) == ""


@given(st.integers(0, 4), st.integers(0, 200))
def test_a_value_beyond_its_bounds_is_named(field: int, value: int) -> None:
    words = ["*"] * 5
    words[field] = str(value)
    least, most = BOUNDS[field]
    assert (find_cron_fault(" ".join(words)) == "") is (least <= value <= most)


@given(st.text(max_size=30))
def test_any_text_has_an_answer(text: str) -> None:
    assert find_cron_fault(text) or len(text.split()) == len(BOUNDS)


@pytest.mark.parametrize("word", ["9" * 5000, "1-" + "9" * 5000, "*/" + "9" * 5000, "x" * 5000])
def test_a_long_word_is_told(word: str) -> None:
    assert "is no minute" in find_cron_fault(f"{word[:900]} * * * *")
    assert "characters" in find_cron_fault(f"{word} * * * *")


@pytest.mark.parametrize("text", ["0 0 * * mon-fri", "5,10 1-5 1 JAN *", "0 0 * * 7"])
def test_names_and_ranges_are_right(text: str) -> None:
    assert find_cron_fault(text) == ""


@pytest.mark.parametrize("text", ["", "* * * *", "@daily", "*/0 * * * *", "5-1 * * * *", "1,,2 * * * *"])
def test_what_is_no_cron_text_has_a_fault(text: str) -> None:
    assert find_cron_fault(text)


def list_starts(text: str, count: int, after: datetime = datetime(2024, 1, 30, tzinfo=UTC)) -> list[str]:
    almanac, found = read_cron(text), [from_datetime(after)]
    for _ in range(count):
        following = next_instant(almanac, found[-1])
        assert following is not None
        found.append(following)
    return [to_datetime(each).strftime("%a %m-%d %H:%M") for each in found[1:]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 3 * * *", ["Tue 01-30 03:00", "Wed 01-31 03:00", "Thu 02-01 03:00"]),
        ("*/20 5 * * *", ["Tue 01-30 05:00", "Tue 01-30 05:20", "Tue 01-30 05:40"]),
        ("30 0 31 * *", ["Wed 01-31 00:30", "Sun 03-31 00:30", "Fri 05-31 00:30"]),
        ("0 0 * * 0", ["Sun 02-04 00:00", "Sun 02-11 00:00", "Sun 02-18 00:00"]),
        ("0 0 * * 7", ["Sun 02-04 00:00", "Sun 02-11 00:00", "Sun 02-18 00:00"]),
        ("0 0 * * mon-tue", ["Mon 02-05 00:00", "Tue 02-06 00:00", "Mon 02-12 00:00"]),
        ("0 12 1 * sat", ["Thu 02-01 12:00", "Sat 02-03 12:00", "Sat 02-10 12:00"]),
        ("0 12 29 feb *", ["Thu 02-29 12:00", "Tue 02-29 12:00", "Sun 02-29 12:00"]),
        ("50/5 23 1-2 2 *", ["Thu 02-01 23:50", "Thu 02-01 23:55", "Fri 02-02 23:50"]),
    ],
)
def test_a_text_stands_for_these_instants(text: str, expected: list[str]) -> None:
    assert list_starts(text, 3) == expected


def test_a_day_that_is_in_no_month_never_comes() -> None:
    assert next_instant(read_cron("0 0 30 2 *"), 0) is None


@given(st.tuples(*(st.lists(st.integers(*bounds), min_size=1, max_size=3) for bounds in BOUNDS[:4])))
def test_a_start_fits_every_field(fields: tuple[list[int], ...]) -> None:
    almanac = read_cron(" ".join(",".join(map(str, values)) for values in fields) + " *")
    found = next_instant(almanac, 0)
    if found is not None:
        at = to_datetime(found)
        for value, values in zip((at.minute, at.hour, at.day, at.month), fields, strict=True):
            assert value in values
