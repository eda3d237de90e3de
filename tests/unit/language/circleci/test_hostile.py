"""Configs made to hurt: small texts that would cost much are refused soon, with a place."""

import resource
import time
from collections.abc import Mapping

import pytest

from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context
from penstock.model.diagnostic import Severity

LONGEST = 10.0
"""Seconds of processor time; normal is far below one."""

BUILD = "jobs: {build: {machine: true, steps: [STEPS]}}\n"
J = "{machine: true, steps: [checkout]}"


def double_commands(depth: int, last: str) -> str:
    """Commands that each call the next one twice."""
    commands = [f"  c{n}: {{steps: [c{n + 1}, c{n + 1}]}}\n" for n in range(depth)]
    return f"commands:\n{''.join(commands)}  c{depth}: {{steps: [{last}]}}\n"


def grow_text(depth: int) -> str:
    """Commands that each pass on twice the text they were given."""
    commands = [
        f"  c{n}: {{parameters: {{t: {{type: string}}}}, steps: [c{n + 1}: "
        f'{{t: "<< parameters.t >><< parameters.t >>"}}]}}\n'
        for n in range(depth)
    ]
    last = f"  c{depth}: {{parameters: {{t: {{type: string}}}}, steps: [run: echo << parameters.t >>]}}\n"
    return f"commands:\n{''.join(commands)}{last}"


def bomb_aliases() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines) + "\n"


def use_jobs(entries: str, jobs: str = f"{{a: {J}}}") -> str:
    return f"jobs: {jobs}\nworkflows: {{w: {{jobs: [{entries}]}}}}\n"


