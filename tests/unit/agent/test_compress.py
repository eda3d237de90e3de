"""Archives are compressed and come back, in pieces that fit into memory."""

import os

import pytest
import zstandard

from penstock.agent.compress import compress_stream, decompress_stream

MEBIBYTE = 1 << 20


def test_a_stream_comes_back_as_it_was() -> None:
    chunks = [b"", b"a", os.urandom(3 * MEBIBYTE), b"b" * 5]
    assert b"".join(decompress_stream(compress_stream(chunks))) == b"".join(chunks)


def test_what_shrinks_to_almost_nothing_comes_back_in_small_pieces() -> None:
    packed = b"".join(compress_stream([bytes(MEBIBYTE)] * 64))
    assert len(packed) < MEBIBYTE >> 8
    sizes = [len(piece) for piece in decompress_stream([packed])]
    assert sum(sizes) == 64 * MEBIBYTE
    assert max(sizes) <= MEBIBYTE >> 2


def test_a_stream_that_ends_too_early_is_damaged() -> None:
    packed = b"".join(compress_stream([os.urandom(MEBIBYTE)]))
    with pytest.raises(zstandard.ZstdError):
        list(decompress_stream([packed[:-1]]))
