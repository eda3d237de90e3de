"""Timetables: every firing where it belongs, none left out, none twice, whatever the calendar."""

import itertools
import os
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.kit.clock import from_datetime, to_datetime
from penstock.kit.ids import new_id
from penstock.model.almanac import last_instant, next_instant
from penstock.model.errors import InvalidError
from penstock.model.timetable import (
    MOST_OFFSET,
    Month,
    Timetable,
    TimetableChange,
    Weekday,
    change_timetable,
    check_timetable,
    find_offset,
    make_almanac,
)

HOURS = st.lists(st.integers(0, 23), min_size=1, max_size=5).map(tuple)
MONTHS = st.lists(st.sampled_from(Month), max_size=4).map(tuple)
EVERY = {"hours": HOURS, "months": MONTHS, "per_hour": st.integers(1, 60)}
WEEKLY = st.builds(
    Timetable, weekdays=st.lists(st.sampled_from(Weekday), min_size=1, max_size=3).map(tuple), **EVERY
)
MONTHLY = st.builds(
    Timetable, month_days=st.lists(st.integers(1, 28), min_size=1, max_size=5).map(tuple), **EVERY
)
TIMETABLES = st.one_of(WEEKLY, MONTHLY).map(check_timetable)
INSTANTS = st.datetimes(datetime(1999, 1, 1), datetime(2105, 1, 1)).map(from_datetime)  # noqa: DTZ001 - read as UTC
IDS = st.uuids().map(str)


def fires_on(timetable: Timetable, day: date) -> bool:
    """What the words of a timetable say of a day."""
    if timetable.months and day.strftime("%b").upper() not in timetable.months:
        return False
    if timetable.weekdays:
        return day.strftime("%a").upper() in timetable.weekdays
    return day.day in timetable.month_days


def list_slowly(timetable: Timetable, offset: int, day: date) -> list[int]:
    """The firings of the day, by a look at each of its seconds."""
    if not fires_on(timetable, day):
        return []
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    found = []
    for second in range(86_400):
        at = begin + timedelta(seconds=second)
        since = at.minute * 60 + at.second - offset
        parts = [
            number for number in range(timetable.per_hour) if number * 3600 // timetable.per_hour == since
        ]
        if at.hour in timetable.hours and parts:
            found.append(from_datetime(at))
    return found


def list_firings(timetable: Timetable, uuid: str, after: int, count: int) -> list[int]:
    """The next so many firings."""
    almanac = make_almanac(timetable, find_offset(uuid, timetable.per_hour))
    found: list[int] = []
    for _ in range(count):
        following = next_instant(almanac, found[-1] if found else after)
        assert following is not None
        found.append(following)
    return found


@given(TIMETABLES, IDS, INSTANTS)
def test_firings_only_go_forward_and_lie_on_days_and_hours_that_were_asked_for(
    timetable: Timetable, uuid: str, after: int
) -> None:
    found = list_firings(timetable, uuid, after, 130)
    assert found[0] > after
    assert all(one < other for one, other in itertools.pairwise(found))
    for each in map(to_datetime, found):
        assert each.hour in timetable.hours
        assert fires_on(timetable, each.date())


