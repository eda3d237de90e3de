"""Images for tests, made on the spot of a static busybox and, where asked, programs of this machine."""

import io
import re
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from penstock.agent.executor.docker.engine import Engine

BUSYBOX = Path("/bin/busybox")
_PASSWD = b"root:x:0:0:root:/root:/bin/sh\nworker:x:1234:1234:worker:/home/worker:/bin/sh\n"


def make_image(
    engine: Engine,
    name: str,
    *,
    applets: Sequence[str] | None = None,
    programs: Iterable[str] = (),
    changes: tuple[str, ...] = (),
) -> None:
    """An image with a static busybox, named as all its applets or these; `changes` as in Dockerfiles.

    `programs` of this machine are in it too, with the libraries they need.
    """
    repository, _, tag = name.partition(":")
    query = [("fromSrc", "-"), ("repo", repository), ("tag", tag), *(("changes", each) for each in changes)]
    data = build_layer(applets, programs)
    with engine.open("POST", "/images/create", dict(query), chunks=[data]) as response:
        told = response.read()
    assert b'"error"' not in told, told


def build_layer(applets: Sequence[str] | None = None, programs: Iterable[str] = ()) -> bytes:
    """The files of an image, as a tar."""
    taken = {Path(program).name for program in programs}
    if applets is None:
        listed = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True)
        applets = listed.stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("bin", "tmp", "etc", "root"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            archive.addfile(info)
        archive.add(BUSYBOX, "bin/busybox")
        for applet in sorted(set(applets) - taken - {"busybox"}):
            info = tarfile.TarInfo(f"bin/{applet}")
            info.type, info.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(info)
        for path in sorted({each for program in programs for each in list_needed(program)}):
            archive.add(path.resolve(), str(path).lstrip("/"))
        info = tarfile.TarInfo("etc/passwd")
        info.size, info.mode = len(_PASSWD), 0o644
        archive.addfile(info, io.BytesIO(_PASSWD))
    return buffer.getvalue()


def list_needed(program: str) -> set[Path]:
    """A program of this machine and its libraries; a static one has none."""
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return {Path(program), *map(Path, re.findall(r"(/\S+) \(0x", told))}
