from datetime import UTC, datetime, timedelta, timezone

import hypothesis.strategies as st
from hypothesis import given

from penstock.kit.clock import SystemClock, from_datetime, to_datetime


@given(st.integers(0, 253402300799999))
def test_milliseconds_survive_the_way_through_a_datetime(millis: int) -> None:
    assert from_datetime(to_datetime(millis)) == millis


def test_a_naive_datetime_is_utc() -> None:
    assert from_datetime(datetime(1970, 1, 1, 0, 0, 1)) == 1000  # noqa: DTZ001 - naive is the point


def test_the_zone_of_a_datetime_counts() -> None:
    east = timezone(timedelta(hours=2))
    assert from_datetime(datetime(1970, 1, 1, 2, tzinfo=east)) == 0


def test_the_clock_of_the_system_agrees_with_the_date() -> None:
    clock = SystemClock()
    before = datetime.now(UTC)
    assert abs(to_datetime(clock.now()) - before) < timedelta(seconds=5)
    assert clock.monotonic() <= clock.monotonic()
