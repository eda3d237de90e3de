"""The well-known git hosts as ssh knows them: their keys, and how it spells an address of the web."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from penstock.forge.address import ANYWHERE, Protocol, read_address

# ED25519, as the hosts publish them in the documentation of their ssh access.
HOST_KEYS: Mapping[str, str] = {
    "github.com": "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
    "gitlab.com": "AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf",
    "bitbucket.org": "AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO",
}


def spell_for_ssh(url: str) -> str | None:
    """The repository's address for ssh: one that is for ssh as it is, that of a well-known host rewritten.

    None for any other.
    """
    if not url:
        return None
    address, _ = read_address(url, ANYWHERE)
    if address.protocol is Protocol.SSH:
        return url
    if address.protocol is not Protocol.HTTPS or address.host not in HOST_KEYS:
        return None
    path = urlsplit(address.url).path.strip("/").removesuffix(".git")
    return f"git@{address.host}:{path}.git"


def find_host_key(url: str) -> str:
    """The line of a known_hosts file for the address's host, "" when that is not well-known."""
    address, _ = read_address(url, ANYWHERE)
    key = HOST_KEYS.get(address.host)
    return f"{address.host} ssh-ed25519 {key}\n" if key else ""
