"""What `--help` says of the commands beside runs: contexts, schedules, webhooks, policies, claims, usage."""

from collections.abc import Mapping

from penstock.cli.entry import Entry

PLATFORM: Mapping[str, Entry] = {}
