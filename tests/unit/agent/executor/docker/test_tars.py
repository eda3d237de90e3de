import io
import tarfile

import pytest

from penstock.agent.executor.docker.tars import Layout, end_stream, locate_entry, rename_members
from penstock.model.errors import RefusedError


def pack(*entries: tuple[str, bytes | None], link: tuple[str, str] | None = None) -> bytes:
    """A tar stream of files, of folders where there is no content, and at last a hard link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            info.size = len(content or b"")
            archive.addfile(info, io.BytesIO(content or b""))
        if link is not None:
            info = tarfile.TarInfo(link[0])
            info.type, info.linkname = tarfile.LNKTYPE, link[1]
            archive.addfile(info)
    return buffer.getvalue()


def names(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert {(info.uid, info.gid) for info in archive} <= {(7, 8), (0, 0)}
        return archive.getnames()


def test_the_top_of_an_archive_gets_another_name() -> None:
    data = pack(("top", None), ("top/f", b"x" * 700), link=("top/h", "top/f"))
    renamed = b"".join(rename_members([data], "top", "a/b")) + end_stream()
    with tarfile.open(fileobj=io.BytesIO(renamed)) as archive:
        assert archive.getnames() == ["a/b", "a/b/f", "a/b/h"]
        assert archive.getmember("a/b/h").linkname == "a/b/f"
        content = archive.extractfile("a/b/f")
        assert content is not None
        assert content.read() == b"x" * 700


def test_folders_that_are_missing_are_made_and_asked_for_between_streams_only() -> None:
    asked: list[str] = []
    streaming = False

    def exists(path: str) -> bool:
        assert not streaming
        asked.append(path)
        return path in {"/", "/home"}

    layout = Layout({"home": "/home/me", "root": "/"}, (7, 8), exists)
    layout.open(
        [pack(("home/a/f", b"1"), ("home/a/g", b"2"), ("root/opt/x", None), ("root/opt/x/y", b""))], None
    )
    streams = []
    while layout.advance():
        streaming = True
        streams.append(names(b"".join(layout.stream())))
        streaming = False
    assert streams == [["home/me", "home/me/a", "home/me/a/f", "home/me/a/g"], ["opt", "opt/x", "opt/x/y"]]
    assert layout.count == 4
    assert asked == ["/home/me/a", "/home/me", "/home", "/opt"]


@pytest.mark.parametrize("name", ["home/../../etc/passwd", "/etc/passwd", "elsewhere/x"])
def test_names_that_lead_outside_are_refused(name: str) -> None:
    with pytest.raises(RefusedError):
        locate_entry(name, {"home": "/home/me"})


def test_a_damaged_archive_is_refused() -> None:
    with pytest.raises(RefusedError, match="damaged"):
        Layout({"": "/"}, (0, 0), lambda _: True).open([b"no tar" * 1000], None)


def stream_all(layout: Layout) -> bytes:
    """Everything the layout streams, with the streams' ends between."""
    data = b""
    while layout.advance():
        data += b"".join(layout.stream())
    return data


def test_devices_are_left_out_and_damage_is_said() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        device = tarfile.TarInfo("null")
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
        archive.addfile(tarfile.TarInfo("file"))
    layout = Layout({"": "/root"}, (7, 8), lambda _: True)
    layout.open([buffer.getvalue()], None)
    assert names(stream_all(layout)) == ["root/file"]
    layout = Layout({"": "/root"}, (7, 8), lambda _: True)
    layout.open([pack(("a", b"1" * 3000))[:1024]], None)
    with pytest.raises(RefusedError, match="the archive is damaged"):
        stream_all(layout)


@pytest.mark.parametrize("name", ["../up", "a/../../up", "/etc/passwd"])
def test_a_name_that_leads_out_is_refused_wherever_it_stands(name: str) -> None:
    layout = Layout({"": "/root"}, (7, 8), lambda _: True)
    layout.open([pack(("good", b"1"), (name, b"2"))], None)
    with pytest.raises(RefusedError, match="leads outside"):
        stream_all(layout)
