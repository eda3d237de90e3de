"""Makes exports of usage: pages of rows out of the database, through gzip, into files of the blob store.

However many servers there are, one export is given away: an attempt that was thought dead and taken over
leaves nothing. Memory is that of a page.
"""

import logging
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Protocol

import msgspec

from penstock.engine.deliver import LaterError
from penstock.engine.unit import Parts
from penstock.engine.uploads import delete_quietly
from penstock.engine.usage_exports import DAY, KEPT
from penstock.forge.halt import check_halt
from penstock.model.errors import UnavailableError
from penstock.model.project import Organization
from penstock.store import outbox, projects, usage, usage_exports, users
from penstock.store.blobs import Blobs
from penstock.store.outbox import Letter
from penstock.store.usage import UsageRow
from penstock.store.usage_exports import Export, ExportState, Part

_log = logging.getLogger(__name__)

PAGE = 2000
"""Runs that are read and written together."""

MOST_BYTES = 95_000_000
"""After so many packed bytes another file is begun (CircleCI docs: at most 100 MB)."""

LEASE = 60_000
"""Milliseconds after which another server takes an export for dropped; who makes it says so in time."""

RENEWAL = 10.0
"""Seconds after which it is said again."""

MOST_TRIES = 5
"""Tries before an export has failed."""

SHELF = 7 * DAY
"""Milliseconds for which a finished export can be had."""

FOLDER = "usage"
_LEVEL = 3  # packs half as fast as 1 and twice as fast as 6; files are a tenth larger than with 6
_GZIP = 31  # zlib: a gzip header around the largest window


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows of a page have in common: the organization, ends of projects, and people by login."""

    organization: Organization
    created_at: int
    last_ends: Mapping[str, int]
    people: Mapping[str, str]


class Table(Protocol):
    """How rows become a file."""

    @property
    def head(self) -> bytes:
        """What each file begins with."""
        ...

    def show(self, rows: Sequence[UsageRow], about: About) -> bytes:
        """The rows as they stand in a file."""
        ...


class UsageDesk:
    """Makes the exports that letters ask for."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def deliver(self, parts: Parts, letter: Letter) -> None:
        """The export of the letter is there to be had, or has failed.

        Raises PenstockError to be asked again later.
        """
        with parts.db.write() as tx:
            export = usage_exports.begin_export(tx, letter.subject, attempt=letter.attempts)
        if export is None:
            return
        if letter.attempts > MOST_TRIES:
            self._fail(parts, export, letter.error)
            return
        name = f"{FOLDER}/{export.uuid}/{letter.attempts}"
        made: list[Part] = []
        try:
            fill_parts(parts.blobs, name, self._table.head, self._write(parts, letter, export), made)
        except BaseException:
            _drop(parts, made)
            raise
        self._finish(parts, export, made)

    def _finish(self, parts: Parts, export: Export, made: Sequence[Part]) -> None:
        done = msgspec.structs.replace(export, state=ExportState.COMPLETED, parts=tuple(made))
        with parts.db.write() as tx:
            mine = usage_exports.end_export(tx, done)
            present = None if mine else usage_exports.export_by_uuid(tx, export.uuid)
        if mine:
            _log.info("usage export made", extra={"facts": {"export": export.uuid, "parts": len(made)}})
            return
        _drop(parts, made)
        if present is not None and not present.state.is_terminal:
            raise LaterError("another server makes the export", LEASE / 1000)

    def _fail(self, parts: Parts, export: Export, error: str) -> None:
        _log.error("usage export failed", extra={"facts": {"export": export.uuid, "error": error}})
        reason = f"the export could not be made: {error or 'every server that tried was stopped'}"
        failed = msgspec.structs.replace(export, state=ExportState.FAILED, error=reason)
        with parts.db.write() as tx:
            usage_exports.end_export(tx, failed)

    def _write(self, parts: Parts, letter: Letter, export: Export) -> Iterator[bytes]:
        """The runs of its organizations as they stand in a file, a page at a time."""
        keep = _Keeper(parts, letter)
        people: dict[str, str] = {}
        for organization_id in export.organizations:
            with parts.db.read() as tx:
                organization = projects.get_organization(tx, organization_id)
                if organization is None:
                    continue
                created_at = usage.organization_made(tx, organization_id)
                ends = usage.last_ends(tx, organization_id)
            about = About(organization=organization, created_at=created_at, last_ends=ends, people=people)
            for page in read_pages(parts, export, organization_id):
                keep()
                _meet_people(parts, page, people)
                yield self._table.show(page, about)


