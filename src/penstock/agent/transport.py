"""What an agent asks of its server, whether that is in this process or behind a network."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol

from penstock.model.status import TaskStatus
from penstock.wire.messages import CacheHit, Commands, Continue, Continued, Minted, Sync, TokenWish


class BlobKind(StrEnum):
    """What an uploaded blob is for; bounds and retention depend on it."""

    ARTIFACT = "artifact"
    TEST_REPORT = "test-report"
    CACHE = "cache"
    LAYER = "layer"


class Transport(Protocol):
    """The server as an agent sees it. All calls may be made from several threads at once.

    Every call raises `UnavailableError` when the server cannot be reached or cannot store; the agent
    then tries again. Other `PenstockError`s are final.
    """

    def sync(self, message: Sync) -> Commands:
        """Deliver events, renew leases, take commands. Idempotent: events already seen are ignored.

        With `message.wait` the call blocks until there is a command or another `sync` of the same agent
        arrives, at most that many seconds.
        """
        ...

    def upload(self, task: str, kind: BlobKind, chunks: Iterable[bytes]) -> str:
        """Store the bytes durably and return the name by which events refer to them.

        Raises LimitExceededError when the server's bound for the kind is passed; nothing is kept then.
        """
        ...

    def download(self, task: str, blob: str) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of a blob in pieces. Raises NotFoundError when the task may not see it or it is gone."""
        ...

    def find_cache(self, task: str, keys: tuple[str, ...]) -> CacheHit | None:
        """The newest cache whose key starts with the first of `keys` that matches any, else None."""
        ...

    def has_cache(self, task: str, key: str) -> bool:
        """True when exactly this key is taken, so that a save can be skipped before the work."""
        ...

    def find_others(self, task: str) -> tuple[TaskStatus, ...]:
        """How the other parallel copies of the task's attempt stand."""
        ...

    def continue_pipeline(self, task: str, wish: Continue) -> Continued:
        """Continue the task's pipeline with another config. Idempotent by the request's name."""
        ...

    def mint_token(self, task: str, wish: TokenWish) -> Minted:
        """An identity token for the task, or why there is none."""
        ...
