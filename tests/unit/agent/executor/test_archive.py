import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.agent.compress import compress_stream, decompress_stream
from penstock.agent.executor.archive import pack, unpack
from penstock.agent.executor.base import Member
from penstock.model.errors import RefusedError


def make_tar(*entries: tuple[str, str]) -> Iterator[bytes]:
    """Entries are names and symbolic link targets."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, target in entries:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    yield sink.getvalue()


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/etc/out"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError, match="leads outside"):
        unpack(make_tar((name, "x")), {"": str(tmp_path)})


def test_names_of_unknown_roots_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no known place"):
        unpack(make_tar(("elsewhere/x", "x")), {"home": str(tmp_path)})


def test_a_truncated_stream_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(100_000))
    stream = b"".join(pack([Member(name="f", path=str(tmp_path / "f"))]))
    with pytest.raises(RefusedError, match="the archive is damaged"):
        unpack(iter([stream[:50_000]]), {"": str(tmp_path / "out")})


def test_any_cut_of_the_stream_is_read_alike(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"in/{number}").parent.mkdir(exist_ok=True)
        (tmp_path / f"in/{number}").write_bytes(bytes([number]) * number * 100)
    stream = b"".join(pack([Member(name="in", path=str(tmp_path / "in"))]))
    pieces = [stream[start : start + 77] for start in range(0, len(stream), 77)]
    assert unpack(iter([*pieces[:5], b"", *pieces[5:]]), {"": str(tmp_path / "out")}) == 21
    for number in range(20):
        assert (tmp_path / f"out/in/{number}").read_bytes() == bytes([number]) * number * 100


def test_other_tools_read_what_is_packed(tmp_path: Path) -> None:
    name = "é" * 90 + "/" + "long" * 30
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text("content")
    stream = b"".join(pack([Member(name="top", path=str(tmp_path))]))
    with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
        assert archive.extractfile(f"top/{name}").read() == b"content"  # type: ignore[union-attr] # it is a file


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(64 << 20)
    sizes = [len(piece) for piece in pack([Member(name="big", path=str(tmp_path / "big"))])]
    assert sum(sizes) > 64 << 20
    assert max(sizes) <= 1 << 20


def test_compression_gives_back_what_it_took() -> None:
    pieces = [bytes([number]) * 100_000 for number in range(50)]
    assert b"".join(decompress_stream(compress_stream(pieces))) == b"".join(pieces)