@given(TIMETABLES, IDS, INSTANTS)
def test_an_hour_has_as_many_firings_as_asked_for_evenly_spread(
    timetable: Timetable, uuid: str, after: int
) -> None:
    found = list_firings(timetable, uuid, after, 3 * timetable.per_hour + 1)
    counted = Counter(each // 3_600_000 for each in found)
    first, last = found[0] // 3_600_000, found[-1] // 3_600_000
    assert all(count == timetable.per_hour for hour, count in counted.items() if hour not in {first, last})
    gaps = {other - one for one, other in itertools.pairwise(found) if one // 3_600_000 == other // 3_600_000}
    even = 3_600_000 / timetable.per_hour
    assert all(abs(gap - even) < 1000 for gap in gaps)


@settings(max_examples=8, deadline=None)
@given(TIMETABLES, IDS, INSTANTS)
def test_a_day_has_the_firings_that_a_look_at_each_second_finds(
    timetable: Timetable, uuid: str, after: int
) -> None:
    [first] = list_firings(timetable, uuid, after, 1)
    almanac = make_almanac(timetable, offset := find_offset(uuid, timetable.per_hour))
    for day in (to_datetime(first).date() + timedelta(days=number) for number in (0, 1)):
        begin = from_datetime(datetime(day.year, day.month, day.day, tzinfo=UTC))
        found, each = [], next_instant(almanac, begin - 1)
        while each is not None and each < begin + 86_400_000:
            found.append(each)
            each = next_instant(almanac, each)
        assert found == list_slowly(timetable, offset, day)


@given(IDS, st.integers(1, 60))
def test_the_offset_stays_below_ten_minutes_and_within_its_part_of_the_hour(uuid: str, per_hour: int) -> None:
    offset = find_offset(uuid, per_hour)
    assert offset == find_offset(uuid.upper(), per_hour)
    assert 0 <= offset < min(MOST_OFFSET, 3600 // per_hour)


def test_schedules_of_one_hour_are_spread_over_ten_minutes() -> None:
    minutes = Counter(find_offset(new_id(), 1) // 60 for _ in range(2000))
    assert set(minutes) == set(range(10))
    assert max(minutes.values()) < 300


def test_the_last_hour_of_a_day_stays_on_its_day() -> None:
    nightly = Timetable(per_hour=60, hours=(23,), weekdays=(Weekday.SUN,))
    found = [to_datetime(each) for each in list_firings(nightly, new_id(), 0, 240)]
    assert {(each.strftime("%a"), each.hour) for each in found} == {("Sun", 23)}


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (31, ["2023-01-31", "2023-03-31", "2023-05-31", "2023-07-31", "2023-08-31", "2023-10-31"]),
        (30, ["2023-01-30", "2023-03-30", "2023-04-30", "2023-05-30", "2023-06-30", "2023-07-30"]),
    ],
)
def test_a_month_without_the_day_is_passed_over(day: int, expected: list[str]) -> None:
    timetable = Timetable(per_hour=1, hours=(12,), month_days=(day,))
    after = from_datetime(datetime(2023, 1, 1, tzinfo=UTC))
    found = list_firings(timetable, new_id(), after, 6)
    assert [to_datetime(each).date().isoformat() for each in found] == expected


def test_the_29th_of_february_comes_in_leap_years_only() -> None:
    timetable = check_timetable(Timetable(per_hour=1, hours=(0,), month_days=(29,), months=(Month.FEB,)))
    found = list_firings(timetable, new_id(), from_datetime(datetime(2088, 3, 1, tzinfo=UTC)), 4)
    assert [to_datetime(each).year for each in found] == [2092, 2096, 2104, 2108]


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this machine cannot change its time zone")
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
def test_daylight_saving_moves_nothing(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hourly = Timetable(per_hour=2, hours=tuple(range(24)), weekdays=tuple(Weekday))
    try:
        for month in (3, 4, 10, 11):
            after = from_datetime(datetime(2024, month, 1, tzinfo=UTC))
            expected = list_firings(hourly, uuid := new_id(), after, 48 * 31)
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert list_firings(hourly, uuid, after, 48 * 31) == expected
            assert {other - one for one, other in itertools.pairwise(expected)} == {1_800_000}
    finally:
        monkeypatch.undo()
        time.tzset()
    assert os.environ.get("TZ") != zone


def test_the_end_of_the_calendar_is_the_end() -> None:
    daily = make_almanac(Timetable(per_hour=1, hours=(0,), weekdays=tuple(Weekday)), 0)
    last = from_datetime(datetime(9999, 12, 31, tzinfo=UTC))
    assert next_instant(daily, last - 1) == last
    assert next_instant(daily, last) is None
    assert next_instant(daily, 1 << 60) is None
    assert next_instant(daily, -(1 << 60)) is not None
    winter = make_almanac(Timetable(per_hour=1, hours=(0,), month_days=(1,), months=(Month.NOV,)), 0)
    assert next_instant(winter, last) is None


@given(TIMETABLES, IDS, INSTANTS, st.integers(0, 3_600_000))
def test_the_last_of_a_span_has_no_other_after_it(
    timetable: Timetable, uuid: str, since: int, span: int
) -> None:
    almanac = make_almanac(timetable, find_offset(uuid, timetable.per_hour))
    found = last_instant(almanac, since, since + span)
    following = next_instant(almanac, since - 1 if found is None else found)
    assert following is not None
    assert following > since + span
    assert found is None or since <= found <= since + span


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"per_hour": 0}, "per-hour must be from 1 to 60."),
        ({"per_hour": 61}, "per-hour must be from 1 to 60."),
        ({"hours": ()}, "hours-of-day must name hours from 0 to 23."),
        ({"hours": (24,)}, "hours-of-day must name hours from 0 to 23."),
        ({"hours": (-1,)}, "hours-of-day must name hours from 0 to 23."),
        ({"weekdays": ()}, "A timetable needs days-of-week or days-of-month, not both."),
        ({"month_days": (1,)}, "A timetable needs days-of-week or days-of-month, not both."),
        ({"weekdays": (), "month_days": (0,)}, "days-of-month must be from 1 to 31."),
        ({"weekdays": (), "month_days": (32,)}, "days-of-month must be from 1 to 31."),
        ({"weekdays": (), "month_days": (30, 31), "months": (Month.FEB,)}, "This timetable never fires"),
        ({"weekdays": (), "month_days": (31,), "months": (Month.APR, Month.JUN)}, "This timetable never"),
    ],
)
def test_what_is_no_timetable_is_refused_with_the_reason(change: dict[str, object], sentence: str) -> None:
    good = Timetable(per_hour=1, hours=(0,), weekdays=(Weekday.MON,))
    values = {name: getattr(good, name) for name in Timetable.__struct_fields__} | change
    with pytest.raises(InvalidError, match=sentence):
        check_timetable(Timetable(**values))


def test_a_change_keeps_what_it_does_not_name_and_swaps_one_kind_of_day_for_the_other() -> None:
    weekly = Timetable(per_hour=1, hours=(0, 5), weekdays=(Weekday.MON,), months=(Month.MAY,))
    assert change_timetable(weekly, TimetableChange()) == weekly
    monthly = change_timetable(weekly, TimetableChange(month_days=(3, 3)))
    assert monthly == Timetable(per_hour=1, hours=(0, 5), month_days=(3,), months=(Month.MAY,))
    assert change_timetable(monthly, TimetableChange(weekdays=(Weekday.MON,))) == weekly
    assert change_timetable(weekly, TimetableChange(months=())).months == ()
    with pytest.raises(InvalidError, match="not both"):
        change_timetable(weekly, TimetableChange(month_days=(3,), weekdays=(Weekday.SUN,)))
