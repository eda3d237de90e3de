"""Dynamic configuration: the config a setup workflow continues its pipeline with."""

from collections.abc import Mapping

import msgspec

from penstock.kit.marks import Mark
from penstock.language.circleci.compile import compile as compile_config
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import Reporter
from penstock.model.diagnostic import has_errors
from penstock.plan.plan import Plan

Simple = str | int | bool

CONFLICT = "Conflicting pipeline parameters."


def find_conflicts(triggered: Mapping[str, Simple], given: Mapping[str, Simple]) -> list[str]:
    """Parameters given at the trigger and again at the continuation, which the vendor refuses."""
    return sorted(triggered.keys() & given.keys())


def compile_continuation(
    source: str | bytes, context: Context, setup: Plan, given: Mapping[str, Simple]
) -> Plan:
    """The plan of the config a pipeline continues with (CircleCI docs: dynamic configuration).

    `context.parameters` are the arguments of the pipeline's trigger, which are forwarded; `given` are
    those of the continuation. `setup` is the plan that ran before: a parameter both configs declare has
    one type. The config must declare every parameter it gets, and cannot be a setup config again.
    """
    report = Reporter()
    mark = Mark(context.file, 1, 1)
    if names := find_conflicts(context.parameters, given):
        hint = f"given at the trigger already: {', '.join(names)}"
        report.error("conflicting-parameters", CONFLICT, mark, hint=hint)
    merged = msgspec.structs.replace(context, parameters={**given, **context.parameters})
    plan = compile_config(source, merged)
    _compare_declarations(setup, plan, report, mark)
    if plan.setup:
        hint = "remove 'setup: true' from the config the pipeline continues with"
        report.error(
            "setup-again", "A pipeline continues only once: this is a setup config.", mark, hint=hint
        )
    findings = (*report.list_findings(), *plan.diagnostics)
    if not has_errors(findings):
        return plan
    return msgspec.structs.replace(plan, workflows={}, parameters=(), diagnostics=findings, compiled="")


def _compare_declarations(setup: Plan, plan: Plan, report: Reporter, mark: Mark) -> None:
    """Reports parameters that are of one type in the setup config and of another here."""
    before = {spec.name: spec for spec in setup.parameters}
    for spec in plan.parameters:
        known = before.get(spec.name, spec)
        if (known.type, known.options) != (spec.type, spec.options):
            message = f"Parameter {spec.name} is declared otherwise in the setup config: {known.type}."
            hint = "declare it in the same way in both configs"
            report.error("parameters-disagree", message, mark, hint=hint)
