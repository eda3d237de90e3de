"""What `--help` says of the commands beside runs: contexts, schedules, webhooks, policies, claims, usage."""

from collections.abc import Mapping

from penstock.cli.entry import Entry

PLATFORM: Mapping[str, Entry] = {
    "usage": Entry(
        "See what the jobs of an organization used.",
        "",
        {
            "penstock usage show": "by project and resource class, of the last 30 days",
            "penstock usage export --output usage.csv": "a row for each run of a job",
            "penstock usage export --start 2026-10-01 --end 2026-11-01": "of a month, to standard output",
        },
        several=True,
    ),
}
