"""What is said between a server and the process that evaluates its policies."""

import msgspec

from penstock.policy.decision import Decision

LENGTH = 4
"""Bytes before each message that tell how long it is."""


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question about a bundle; its `files` come along only when the other side does not know it.

    With a `document`, JSON, it is to be judged, given `meta`; with `tests` the rules that are tests are
    tried; with neither the names of the policies are wanted. It may take `seconds` of a processor.
    """

    bundle: str
    seconds: float
    files: dict[str, str] | None = None
    document: bytes | None = None
    meta: bytes = b"null"
    tests: bool = False


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer: a `fault` of the policies, or what was asked for; a `spent` process is not asked again."""

    missing: bool = False
    fault: str = ""
    decision: Decision | None = None
    tests: dict[str, str] | None = None
    spent: bool = False
    names: dict[str, str] | None = None  # the text of each policy by its name
