"""Compiles the config with which a setup workflow continues the pipeline of a checkout."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from penstock.bootstrap.config import Question, make_context, supply_context
from penstock.engine.continuation import Compiler, ToCompile
from penstock.kit.marks import Mark
from penstock.language.circleci.continuation import compile_continuation
from penstock.model.diagnostic import Diagnostic, Severity, has_errors
from penstock.model.errors import InvalidError
from penstock.plan.plan import Plan
from penstock.plan.select import Selection

FILE = "continuation"
"""What stands for a file's name in findings: the config came from a job."""


def make_compiler(question: Question, selection: Selection, announce: Callable[[Plan], None]) -> Compiler:
    """The compiler for the continuation of a local pipeline, which narrows it to what was asked for.

    `announce` hears of the plan before it runs, in the thread of the job that continued.
    """

    def work(wanted: ToCompile) -> Plan:
        plan = compile_rest(question, wanted)
        if not has_errors(plan.diagnostics):
            plan = _narrow(plan, wanted.setup, selection)
        announce(plan)
        return plan

    return work


def compile_rest(question: Question, wanted: ToCompile) -> Plan:
    """The plan of the config a job handed in, with the arguments of the trigger and of the job."""
    lock = None if question.orb_lock is None else name_lock(question.orb_lock)
    question = msgspec.structs.replace(question, number=wanted.pipeline.number, orb_lock=lock)
    context = make_context(question, wanted.pipeline.parameters)
    context = msgspec.structs.replace(context, file=FILE)
    source = wanted.source.encode("utf-8", "surrogatepass")
    context = supply_context(source, context, question)
    return compile_continuation(source, context, wanted.setup, wanted.given)


def name_lock(lock: Path) -> Path:
    """The lock file of the orbs of a continuation, beside that of the setup config."""
    return lock.with_name(f"{lock.stem}.{FILE}{lock.suffix}")


def _narrow(plan: Plan, setup: Plan, selection: Selection) -> Plan:
    """The plan as far as it was asked for; a name that means nothing is a finding like any other."""
    try:
        return selection.narrow_rest(setup, plan)
    except InvalidError as error:
        finding = Diagnostic(
            severity=Severity.ERROR,
            code="unknown-selection",
            message=str(error),
            mark=Mark(FILE, 1, 1),
            hint="ask for what the setup config or this one has",
        )
        return msgspec.structs.replace(plan, workflows={}, diagnostics=(*plan.diagnostics, finding))
