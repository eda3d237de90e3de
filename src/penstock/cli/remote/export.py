"""Fetches an export of usage from a server: asks, waits, downloads its files and joins them."""

import csv
import gzip
import os
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from urllib.parse import quote, urlsplit

from penstock.cli.remote.answers import UsageExport
from penstock.cli.remote.client import Client
from penstock.cli.remote.connection import AwayError
from penstock.kit.clock import to_datetime
from penstock.model.errors import RefusedError, UnavailableError

NOTHING = "\\N"
"""What stands in a file for a value that is not known."""

_PLACE = "/output/usage/"
_FIRST_PAUSE = 0.5
_GZIP = 31  # zlib: a gzip header around the largest window


def await_export(
    client: Client, organization: str, wanted: str | tuple[int, int], patience: float
) -> UsageExport:
    """The export of that id, or a new one of that span, once it is made or so many seconds have passed.

    Each pause is twice the one before, since few calls an hour are answered. Where no more are, or nobody
    answers, it is as it was last seen: whoever waits needs its id. Raises RefusedError with the reason when
    it has failed.
    """
    place = f"organizations/{quote(organization)}/usage_export_job"
    until, pause = time.monotonic() + patience, _FIRST_PAUSE
    if isinstance(wanted, str):
        found = client.circle("GET", f"{place}/{quote(wanted, safe='')}", UsageExport)
    else:
        start, end = (to_datetime(each).isoformat().replace("+00:00", "Z") for each in wanted)
        found = client.circle("POST", place, UsageExport, {"start": start, "end": end})
    while found.state in {"created", "processing"} and time.monotonic() < until:
        time.sleep(min(pause, max(until - time.monotonic(), 0)))
        pause *= 2
        try:
            found = client.circle("GET", f"{place}/{quote(found.usage_export_job_id)}", UsageExport)
        except AwayError:
            break
    if found.state == "failed":
        raise RefusedError(found.error_reason or "the server could not make the export")
    return found


def read_lines(client: Client, export: UsageExport) -> Iterator[bytes]:
    """The lines of all its files as if they were one: the head of the first, and all rows.

    A line ends where a newline stands, which may be in the middle of a row.
    """
    for number, url in enumerate(export.download_urls):
        lines = _split_lines(_unpack(client.connection.download(_locate(url))))
        yield from islice(lines, min(number, 1), None)


def read_records(lines: Iterator[bytes]) -> Iterator[dict[str, str | None]]:
    """The rows by the names of the columns, which are in small letters here; None for what is not known."""
    for row in csv.DictReader(line.decode() for line in lines):
        yield {name.lower(): None if value == NOTHING else value for name, value in row.items()}


def write_out(lines: Iterator[bytes]) -> None:
    """The lines are printed."""
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def write_file(path: Path, lines: Iterator[bytes]) -> int:
    """The file holds the lines, packed if it is named so; returns how many rows. Nothing is there before."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    count = -1
    try:
        with gzip.open(draft, "wb") if path.suffix == ".gz" else draft.open("wb") as file:
            for row in _join_rows(lines):
                file.write(row)
                count += 1
        draft.replace(path)
    except OSError as error:
        raise UnavailableError(f"cannot write {path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return max(count, 0)


def _join_rows(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The rows, each whole: a field in quotes may go over several lines."""
    row = b""
    for line in lines:
        row += line
        if row.count(b'"') % 2 == 0:
            yield row
            row = b""


def _locate(url: str) -> str:
    """The path and query of an address, which is asked for where the command found the server."""
    parts = urlsplit(url)
    place = parts.path.find(_PLACE)
    if place < 0:
        raise UnavailableError("the answer of the server makes no sense: it names no file of an export")
    return f"{parts.path[place:]}?{parts.query}"


def _unpack(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of a gzip file. Raises UnavailableError when it is none, or not whole."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        for piece in pieces:
            yield unpacker.decompress(piece)
    except zlib.error as error:
        raise UnavailableError("a file of the export is damaged: fetch it again") from error
    if not unpacker.eof:
        raise UnavailableError("a file of the export is not whole: fetch it again")


def _split_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest
