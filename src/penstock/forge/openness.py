"""Asks a host whether everybody may read a repository, as somebody without an account would."""

import tempfile
from pathlib import Path

from penstock.forge.address import Policy, Protocol, read_address
from penstock.forge.command import GitFailedError, call_git
from penstock.forge.credentials import Credentials, make_environment
from penstock.forge.failures import Fault, find_fault
from penstock.forge.known_hosts import HOST_KEYS
from penstock.forge.process import Bounds
from penstock.model.errors import UnavailableError

_WEB = {Protocol.HTTP, Protocol.HTTPS}
_BOUNDS = Bounds(seconds=30)


def answers_everybody(url: str, policy: Policy) -> bool:
    """True when the repository is handed out over the web to whoever asks.

    An ssh address of a well-known host is asked about there. Raises UnavailableError when the host does not
    answer, InvalidError and ForbiddenError for an address that will not do.
    """
    if not url:
        return False
    address, password = read_address(url, policy)
    if address.protocol is Protocol.SSH and address.host in HOST_KEYS:
        path = url.partition(address.host)[2].lstrip(":/")
        address, _ = read_address(f"https://{address.host}/{path}", policy)
    if address.protocol not in _WEB or password:
        return False
    with tempfile.TemporaryDirectory(prefix="penstock-ask-") as folder:
        nobody = {"HOME": folder, "XDG_CONFIG_HOME": folder, "GIT_CONFIG_NOSYSTEM": "1"}
        environment = make_environment(address, Credentials(), policy) | nobody
        try:
            call_git(
                "ls-remote", "--quiet", "--", address.url, "HEAD",
                cwd=Path(folder), environment=environment, bounds=_BOUNDS,
            )  # fmt: skip
        except GitFailedError as error:
            if find_fault(error.told) is Fault.UNREACHABLE:
                raise UnavailableError(f"{address.url} does not answer") from None
            return False
    return True