ORB = "orbs: {o: a/o@1}\njobs: {build: {machine: true, steps: [o/c]}}\n"
REFUSED: Mapping[str, tuple[str, str]] = {
    "aliases in aliases": ("yaml-too-complex", bomb_aliases()),
    "deep lists": ("yaml-too-complex", "a: " + "[" * 50_000),
    "deep maps": ("yaml-too-complex", "a: " + "{a: " * 50_000),
    "deep logic": (
        "yaml-too-complex",
        BUILD.replace("STEPS", "when: {condition: " + "{not: " * 900 + "1" + "}" * 900 + ", steps: []}"),
    ),
    "steps that double": ("config-too-large", double_commands(35, "checkout") + BUILD.replace("STEPS", "c0")),
    "commands in commands": (
        "nested-too-deep",
        double_commands(60, "checkout").replace("[c", "[{unless: {condition: false, steps: [c")
        .replace("]}\n", "]}}]}\n") + BUILD.replace("STEPS", "c0"),
    ),
    "text that doubles": ("config-too-large", grow_text(30) + BUILD.replace("STEPS", "c0: {t: xxxxxxxx}")),
    "a command in itself": (
        "recursive-command", "commands: {c: {steps: [c]}}\n" + BUILD.replace("STEPS", "c"),
    ),
    "commands in a circle": (
        "recursive-command",
        "commands: {c: {steps: [d]}, d: {parameters: {s: {type: steps, default: [c]}}, "
        "steps: << parameters.s >>}}\n" + BUILD.replace("STEPS", "c"),
    ),
    "a command that passes itself": (
        "recursive-command",
        "commands: {c: {parameters: {s: {type: steps}}, steps: [c: {s: [c: {s: []}]}]}}\n"
        + BUILD.replace("STEPS", "c: {s: []}"),
    ),
    "jobs in a circle": ("recursive-job", "jobs: {a: b, b: a, build: a}\n"),
    "an orb in itself": ("recursive-orb", ORB),
    "a huge matrix": (
        "config-too-large",
        use_jobs("a: {matrix: {parameters: {" + ", ".join(
            f"p{n}: [{', '.join(map(str, range(50)))}]" for n in range(20)) + "}}}"),
    ),
    "a matrix of 129": (
        "matrix-too-large",
        use_jobs(f"a: {{matrix: {{parameters: {{p: {list(range(129))}}}}}}}",
                 "{a: {parameters: {p: {type: integer}}, machine: true, steps: [checkout]}}"),
    ),
    "a matrix of matrices": (
        "config-too-large",
        use_jobs(", ".join([f"a: {{matrix: {{parameters: {{p: {list(range(100))}}}}}}}"] * 30)),
    ),
    "many jobs in a circle": (
        "unreachable-jobs",
        use_jobs(", ".join(f"a: {{name: j{n}, requires: [j{(n + 1) % 1500}]}}" for n in range(1500))),
    ),
    "a pattern that explodes": (
        "slow-pattern", use_jobs("a: {filters: {branches: {only: '/(a|aa)+(b|bb)*(a|aa)+$x/'}}}"),
    ),
    "many patterns that take long": (
        "config-too-large",
        use_jobs(", ".join(
            f"a: {{name: j{n}, filters: {{branches: {{only: '/(a|aa)+(b|bb)*(a|aa)+$x{n}/'}}}}}}"
            for n in range(100))),
    ),
    "too many openings": ("too-many-expressions", BUILD.replace("STEPS", "run: '" + "<< x " * 20_000 + "'")),
    "a long expression": (
        "invalid-expression", BUILD.replace("STEPS", "run: << pipeline.number " + "== 1 " * 300 + ">>"),
    ),
    "deep brackets": (
        "invalid-expression",
        BUILD.replace("STEPS", "run: '<< " + "(" * 900 + "pipeline.number" + ")" * 900 + " >>'"),
    ),
    "many triggers": (
        "too-many-triggers",
        f"jobs: {{a: {J}}}\nworkflows:\n  w:\n    jobs: [a]\n    triggers: "
        "[&t {schedule: {cron: '* * * * *', filters: {branches: {only: main}}}}" + ", *t" * 100 + "]\n",
    ),
    "a long cron text": (
        "invalid-cron",
        f"jobs: {{a: {J}}}\nworkflows:\n  w:\n    jobs: [a]\n    triggers: "
        "[{schedule: {cron: '" + "1," * 10_000 + "1 * * * *', filters: {branches: {only: main}}}}]\n",
    ),
    "101 pipeline parameters": (
        "too-many-parameters",
        "parameters: {" + ", ".join(f"p{n}: {{type: string, default: x}}" for n in range(101)) + "}\n"
        + BUILD.replace("STEPS", "checkout"),
    ),
}  # fmt: skip

SLOW: Mapping[str, str] = {
    "sections in sections": "run: '" + "<<# pipeline.number >>" * 3000 + "'",
    "openings without an end": "run: '" + "<<" * 9_999 + "'",
    "long open text": "run: '" + ("<<" + "x" * 3000) * 300 + "'",
    "a text of closings": "run: '" + ">>" * 100_000 + "'",
    "backslashes": "run: '" + "\\" * 200_000 + "<<'",
    "a long name": "run: '<< pipeline." + "a" * 2000 + " >>'",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_config_made_to_hurt_is_refused_soon(name: str) -> None:
    code, config = REFUSED[name]
    orbs = {"a/o@1": "orbs: {o: a/o@1}\ncommands: {c: {steps: [checkout]}}\n"}
    branch = "a" * 200 if "pattern" in name else "main"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    plan = compile_config("version: 2.1\n" + config, Context(branch=branch, orbs=orbs))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < LONGEST
    errors = [finding for finding in plan.diagnostics if finding.severity is Severity.ERROR]
    assert code in [finding.code for finding in errors], [finding.message[:200] for finding in errors]
    assert all(finding.mark.line > 0 for finding in errors)
    assert not plan.workflows


@pytest.mark.parametrize("name", SLOW)
def test_a_text_made_to_hurt_is_read_soon(name: str) -> None:
    start = time.process_time()
    plan = compile_config("version: 2.1\n" + BUILD.replace("STEPS", SLOW[name]), Context(branch="main"))
    assert time.process_time() - start < LONGEST
    assert plan.workflows or plan.diagnostics
