"""What identity tokens are made of: facts about a job, which each language claims in its own words."""

from collections.abc import Mapping
from typing import Any

import msgspec

Claims = Mapping[str, Any]


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """The job that a token speaks for. All but the last three are UUIDs.

    `origin` is its repository (`github.com/acme/app`), `ref` a full one (`refs/heads/main`); "" for what is
    not known.
    """

    organization: str
    project: str
    user: str
    pipeline: str
    definition: str
    workflow: str
    job: str
    contexts: tuple[str, ...] = ()
    origin: str = ""
    ref: str = ""
    ssh: bool = False


class Identities(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of the tokens in a job's environment, by variable, and of those it asks for.

    Issuer, audience and times are not among them.
    """

    variables: Mapping[str, Claims] = {}
    asked: Claims = {}
