"""What a user got wrong, as a value: a message, a place and a way out."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from penstock.kit.marks import Mark


class Severity(StrEnum):
    """How bad a finding is; only errors stop a pipeline."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding in a config.

    `message` is worded as the vendor words it where the vendor has such a message. `scope` holds the
    calls that lead to the place, outermost first (`Error calling job: 'build'`). `code` is stable and
    kebab-case. `source` is the offending line, `hint` a way out, `link` a page that explains it.
    """

    severity: Severity
    code: str
    message: str
    mark: Mark
    scope: tuple[str, ...] = ()
    source: str = ""
    hint: str = ""
    link: str = ""


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """True when at least one finding stops the pipeline."""
    return any(finding.severity is Severity.ERROR for finding in diagnostics)
