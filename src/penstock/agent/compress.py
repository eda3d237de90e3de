"""Archives on their way to and from the server: zstd streams in bounded memory."""

from collections.abc import Iterable, Iterator

import zstandard

_PIECE = 256 << 10
_SIP = 1 << 10  # a sparse file shrinks to a thirty-thousandth, so this much can become 32 MiB at once


def compress_stream(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks as one zstd frame, in pieces of a quarter mebibyte or more."""
    compressor = zstandard.ZstdCompressor(level=1, write_checksum=True).compressobj()
    waiting: list[bytes] = []
    size = 0
    for chunk in chunks:
        waiting.append(compressor.compress(chunk))
        size += len(waiting[-1])
        if size >= _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join([*waiting, compressor.flush()])


def decompress_stream(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What `compress_stream` was given, in pieces of at most a quarter mebibyte.

    Raises zstandard.ZstdError when the stream is damaged.
    """
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    for chunk in chunks:
        for start in range(0, len(chunk), _SIP):
            piece = decompressor.decompress(chunk[start : start + _SIP])
            for place in range(0, len(piece), _PIECE):
                yield piece[place : place + _PIECE]
    if not decompressor.eof:
        raise zstandard.ZstdError("the stream ends too early")
