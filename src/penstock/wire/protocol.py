"""How agents and servers talk over HTTP: what travels beside the exchange, and who can talk to whom.

Bodies are msgpack, those of uploads and downloads the bytes themselves. An agent shows the token of its
group to join, its own to exchange messages, and that of a task for everything about the task.
"""

import msgspec

PROTOCOL = 1
"""Grows with each change that an older partner would misunderstand."""

OLDEST = 1
"""The oldest protocol of agents that a server of this version still talks to."""

MEDIA = "application/msgpack"
BYTES = "application/octet-stream"

PROTOCOL_HEADER = "penstock-agent-protocol"
VERSION_HEADER = "penstock-agent-version"
CHECKSUM_HEADER = "penstock-sha256"

PREFIX = "/agent/v1/"

SEGMENT = 4 << 20
"""Bytes an upload is cut into; what was acknowledged need not be sent again."""

LONGEST_WAIT = 60.0
"""Seconds for which a server holds an exchange at most."""


class Hello(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent says about itself when it joins or comes back."""

    name: str
    labels: tuple[str, ...] = ()
    slots: int = 1
    version: str = ""
    system: str = ""  # as in `linux/x86_64`


class Welcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who the agent is from now on; `token` only when it has just joined."""

    agent: str
    labels: tuple[str, ...] = ()
    token: str = ""

    def __repr__(self) -> str:
        """Without the token."""
        return f"Welcome(agent={self.agent!r}, labels={self.labels!r})"


class Farewell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The agent takes nothing new. With `forget` it never comes back under this name."""

    forget: bool = False


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of caches to look for, best first."""

    keys: tuple[str, ...]


class UploadState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of an upload the server has; `blob` is its name once it is whole."""

    size: int
    blob: str = ""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was refused, in a sentence; the status says of what kind it is."""

    message: str


def explain_mismatch(protocol: str, version: str, server: str) -> str:
    """What somebody has to do who runs an agent that this server cannot talk to; "" when it can."""
    agent = f"This agent (penstock {version or 'of an unknown version'})"
    if not (protocol.isascii() and protocol.isdecimal()) or int(protocol[:9]) < OLDEST:
        return f"{agent} is too old for this server (penstock {server}): install that version of it here."
    if int(protocol[:9]) > PROTOCOL:
        return (
            f"{agent} is newer than this server (penstock {server}): upgrade the server first, or install "
            "the server's version of the agent here."
        )
    return ""
