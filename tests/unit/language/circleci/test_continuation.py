"""A pipeline continues with a config that declares what it gets, and agrees with the setup config."""

from collections.abc import Mapping

import pytest

from penstock.language.circleci import compile as compile_config
from penstock.language.circleci.continuation import CONFLICT, compile_continuation
from penstock.language.common.context import Context
from penstock.plan.plan import Plan

COMMAND = "echo << pipeline.parameters.size >> << pipeline.in_setup >>"
JOBS = f"jobs: {{build: {{machine: true, steps: [run: {COMMAND}]}}}}\n"
SIZE = "parameters: {size: {type: string, default: small}}\n"
SETUP = f"version: 2.1\nsetup: true\n{SIZE}{JOBS}"
CONFIG = f"version: 2.1\n{SIZE}{JOBS}"


def continue_with(text: str, triggered: Mapping[str, str], given: Mapping[str, str]) -> Plan:
    context = Context(branch="main", parameters=triggered)
    setup = compile_config(SETUP, context)
    assert setup.setup, setup.diagnostics
    return compile_continuation(text, context, setup, given)


def read_command(plan: Plan) -> object:
    return getattr(plan.workflows["workflow"].jobs["build"].steps[0], "command", None)


@pytest.mark.parametrize(
    ("triggered", "given", "command"),
    [
        ({}, {}, "echo small false"), ({"size": "large"}, {}, "echo large false"),
        ({}, {"size": "huge"}, "echo huge false"),
    ],
)  # fmt: skip
def test_arguments_of_the_trigger_are_forwarded(
    triggered: Mapping[str, str], given: Mapping[str, str], command: str
) -> None:
    assert read_command(continue_with(CONFIG, triggered, given)) == command


def test_a_setup_config_knows_that_it_is_one() -> None:
    assert read_command(compile_config(SETUP, Context(branch="main"))) == "echo small true"


@pytest.mark.parametrize(
    ("text", "triggered", "given", "message"),
    [
        (CONFIG, {"size": "a"}, {"size": "b"}, CONFLICT),
        (CONFIG, {}, {"other": "b"}, "Unexpected argument(s): other"),
        (SETUP, {}, {}, "A pipeline continues only once: this is a setup config."),
        (
            CONFIG.replace("type: string, default: small", "type: boolean, default: true"), {}, {},
            "Parameter size is declared otherwise in the setup config: string.",
        ),
        ("version: 2.1\njobs: {build: {machine: true, steps: [checkout]}}\n", {"size": "a"}, {},
         "Unexpected argument(s): size"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(
    text: str, triggered: Mapping[str, str], given: Mapping[str, str], message: str
) -> None:
    plan = continue_with(text, triggered, given)
    assert message in [finding.message for finding in plan.diagnostics]
    assert not plan.workflows
