"""Setup workflows only where the project's settings have them (CircleCI docs: enable dynamic config)."""

import msgspec

from penstock.kit.marks import Mark
from penstock.model.diagnostic import Diagnostic, Severity
from penstock.model.settings import ProjectSettings
from penstock.plan.plan import Plan

MESSAGE = "This config has setup: true, but setup workflows are not enabled for this project."
HINT = "turn on the project's setting setup_workflows, or remove 'setup: true'"


def refuse_setup(plan: Plan, settings: ProjectSettings, file: str, source: bytes) -> Plan:
    """The plan; in place of a setup plan that the settings do not want one with an error."""
    if settings.setup_workflows or not plan.setup:
        return plan
    line = next((number for number, text in enumerate(source.splitlines(), 1) if text[:5] == b"setup"), 1)
    finding = Diagnostic(
        severity=Severity.ERROR,
        code="setup-not-enabled",
        message=MESSAGE,
        mark=Mark(file, line, 1),
        hint=HINT,
    )
    return msgspec.structs.replace(plan, workflows={}, diagnostics=(*plan.diagnostics, finding))
