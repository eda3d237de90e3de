"""A schedule: what is to run, when it does next, and what became of the last time."""

from collections.abc import Iterator
from heapq import merge
from itertools import groupby, islice

import msgspec

from penstock.model.almanac import Almanac, next_instant
from penstock.model.cron import read_cron
from penstock.model.timetable import Timetable, find_offset, make_almanac

SYSTEM = "system-actor"
"""Whom pipelines of schedules belong to that run as nobody in particular (its login at CircleCI)."""

Simple = str | int | bool


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """One that people made, with a timetable, or one that the config on a branch asks for, with cron texts.

    `name` is that of the workflow then. `next_at` is the first firing after `armed_at`, when the clock was
    last asked, None when there is none any more. `fired_at` is the last firing that was due, `pipeline` what
    came of it, or `outcome` why nothing did.
    """

    id: int
    uuid: str
    project_id: int
    branch: str  # whose config asks for it, "" for one that people made
    name: str
    description: str | None
    timetable: Timetable | None
    crons: tuple[str, ...]
    parameters: dict[str, Simple]  # with `branch` or `tag` of one that people made
    actor: str  # login
    created_at: int
    updated_at: int
    armed_at: int
    next_at: int | None
    fired_at: int | None = None
    pipeline: str = ""
    outcome: str = ""


def list_almanacs(schedule: Schedule) -> list[Almanac]:
    """When it fires: at the instants of any of these."""
    if schedule.timetable is not None:
        offset = find_offset(schedule.uuid, schedule.timetable.per_hour)
        return [make_almanac(schedule.timetable, offset)]
    return [read_cron(text) for text in schedule.crons]


def next_firing(schedule: Schedule, after: int) -> int | None:
    """The first firing after the instant, None when there is none."""
    return _find_first(list_almanacs(schedule), after)


def list_firings(schedule: Schedule, after: int, count: int) -> tuple[int, ...]:
    """The next so many firings after the instant, or as many as there are."""
    each_in_order = merge(*(_list_instants(almanac, after) for almanac in list_almanacs(schedule)))
    return tuple(islice((instant for instant, _ in groupby(each_in_order)), count))


def _list_instants(almanac: Almanac, after: int) -> Iterator[int]:
    following = next_instant(almanac, after)
    while following is not None:
        yield following
        following = next_instant(almanac, following)


def _find_first(almanacs: list[Almanac], after: int) -> int | None:
    found = [next_instant(almanac, after) for almanac in almanacs]
    return min((each for each in found if each is not None), default=None)
