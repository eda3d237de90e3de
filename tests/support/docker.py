"""A Docker Engine for tests: our own `dockerd` in a temporary folder, one for all workers of a test session.

A keeper process starts it and ends it when no worker holds the lock any more, also after kill -9.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import msgspec
import pytest

from penstock.agent.executor.docker.container import make_container
from penstock.agent.executor.docker.engine import Engine, EngineError, open_engine
from penstock.model.errors import UnavailableError
from penstock.plan.executor import Executor, ExecutorKind, Image
from penstock.plan.workflow import JobPlan
from tests.support.docker_images import BUSYBOX, make_image
from tests.support.processes import wait_until

START_SECONDS = 60.0
IMAGE = "penstock-test:latest"
_KEEPER = """
import ctypes, fcntl, os, shutil, signal, socket, struct, subprocess, sys
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
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what containers leave needs no funeral
fcntl.flock(os.open(folder + ".users", os.O_RDWR), fcntl.LOCK_EX)
server.terminate()
server.wait()
for number in filter(str.isdigit, os.listdir("/proc")):  # an engine that was killed leaves its shims
    try:
        words = open("/proc/" + number + "/cmdline").read()
        if "containerd-shim" in words and folder + "/" in words:
            os.kill(int(number), signal.SIGKILL)
    except OSError:
        continue
for line in reversed(open("/proc/self/mounts").readlines()):  # and its mounts
    if (point := line.split()[1]).startswith(folder + "/"):
        subprocess.run(["umount", "--lazy", point], stderr=subprocess.DEVNULL)
shutil.rmtree(folder, ignore_errors=True)
for name in (".start", ".users"):
    os.unlink(folder + name)
"""


_KEPT: "list[subprocess.Popen[bytes]]" = []


def skip_without_engine() -> None:
    """The test is skipped, with the reason, where the machine cannot run an engine."""
    if os.geteuid() != 0:
        pytest.skip("only root may start a Docker engine")
    if shutil.which("dockerd") is None:
        pytest.skip("no dockerd on this machine")
    if not BUSYBOX.exists():
        pytest.skip("no /bin/busybox on this machine to make images of")


def open_test_engine() -> Engine:
    """The engine of this test session, shared by its workers; the test is skipped where none runs."""
    skip_without_engine()
    return _unwrap(_find_test_engine())


def _unwrap(found: Engine | str) -> Engine:
    if isinstance(found, str):
        pytest.skip(f"no Docker engine runs here: {found}")
    return found


@cache
def _find_test_engine() -> Engine | str:
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}")
    folder = Path(tempfile.gettempdir()) / f"penstock-docker-{session[:12]}"
    _hold(folder)
    return _share_engine(folder)


@contextmanager
def own_engine(megabytes: int = 0) -> Iterator[Engine]:
    """An engine for one test, which may do it harm; on a disk of that size when one is given."""
    skip_without_engine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-docker-")))
        if megabytes:
            stack.enter_context(small_disk(folder, megabytes))
        top = folder / "engine"
        users = _hold(top)
        try:
            yield _unwrap(_share_engine(top))
        finally:
            os.close(users)
            wait_until(lambda: not Path(f"{top}.users").exists(), seconds=30)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """The folder is a disk of that size."""
    size = f"size={megabytes}m"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("this machine mounts no file systems")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _hold(folder: Path) -> int:
    """A lock that keeps the engine of the folder alive until it is closed."""
    users = os.open(f"{folder}.users", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
    fcntl.flock(users, fcntl.LOCK_SH)
    return users


def find_pid(engine: Engine) -> int:
    """The process of an engine of ours."""
    return int(Path(engine.socket).with_name("pid").read_text())


def find_network(engine: Engine) -> Path:
    """The network namespace of an engine of ours, in which its loopback is."""
    return Path(f"/proc/{find_pid(engine)}/ns/net")


def _share_engine(folder: Path) -> Engine | str:
    """The engine of the folder, which is started if nobody has; a text says why there is none."""
    with Path(f"{folder}.start").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        reason = ""
        for driver in ("overlay2", "vfs"):
            keeper = None if folder.exists() else _start(folder, driver)
            found = _await_answer(folder, keeper)
            if keeper is not None:
                keeper.returncode = (
                    keeper.returncode or 0
                )  # it outlives this process, which never waits for it
            if isinstance(found, Engine):
                make_image(found, IMAGE)
                return _prove(found)
            reason = found
            shutil.rmtree(folder, ignore_errors=True)
    return reason


def _start(folder: Path, driver: str) -> "subprocess.Popen[bytes]":
    folder.mkdir(mode=0o700)
    keeper = subprocess.Popen(
        [sys.executable, "-c", _KEEPER, folder, driver],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,  # not a session: an agent under test ends children in other sessions as orphans
    )
    _KEPT.append(keeper)
    return keeper


def _await_answer(folder: Path, keeper: "subprocess.Popen[bytes] | None") -> Engine | str:
    """The engine once it answers, or why it never will."""
    log, deadline = folder / "log", time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            return open_engine({"DOCKER_HOST": f"unix://{folder}/socket"})
        except UnavailableError:
            said = log.read_text(errors="replace").strip() if log.exists() else ""
            if "failed to start daemon" in said:
                return said.splitlines()[-1]
            if keeper is not None and keeper.poll() is not None:
                return "it may not have a network namespace of its own"
            time.sleep(0.05)
    return f"dockerd does not answer in {START_SECONDS:.0f} s"


def _prove(engine: Engine) -> Engine | str:
    """The engine, if containers run in it."""
    try:
        container = make_container(engine, {"Image": IMAGE, "Cmd": ["true"]}, f"proof-{os.getpid()}")
        container.start()
        container.remove()
    except EngineError as error:
        return str(error)
    return engine


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
