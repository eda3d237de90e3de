"""What `--help` says of the commands beside runs: contexts, schedules, webhooks, policies, claims, usage."""

from collections.abc import Mapping

from penstock.cli.entry import Entry

PLATFORM: Mapping[str, Entry] = {
    "schedule": Entry(
        "Look after pipelines that start by themselves.",
        "A schedule starts a pipeline of a branch or tag in the hours, in UTC, of the days it is made for.",
        {
            "penstock schedule create nightly --hours 3 --branch main": "each night, as you",
            "penstock schedule create often --hours 8-17 --per-hour 4": "on the default branch",
            "penstock schedule list": "with the next and the last time",
            "penstock schedule next nightly": "the next ten times",
        },
        several=True,
    ),
}
