"""The compiler as a whole: places through calls, all findings at once, bounds, cost of importing."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context
from penstock.model.diagnostic import Diagnostic
from penstock.plan.plan import Plan

ROOT = Path(__file__).parents[4]
HEAD = "version: 2.1\n"
BUILD = "jobs: {build: {machine: true, steps: [c0]}}\n"


def compile_text(text: str, context: Context | None = None) -> Plan:
    return compile_config(text, context or Context(branch="main"))


def find_code(plan: Plan, code: str) -> Diagnostic:
    return next(finding for finding in plan.diagnostics if finding.code == code)


def test_a_mistake_in_a_command_is_where_the_command_is_written() -> None:
    text = (
        "version: 2.1\ncommands:\n  c:\n    parameters: {n: {type: string}}\n    steps:\n"
        "      - run:\n          command: x\n          when: << parameters.n >>\n"
        "jobs:\n  build:\n    machine: true\n    steps: [{c: {n: never}}]\n"
        "workflows:\n  main:\n    jobs: [build]\n"
    )
    finding = find_code(compile_text(text), "invalid-value")
    assert str(finding.mark) == ".circleci/config.yml:8:17"
    assert finding.source == "          when: << parameters.n >>"
    assert finding.scope == ("Error calling workflow: 'main'", "Error calling job: 'build'")


def test_calls_lead_to_a_mistake_from_the_outside_in() -> None:
    text = (
        f"{HEAD}commands:\n  a: {{steps: [b]}}\n  b: {{steps: [missing]}}\n"
        "jobs: {build: {machine: true, steps: [a]}}\n"
    )
    assert find_code(compile_text(text), "unknown-command").scope == (
        "Error calling workflow: 'workflow'",
        "Error calling job: 'build'",
        "Error calling command: 'a'",
        "Error calling command: 'b'",
    )


def test_a_mistake_that_is_met_often_is_reported_once() -> None:
    text = (
        f"{HEAD}commands: {{c: {{steps: [missing]}}}}\n"
        "jobs:\n  a: {machine: true, steps: [c, c]}\n  b: {machine: true, steps: [c]}\n"
        "workflows: {one: {jobs: [a, b]}, two: {jobs: [a, a]}}\n"
    )
    assert [finding.code for finding in compile_text(text).diagnostics] == ["unknown-command"]


def test_a_mistake_in_an_orb_is_in_the_orbs_file() -> None:
    orb = "commands:\n  c:\n    steps: [missing]\n"
    text = f"{HEAD}orbs: {{o: acme/o@1}}\njobs: {{build: {{machine: true, steps: [o/c]}}}}\n"
    plan = compile_text(text, Context(branch="main", orbs={"acme/o@1": orb}))
    assert str(find_code(plan, "unknown-command").mark) == "acme/o@1:3:13"


def test_a_plan_with_errors_has_no_workflows_and_no_text() -> None:
    plan = compile_text(f"{HEAD}jobs: {{build: {{machine: true, steps: [missing]}}}}\n")
    assert (plan.workflows, plan.compiled) == ({}, "")


def test_nodes_of_the_plan_know_where_they_were_written() -> None:
    plan = compile_text(
        f"{HEAD}jobs:\n  build: {{machine: true, steps: [checkout]}}\n"
        "workflows:\n  main:\n    jobs:\n      - build\n"
    )
    workflow = plan.workflows["main"]
    assert workflow.origin is not None
    assert str(workflow.origin.mark) == ".circleci/config.yml:5:3"
    origin = workflow.jobs["build"].origin
    assert origin is not None
    assert str(origin.mark) == ".circleci/config.yml:7:9"


def test_the_same_source_gives_the_same_plan() -> None:
    text = (ROOT / "tests/golden/circleci/41_matrix_requires/config.yml").read_text()
    assert compile_text(text) == compile_text(text)


def test_without_a_ref_every_job_runs() -> None:
    text = (
        f"{HEAD}jobs: {{j: {{machine: true, steps: [checkout]}}}}\n"
        "workflows: {main: {jobs: [{j: {filters: {branches: {only: main}}}}]}}\n"
    )
    assert compile_config(text, Context()).workflows["main"].jobs


TEN = ", ".join(["c{0}"] * 10)
BOMBS = {
    "commands that multiply": (
        "commands:\n"
        + "".join(f"  c{n}: {{steps: [{TEN.format(n + 1)}]}}\n" for n in range(12))
        + "  c12: {steps: [checkout]}\n"
        + BUILD,
        "config-too-large",
    ),
    "a chain of commands": (
        "commands:\n"
        + "".join(f"  c{n}: {{steps: [c{n + 1}]}}\n" for n in range(500))
        + "  c500: {steps: [checkout]}\n"
        + BUILD,
        "nested-too-deep",
    ),
    "a circle of commands": (
        "commands: {c0: {steps: [c1]}, c1: {steps: [c0]}}\n" + BUILD,
        "recursive-command",
    ),
    "text that doubles": (
        "commands:\n  c0: {steps: [{d0: {p: xxxxxxxx}}]}\n"
        + "".join(
            f"  d{n}: {{parameters: {{p: {{type: string}}}}, steps: [{{d{n + 1}: {{p: '<< parameters.p >>"
            "<< parameters.p >>'}}]}\n"
            for n in range(30)
        )
        + "  d30: {parameters: {p: {type: string}}, steps: [{run: << parameters.p >>}]}\n"
        + BUILD,
        "config-too-large",
    ),
    "a matrix with too many axes": (
        "jobs: {j: {machine: true, steps: [checkout]}}\nworkflows: {w: {jobs: [{j: {matrix: {parameters: {"
        + ", ".join(f"p{n}: [1, 2, 3, 4, 5, 6, 7, 8, 9]" for n in range(12))
        + "}}}}]}}\n",
        "config-too-large",
    ),
    "thousands of entries": (
        f"jobs: {{j: {{machine: true, steps: [checkout]}}}}\nworkflows: {{w: {{jobs: [{'j, ' * 5000}]}}}}\n",
        "config-too-large",
    ),
    "conditions in conditions": (
        "jobs: {build: {machine: true, steps: "
        + "[{when: {condition: true, steps: " * 38
        + "[{unless: {condition: false, steps: [{when: {condition: true, steps: [checkout]}}]}}]"
        + "}}]" * 38
        + "}}\n",
        "yaml-too-complex",
    ),
    "a long command called often": (
        (
            f"commands: {{c0: {{steps: [{{run: '{'x' * 2_000_000}'}}]}}}}\n"
            f"jobs: {{build: {{machine: true, steps: [{'c0, ' * 5000}]}}}}\n"
        ),
        "config-too-large",
    ),
    "a flood of brackets": (
        f"jobs: {{build: {{machine: true, steps: [{{run: '{'<<1>>' * 500_000}'}}]}}}}\n",
        "too-many-expressions",
    ),
    "brackets that never close": (
        f"jobs: {{build: {{machine: true, steps: [{{run: '{'<<' * 1_000_000}'}}]}}}}\n",
        "too-many-expressions",
    ),
    "a long condition": (
        (
            f"jobs: {{build: {{machine: true, steps: [checkout]}}}}\n"
            f"workflows: {{w: {{when: '{'true or ' * 200_000} true', jobs: [build]}}}}\n"
        ),
        "invalid-expression",
    ),
    "a slow regular expression": (
        "jobs: {j: {machine: true, steps: [checkout]}}\n"
        "workflows: {w: {when: {matches: {pattern: '(x+x+)+(x+x+)+y', value: "
        + "x" * 3000
        + "}}, jobs: [j]}}\n",
        "invalid-pattern",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_config_cannot_grow_without_bound(name: str) -> None:
    text, code = BOMBS[name]
    start = time.process_time()
    plan = compile_text(HEAD + text)
    assert code in [finding.code for finding in plan.diagnostics], plan.diagnostics[:3]
    assert time.process_time() - start < 4


def test_thousands_of_mistakes_end_soon() -> None:
    steps = "\n".join(f"      - missing-{n}" for n in range(20_000))
    start = time.process_time()
    plan = compile_text(f"{HEAD}jobs:\n  build:\n    machine: true\n    steps:\n{steps}\n")
    assert len(plan.diagnostics) == 500
    assert time.process_time() - start < 8


def test_importing_the_compiler_imports_nothing_that_is_seldom_needed() -> None:
    script = (
        "import sys, penstock.language.circleci; print(*{'regex', 'difflib', 'shlex'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", script]
    result = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, check=True, text=True
    )
    assert result.stdout.strip() == ""