class _Keeper:
    """Says now and then that the export is being made, while the process means to go on."""

    def __init__(self, parts: Parts, letter: Letter) -> None:
        self._parts = parts
        self._letter = letter
        self._due = parts.clock.monotonic() + RENEWAL

    def __call__(self) -> None:
        check_halt()
        if self._parts.clock.monotonic() < self._due:
            return
        self._due = self._parts.clock.monotonic() + RENEWAL
        with self._parts.db.write() as tx:
            kept = outbox.keep_letter(tx, self._letter, until=self._parts.clock.now() + LEASE)
        if not kept:
            raise UnavailableError("another server makes the export")


def read_pages(parts: Parts, export: Export, organization_id: int) -> Iterator[list[UsageRow]]:
    """The runs of an export in the order of their start; each page is read by itself."""
    after = (export.start_at, 0)
    while True:
        with parts.db.read() as tx:
            page = usage.read_page(tx, organization_id, after=after, until=export.end_at, limit=PAGE)
        if page:
            after = (page[-1].started_at, page[-1].id)
            yield page
        if len(page) < PAGE:
            return


def fill_parts(blobs: Blobs, name: str, head: bytes, pages: Iterable[bytes], made: list[Part]) -> None:
    """Files that hold the pages, at least one, are added to `made`: each once it is stored whole."""
    rest = iter(pages)
    following: bytes | None = next(rest, b"")
    while following is not None:
        blob = f"{name}-{len(made) + 1}.csv.gz"
        more = chain((following,), rest) if following else rest
        made.append(Part(blob=blob, size=blobs.put(blob, pack_pages(head, more))))
        following = next(rest, None)


def pack_pages(head: bytes, pages: Iterator[bytes]) -> Iterator[bytes]:
    """A gzip file of the head and of so many pages as make it large enough; the others are not taken."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    size = 0
    yield packer.compress(head)
    for page in pages:
        packed = packer.compress(page)
        size += len(packed)
        yield packed
        if size >= MOST_BYTES:
            break
    yield packer.flush()


def sweep_usage(parts: Parts) -> None:
    """What is older than anybody may ask for is gone: runs, exports, and files of exports nobody knows."""
    now = parts.clock.now()
    with parts.db.write() as tx:
        usage_exports.forget_exports(tx, now - SHELF)
    while True:
        with parts.db.write() as tx:
            if not usage.forget_usage(tx, now - KEPT):
                break
    files = [(name.split("/")[1], name) for name, _ in parts.blobs.list(FOLDER)]
    if files:
        with parts.db.read() as tx:
            known = usage_exports.known_exports(tx)
        for export, name in files:
            if export not in known:
                delete_quietly(parts.blobs, name)
                parts.blobs.drop_empty(f"{FOLDER}/{export}")


def _drop(parts: Parts, made: Iterable[Part]) -> None:
    for part in made:
        delete_quietly(parts.blobs, part.blob)


def _meet_people(parts: Parts, page: Iterable[UsageRow], people: dict[str, str]) -> None:
    """Who triggered the runs is known by UUID, "" for who has no account."""
    new = {row.actor for row in page} - people.keys()
    if new:
        with parts.db.read() as tx:
            found = users.users_by_login(tx, {login for login in new if login})
        people.update({login: found[login].uuid if login in found else "" for login in new})
