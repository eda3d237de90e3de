"""Asks on while a server is away for a moment: servers are restarted, networks are cut."""

import time
from typing import Any, TypeVar

from penstock.cli.remote.client import Client
from penstock.cli.remote.connection import AwayError
from penstock.cli.streams import complain

T = TypeVar("T")

SECONDS = 60.0
"""How long a server may be away."""

_FIRST_REST, _LONGEST_REST = 0.25, 5.0


class Persistence:
    """Asks a server again until it answers, or was away for too long."""

    def __init__(self, client: Client, seconds: float = SECONDS) -> None:
        self._client = client
        self._seconds = seconds

    def own(self, path: str, kind: type[T], **query: Any) -> T:  # noqa: ANN401 - of any type
        """The answer to a GET of Penstock's own API. Raises as `Client` does."""
        until = time.monotonic() + self._seconds
        rest = 0.0
        while True:
            try:
                return self._client.own("GET", path, kind, **query)
            except AwayError as error:
                if time.monotonic() > until:
                    raise
                if not rest:
                    complain(f"{error}; trying again")
                rest = min(max(rest * 2, _FIRST_REST), _LONGEST_REST)
                time.sleep(rest)
