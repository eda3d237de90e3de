"""How steps bring bytes to the server and back: tried again, interruptible, in bounded memory."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import zstandard

from penstock.agent.compress import compress_stream, decompress_stream
from penstock.agent.context import StepContext
from penstock.agent.transport import BlobKind
from penstock.model.errors import RefusedError

Answer = TypeVar("Answer")


def upload(
    context: StepContext, kind: BlobKind, make_chunks: Callable[[], Iterator[bytes]]
) -> tuple[str, int]:
    """Upload what `make_chunks` yields, which it must do anew for each try; returns blob and size."""
    transport, task = context.task.transport, context.task.assignment.task
    size = 0

    def count() -> Iterator[bytes]:
        nonlocal size
        size = 0
        for chunk in breathe_between(context, make_chunks()):
            size += len(chunk)
            yield chunk

    blob = context.persist(lambda: transport.upload(task, kind, count()))
    return blob, size


def upload_archive(
    context: StepContext, kind: BlobKind, make_tar: Callable[[], Iterator[bytes]]
) -> tuple[str, int]:
    """Upload a tar stream, compressed."""
    return upload(context, kind, lambda: compress_stream(breathe_between(context, make_tar())))


def with_archive(context: StepContext, blob: str, use: Callable[[Iterator[bytes]], Answer]) -> Answer:
    """Download a compressed tar stream and use it; used anew when the server was away in between.

    Raises RefusedError when the archive is damaged.
    """
    transport, task = context.task.transport, context.task.assignment.task

    def fetch() -> Answer:
        with transport.download(task, blob) as chunks:
            return use(decompress_stream(breathe_between(context, chunks)))

    try:
        return context.persist(fetch)
    except zstandard.ZstdError as error:
        raise RefusedError(f"the stored archive is damaged: {error}") from error


def breathe_between(context: StepContext, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks; before each the task may be interrupted and other output flows."""
    for chunk in chunks:
        context.breathe()
        yield chunk


def format_size(size: int) -> str:
    """A size for people: `512 B`, `1.5 MiB`."""
    amount, units = float(size), ["B", "KiB", "MiB", "GiB"]
    while amount >= 1024 and len(units) > 1:  # noqa: PLR2004 - binary units
        amount /= 1024
        units.pop(0)
    return f"{size} B" if units[0] == "B" else f"{amount:.1f} {units[0]}"
