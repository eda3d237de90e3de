"""A registry that speaks CircleCI's GraphQL (recorded from `circleci orb source` and its relatives)."""

import urllib.request

import msgspec

from penstock.forge.registry.orb import LARGEST_ORB, Orb, OrbMissingError
from penstock.forge.registry.web import fetch_bytes, is_http
from penstock.language.circleci.orbs import OrbReference, choose_version
from penstock.model.errors import UnavailableError

PUBLIC = "https://circleci.com/graphql-unstable"

_QUERY = "query OrbSource($ref: String!) { orbVersion(orbVersionRef: $ref) { version source orb { name } } }"


class _Name(msgspec.Struct):
    name: str = ""


class _Version(msgspec.Struct):
    version: str = ""
    source: str | None = None
    orb: _Name | None = None


class _Data(msgspec.Struct, rename="camel"):
    orb_version: _Version | None = None


class _Error(msgspec.Struct):
    message: str = ""


class _Answer(msgspec.Struct):
    data: _Data | None = None
    errors: list[_Error] = []


class RemoteRegistry:
    """The registry at an address; it finds the version a partial one stands for by itself."""

    def __init__(self, address: str = PUBLIC, token: str = "") -> None:
        self.address = address
        self._token = token

    def fetch(self, reference: OrbReference) -> Orb:
        """The orb. Raises OrbMissingError when the registry has none, UnavailableError when it is silent."""
        body = msgspec.json.encode({"query": _QUERY, "variables": {"ref": str(reference)}})
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "penstock"}
        if self._token:
            headers["Authorization"] = self._token
        request = urllib.request.Request(self.address, data=body, headers=headers, method="POST")  # noqa: S310 - fetch_bytes checks it
        # JSON writes a byte of source with up to six.
        text = fetch_bytes(request, LARGEST_ORB * 6, is_http)
        try:
            answer = msgspec.json.decode(text, type=_Answer)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            raise UnavailableError(
                f"{self.address} does not answer as an orb registry does: {error}"
            ) from error
        return self._read_answer(reference, answer)

    def _read_answer(self, reference: OrbReference, answer: _Answer) -> Orb:
        found = answer.data.orb_version if answer.data is not None else None
        if found is None or found.source is None:
            if answer.errors and answer.data is None:
                raise UnavailableError(f"{self.address} refuses: {answer.errors[0].message[:200]}")
            raise OrbMissingError(
                f"Cannot find {reference} in the orb registry. "
                "Check that the namespace, orb name and version are correct."
            )
        version = found.version or reference.version
        if choose_version(reference.version, [version]) is None:
            raise UnavailableError(f"{self.address} answers with version {version[:40]} for {reference}")
        return Orb(str(OrbReference(reference.name, version)), found.source)
