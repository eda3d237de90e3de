import io

from penstock.engine.outputs import BytesReader


def test_pieces_of_any_size_are_one_file() -> None:
    pieces = [b"", b"abc", b"d", b"", b"efghij"]
    assert io.BufferedReader(BytesReader(pieces), 4).read() == b"abcdefghij"
    raw = BytesReader(pieces)
    assert raw.readable()
    assert [raw.read(2) for _ in range(7)] == [b"ab", b"c", b"d", b"ef", b"gh", b"ij", b""]
