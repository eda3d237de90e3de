"""Exports of usage as a client gets them: asked for, made, downloaded, read."""

import csv
import gzip
import io
from functools import partial

from penstock.api.circleci.platform.usage_csv import UsageTable
from penstock.engine.deliver import deliver_letters
from penstock.engine.unit import Parts
from penstock.engine.usage_desk import LEASE, UsageDesk
from penstock.engine.usage_exports import USAGE
from penstock.kit.clock import to_datetime
from tests.support.circle import BASE, CircleSite

Record = dict[str, str]


def make_exports(parts: Parts, lease: int = LEASE) -> None:
    """What was asked for is made, as by the loop of a server."""
    deliver_letters(parts, {USAGE: UsageDesk(UsageTable()).deliver}, most=1, lease=lease)


def name_instant(instant: int) -> str:
    """The instant as a body has it."""
    return to_datetime(instant).isoformat().replace("+00:00", "Z")


def ask_export(site: CircleSite, *, days: float = 1, **body: object) -> str:
    """The id of an export of the last days, just asked for."""
    now = site.lab.clock.now()
    span = {"start": name_instant(now - round(days * 86_400_000)), "end": name_instant(now)}
    made = site.post(f"organizations/{site.acme.uuid}/usage_export_job", span | body, 201)
    return str(made["usage_export_job_id"])


def list_urls(site: CircleSite, export: str) -> list[str]:
    """The paths of the export's files, which must be there."""
    told = site.get(f"organizations/{site.acme.uuid}/usage_export_job/{export}")
    assert told["state"] == "completed", told
    return [url.removeprefix(BASE) for url in told["download_urls"]]


def read_part(data: bytes) -> list[Record]:
    """The rows of a file by the names of the columns."""
    return list(csv.DictReader(io.StringIO(gzip.decompress(data).decode(), newline="")))


def fetch_usage(site: CircleSite, **more: object) -> list[Record]:
    """The rows of a new export of the last day."""
    export = ask_export(site, **more)  # type: ignore[arg-type]  # what it takes
    make_exports(site.parts)
    fetch = partial(site.call, "GET", token="")
    return [row for url in list_urls(site, export) for row in read_part(fetch(url).body)]
