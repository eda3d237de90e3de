"""A git host over ssh: OpenSSH's own server on a port of this machine, which lets in the keys it is told."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.chaos import find_port
from tests.support.processes import wait_until

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin") or ""
MISSING = "" if SSHD and shutil.which("ssh") else "there is no OpenSSH here"

_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel VERBOSE
"""


class SshHost:
    """Hands out one bare repository, for reading only, to those whose keys are authorized."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self._folder = folder
        self._repository = repository
        self._port = find_port()
        folder.mkdir(mode=0o700)
        (folder / "authorized_keys").touch(mode=0o600)
        (folder / "sshd_config").write_text(_CONFIG.format(port=self._port, folder=folder))
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host_key")]
        subprocess.run(key, check=True)
        if os.geteuid() == 0:  # where it would otherwise not start
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def url(self) -> str:
        """The address of the repository."""
        return f"ssh://{pwd.getpwuid(os.geteuid()).pw_name}@127.0.0.1:{self._port}/acme/app.git"

    @property
    def known_hosts(self) -> str:
        """The line by which ssh knows this host."""
        kind, key, *_ = (self._folder / "host_key.pub").read_text().split()
        return f"[127.0.0.1]:{self._port} {kind} {key}\n"

    def authorize(self, *public: str) -> None:
        """Just these keys are let in, and whatever they ask for they may read the repository."""
        forced = f'command="git-upload-pack {self._repository}",restrict'
        (self._folder / "authorized_keys").write_text("".join(f"{forced} {line}\n" for line in public))

    def log(self) -> str:
        """What it wrote so far."""
        return (self._folder / "log").read_text(errors="replace")

    def await_start(self) -> None:
        """Return once it listens; the test fails when it ended before."""
        wait_until(self._is_announced, seconds=30, what="sshd listens")
        assert self.process.poll() is None, self.log()

    def _is_announced(self) -> bool:
        return self.process.poll() is not None or "Server listening on" in self.log()


@contextmanager
def ssh_host(folder: Path, repository: Path) -> Iterator[SshHost]:
    """A host that listens; it is gone afterwards."""
    host = SshHost(folder, repository)
    try:
        host.await_start()
        yield host
    finally:
        host.process.terminate()
        host.process.wait(30)
