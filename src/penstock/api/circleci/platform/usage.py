"""Exports of what job runs used: asked for, looked at, downloaded."""

import re

from penstock.api.circleci.platform.usage_payloads import (
    DownloadQuery,
    UsageExport,
    UsageExportBody,
    UsageExportStatus,
)
from penstock.api.circleci.times import show_seconds
from penstock.api.common.answer import Answer
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine.access import Action
from penstock.engine.lookup import open_organization
from penstock.engine.runs import read_id
from penstock.engine.usage_exports import Wish, create_export, find_export
from penstock.engine.usage_links import LIFE, PURPOSE, is_signed, sign_part
from penstock.kit.clock import from_datetime, to_datetime
from penstock.kit.ids import is_id
from penstock.model.errors import ForbiddenError, NotFoundError
from penstock.store import usage_exports
from penstock.store.usage_exports import Export, ExportState

DOWNLOAD = "/output/usage/{id}/{file}"
_FILE = re.compile(r"usage-([1-9][0-9]{0,5})\.csv\.gz")


def create(server: Server, call: Call) -> UsageExport:
    """Ask for an export of what job runs used."""
    by = principal_of(call)
    body: UsageExportBody = call.payload
    with server.parts.db.read() as tx:
        owner = open_organization(tx, by, Action.EXPORT_USAGE, call.params["org_id"])
        shared = [read_id(each) for each in body.shared_org_ids or ()]
        others = tuple(open_organization(tx, by, Action.EXPORT_USAGE, each) for each in shared)
    wish = Wish(start=from_datetime(body.start), end=from_datetime(body.end), others=others)
    made = create_export(server.parts, by, owner, wish)
    return UsageExport(
        usage_export_job_id=made.uuid,
        state=made.state,
        start=show_seconds(made.start_at),
        end=show_seconds(made.end_at),
        download_urls=(),
    )


def get_export(server: Server, call: Call) -> UsageExportStatus:
    """An export, with where its files are once there are any."""
    by, uuid = principal_of(call), read_id(call.params["usage_export_job_id"])
    with server.parts.db.read() as tx:
        owner = open_organization(tx, by, Action.SEE_USAGE, call.params["org_id"])
    found = find_export(server.parts, by, owner, uuid)
    status = UsageExportStatus(
        usage_export_job_id=found.uuid, state=found.state, download_urls=tuple(_list_urls(server, found))
    )
    if found.state is ExportState.FAILED:
        return UsageExportStatus(
            usage_export_job_id=found.uuid, state=found.state, download_urls=(), error_reason=found.error
        )
    return status


def download(server: Server, call: Call) -> Answer:
    """A file of an export, for whoever has its address."""
    query: DownloadQuery = call.query
    uuid, named = call.params["id"], _FILE.fullmatch(call.params["file"])
    if named is None or not is_id(uuid):
        raise NotFoundError("Not found")
    part = int(named[1])
    keys = server.sealer.derive_keys(PURPOSE)
    if not is_signed(keys, uuid, part, expires_at=query.expires, signature=query.signature):
        raise ForbiddenError("This address is not one that was given out.")
    if query.expires <= server.parts.clock.now():
        raise ForbiddenError("This address has expired: ask for the export again.")
    with server.parts.db.read() as tx:
        found = usage_exports.export_by_uuid(tx, uuid)
    if found is None or len(found.parts) < part:
        raise NotFoundError("Usage export job not found.")
    return _send(server, found, part)


def _send(server: Server, found: Export, part: int) -> Answer:
    first, last = (to_datetime(each).date() for each in (found.start_at, found.end_at))
    name = f"usage-{first}-{last}-{part}.csv.gz"
    file = found.parts[part - 1]
    headers = (
        ("content-length", str(file.size)),
        ("content-disposition", f'attachment; filename="{name}"'),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-store"),
    )
    return Answer(body=server.parts.blobs.open(file.blob), media="application/gzip", headers=headers)


def _list_urls(server: Server, found: Export) -> list[str]:
    """The addresses of its files, good from now on for a while."""
    keys, expires = server.sealer.derive_keys(PURPOSE), server.parts.clock.now() + LIFE
    urls = []
    for part in range(1, len(found.parts) + 1):
        signature = sign_part(keys, found.uuid, part, expires_at=expires)
        place = DOWNLOAD.format(id=found.uuid, file=f"usage-{part}.csv.gz")
        urls.append(f"{server.base_url}{place}?expires={expires}&signature={signature}")
    return urls
