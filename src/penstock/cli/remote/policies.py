"""The policies of an organization on a server, and what was decided by them."""

from collections.abc import Iterator
from typing import Any

from penstock.api.circleci.platform.policy_payloads import (
    BundleDiff,
    Decision,
    DecisionLog,
    DecisionSettings,
    PolicyBundle,
)
from penstock.cli.remote.client import Client


class PolicyDesk:
    """Asks CircleCI's API about the policies of one organization, by its UUID."""

    def __init__(self, client: Client, owner: str) -> None:
        self._client = client
        self._root = f"owner/{owner}/context/config"

    def push(self, policies: dict[str, str], *, dry: bool) -> BundleDiff:
        """What the push changed, or would change."""
        body = {"policies": policies}
        query = {"dry": "true"} if dry else {}
        return self._client.circle("POST", f"{self._root}/policy-bundle", BundleDiff, body, **query)

    def fetch(self) -> dict[str, str]:
        """The text of each policy by its name."""
        found = self._client.circle("GET", f"{self._root}/policy-bundle", PolicyBundle)
        return {name: document.content for name, (document, *_) in found.items()}

    def decide(self, document: str, metadata: dict[str, Any]) -> Decision:
        """What the policies say of a document."""
        body = {"input": document, "metadata": metadata}
        return self._client.circle("POST", f"{self._root}/decision", Decision, body)

    def list_log(self, query: dict[str, str], most: int) -> Iterator[DecisionLog]:
        """Decisions that were made, newest first."""
        found = 0
        while found < most:
            given = {**query, "offset": str(found)}
            page = self._client.circle("GET", f"{self._root}/decision", list[DecisionLog], **given)
            yield from page[: most - found]
            found += len(page)
            if not page:
                return

    def find(self, decision: str) -> DecisionLog:
        """A decision by its id."""
        return self._client.circle("GET", f"{self._root}/decision/{decision}", DecisionLog)

    def settings(self, *, enabled: bool | None = None) -> DecisionSettings:
        """Whether pipelines are judged, after it was set if it is to be."""
        path = f"{self._root}/decision/settings"
        if enabled is None:
            return self._client.circle("GET", path, DecisionSettings)
        return self._client.circle("PATCH", path, DecisionSettings, {"enabled": enabled})
