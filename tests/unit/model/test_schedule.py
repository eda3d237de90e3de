"""Schedules: when those fire that have several times."""

import time

from penstock.model.almanac import next_instant
from penstock.model.cron import read_cron
from penstock.model.schedule import list_firings
from tests.support.schedules import a_schedule


def test_firings_of_several_cron_texts_come_in_order_and_once() -> None:
    several = a_schedule(1, timetable=None, crons=("0 3 * * *", "0 */12 * * *", "0 3 1 * *"))
    both = read_cron("0 0,3,12 * * *")
    expected = [0]
    for _ in range(100):
        following = next_instant(both, expected[-1])
        assert following is not None
        expected.append(following)
    assert list_firings(several, 0, 100) == tuple(expected[1:])
    assert list_firings(several, 0, 0) == ()


def test_a_schedule_without_firings_has_none_to_come() -> None:
    assert list_firings(a_schedule(1, timetable=None, crons=("0 0 31 2 *",)), 0, 10) == ()
    assert list_firings(a_schedule(1, timetable=None, crons=()), 0, 10) == ()


def test_rare_firings_beside_many_others_are_found_soon() -> None:
    rare = [f"{number % 60} {number // 60} 29 2 *" for number in range(99)]
    begun = time.process_time()
    assert len(list_firings(a_schedule(1, timetable=None, crons=(*rare, "* * * * *")), 0, 1000)) == 1000
    assert time.process_time() - begun < 1
