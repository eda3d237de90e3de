"""A Docker Engine for tests: our own `dockerd` in a temporary folder, one for all workers of a test session.

A keeper process starts it and ends it when no worker holds the lock any more, also after kill -9.
"""

import fcntl
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
import pytest

from penstock.agent.executor.docker.engine import Engine, open_engine
from penstock.model.errors import UnavailableError
from penstock.plan.executor import Executor, ExecutorKind, Image
from penstock.plan.workflow import JobPlan

START_SECONDS = 60.0
BUSYBOX = Path("/bin/busybox")
IMAGE = "penstock-test:latest"
_KEEPER = """
import ctypes, fcntl, os, shutil, socket, struct, subprocess, sys
folder, driver = sys.argv[1], sys.argv[2]
options = ["--data-root", folder + "/data", "--exec-root", folder + "/exec", "--pidfile", folder + "/pid"]
options += ["-H", "unix://" + folder + "/socket", "--storage-driver", driver]
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(36, 1, 0, 0, 0)  # orphans of the engine are ours: an agent under test would take them for its own
# A network of its own: two engines in one would fight over the bridge. Its loopback must be switched on.
if libc.unshare(0x40000000):
    raise OSError(ctypes.get_errno(), "unshare")
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 0x41))
with open(folder + "/log", "ab") as log:
    server = subprocess.Popen(["dockerd", *options], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
fcntl.flock(os.open(folder + ".users", os.O_RDWR), fcntl.LOCK_EX)
server.terminate()
server.wait()
subprocess.run(["umount", "--lazy", folder + "/data"], stderr=subprocess.DEVNULL)
shutil.rmtree(folder, ignore_errors=True)
for name in (".users", ".start"):
    os.unlink(folder + name)
"""


_KEPT: "list[subprocess.Popen[bytes]]" = []


@cache
def open_test_engine() -> Engine:
    """The engine of this test session; the test is skipped where the machine cannot run one."""
    if os.geteuid() != 0:
        pytest.skip("only root may start a Docker engine")
    if shutil.which("dockerd") is None:
        pytest.skip("no dockerd on this machine")
    if not BUSYBOX.exists():
        pytest.skip("no /bin/busybox on this machine to make images of")
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}")
    folder = Path(tempfile.gettempdir()) / f"penstock-docker-{session[:12]}"
    return _share_engine(folder)


def _share_engine(folder: Path) -> Engine:
    """Hold the engine's lock for as long as this process lives, and start the engine if nobody has."""
    users = os.open(f"{folder}.users", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
    fcntl.flock(users, fcntl.LOCK_SH)
    with Path(f"{folder}.start").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        address = f"unix://{folder}/socket"
        for driver in ("overlay2", "vfs"):
            if not folder.exists():
                _start(folder, driver)
            engine = _await_answer(folder, address)
            if engine is not None:
                make_image(engine, IMAGE)
                return engine
            shutil.rmtree(folder, ignore_errors=True)
    raise AssertionError(f"dockerd does not start: {folder}/log")


def _start(folder: Path, driver: str) -> None:
    folder.mkdir(mode=0o700)
    keeper = subprocess.Popen(
        [sys.executable, "-c", _KEEPER, folder, driver],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,  # not a session: an agent under test ends children in other sessions as orphans
    )
    _KEPT.append(keeper)  # it outlives this process, which therefore never waits for it
    keeper.returncode = 0


def _await_answer(folder: Path, address: str) -> Engine | None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            return open_engine({"DOCKER_HOST": address})
        except UnavailableError:
            log = folder / "log"
            if log.exists() and "failed to start daemon" in log.read_text(errors="replace"):
                return None
            time.sleep(0.05)
    return None


def make_image(
    engine: Engine, name: str, *, applets: Sequence[str] | None = None, changes: tuple[str, ...] = ()
) -> None:
    """An image with a static busybox, named as all its applets or these; `changes` as in Dockerfiles."""
    repository, _, tag = name.partition(":")
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
        for applet in sorted(set(applets) - {"busybox"}):
            info = tarfile.TarInfo(f"bin/{applet}")
            info.type, info.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(info)
        info = tarfile.TarInfo("etc/passwd")
        info.size, info.mode = len(_PASSWD), 0o644
        archive.addfile(info, io.BytesIO(_PASSWD))
    query = [("fromSrc", "-"), ("repo", repository), ("tag", tag), *(("changes", each) for each in changes)]
    _import_image(engine, query, buffer.getvalue())


_PASSWD = b"root:x:0:0:root:/root:/bin/sh\nworker:x:1234:1234:worker:/home/worker:/bin/sh\n"


def _import_image(engine: Engine, query: list[tuple[str, str]], data: bytes) -> None:
    with engine.open("POST", "/images/create", dict(query), chunks=[data]) as response:
        told = response.read()
    assert b'"error"' not in told, told


def busybox_job(*others: Image, **changes: object) -> JobPlan:
    """A job in a container of the test image, which has busybox and nothing else."""
    image = Image(image=IMAGE, **changes)  # type: ignore[arg-type] # the fields of Image
    return JobPlan(name="job", executor=Executor(kind=ExecutorKind.DOCKER, images=(image, *others)))


class _Listed(msgspec.Struct, frozen=True, rename="pascal"):
    id: str
    labels: dict[str, str]


def list_containers(engine: Engine, start: str, label: str = "penstock.task") -> list[str]:
    """The containers, running or not, whose label begins so."""
    found = engine.ask(list[_Listed], "/containers/json", {"all": 1})
    return [each.id for each in found if each.labels.get(label, "").startswith(start)]
