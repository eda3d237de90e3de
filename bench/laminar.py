"""Laminar as a peer, where it is installed: a server that is given jobs and waited for."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from tests.support.processes import wait_until

JOB = "#!/bin/bash -e\n{}\n"


def find_laminar() -> bool:
    """True when its server and client are on the PATH."""
    return shutil.which("laminard") is not None and shutil.which("laminarc") is not None


class Laminar:
    """A laminar server with two executors and jobs of these names and commands."""

    def __init__(self, folder: Path, **commands: str) -> None:
        self._folder = folder
        (folder / "cfg/jobs").mkdir(parents=True)
        (folder / "cfg/contexts").mkdir()
        (folder / "cfg/contexts/default.conf").write_text("EXECUTORS=2\n")
        for name, command in commands.items():
            script = folder / f"cfg/jobs/{name}.run"
            script.write_text(JOB.format(command))
            script.chmod(0o755)
        own = {
            "LAMINAR_HOME": str(folder),
            "LAMINAR_BIND_RPC": f"unix:{folder}/rpc",
            "LAMINAR_HOST": f"unix:{folder}/rpc",
            "LAMINAR_BIND_HTTP": f"unix:{folder}/http",
        }
        self._environment = os.environ | own
        self._process = subprocess.Popen(
            ["laminard"], env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.http = folder / "http"

    def __enter__(self) -> Self:
        wait_until(self.http.exists, seconds=10)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def run_jobs(self, name: str, count: int) -> tuple[float, float]:
        """Seconds by the clock until all of them have run, and of CPU, those of the jobs included."""
        before, begun = self._read_cpu(), time.perf_counter()
        for _ in range(count // 100 or 1):  # its command line takes only so many
            self._call("queue", *[name] * min(count, 100))
        while not self._is_idle():
            time.sleep(0.05)  # asking costs it something too
        return time.perf_counter() - begun, self._read_cpu() - before

    def read_log(self, name: str, number: int) -> bytes:
        """What the job's run of that number printed."""
        with closing(HTTPConnection("laminar")) as connection:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(self.http))
            connection.request("GET", f"/log/{name}/{number}")
            return connection.getresponse().read()

    def _is_idle(self) -> bool:
        return not self._call("show-queued").strip() and not self._call("show-running").strip()

    def _call(self, *arguments: str) -> bytes:
        return subprocess.run(
            ["laminarc", *arguments], env=self._environment, stdout=subprocess.PIPE, check=True
        ).stdout

    def _read_cpu(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / 100
