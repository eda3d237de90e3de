"""Judging a config of 1,000 lines by 50 policies, in both processes, beside reading the config."""

import time
from pathlib import Path

import yaml

from bench.compile import make_config
from bench.figure import Figure
from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context
from penstock.policy.document import make_document
from penstock.policy.referee import Bounds, Referee

LINES = 1000
ROUNDS = 20
LIMIT = 100.0
"""Milliseconds of CPU."""


_META = b'{"project_id": "p1", "vcs": {"branch": "main"}}'

_RULES = (
    # every image of every job, as it is compiled
    """
r{n}[reason] {{
	image := input._compiled_.jobs[job].docker[_].image
	endswith(image, ":latest{n}")
	reason := sprintf("%s uses %s", [job, image])
}}
""",
    # every step of every job
    """
r{n}[reason] {{
	some job, step
	command := input._compiled_.jobs[job].steps[step].run.command
	contains(command, "curl http{n}://")
	reason := sprintf("%s.%v fetches in the clear", [job, step])
}}
""",
    # contexts, with the library
    """
r{n} = config.contexts_reserved_by_project_ids({{"p2"}}, {{"secret{n}"}})
""",
    # orbs, with the library
    """
r{n} = config.ban_orbs(["evil/orb{n}"])
""",
    # one look
    """
r{n} = "version 2.1 is wanted" {{ input.version != 2.1 }}
""",
)
_HEAD = """\
package org

import data.circleci.config

policy_name["p{n}"]

enable_rule["r{n}"]

hard_fail["r{n}"] {{ data.meta.vcs.branch == "main" }}

orbs{n} = config.orbs
"""


def make_policies() -> dict[str, str]:
    """Fifty policies: ten of each kind."""
    texts = (_HEAD + _RULES[at % len(_RULES)] for at in range(50))
    return {f"p{at}": text.format(n=at) for at, text in enumerate(texts)}


def run() -> list[Figure]:
    """All that a decision takes, when the other process knows the policies, and the first time."""
    source = make_config(LINES)
    plan = compile_config(source, Context(branch="main"))
    assert plan.compiled, plan.diagnostics
    floor = _measure_floor(source, plan.compiled)
    policies = make_policies()
    referee = Referee(Bounds(workers=1))
    try:
        first = _measure(referee, policies, source, plan.compiled)
        later = min(_measure(referee, policies, source, plan.compiled) for _ in range(ROUNDS))
    finally:
        referee.close()
    lines = source.count("\n")
    told = f"{floor:.0f} ms to load both texts with PyYAML's C loader"
    what = f"judge a config of {lines} lines by 50 policies, CPU of both processes"
    return [
        Figure(
            what=what,
            measured=f"{later:.0f} ms (the first time {first:.0f} ms)",
            floor=told,
            value=later,
            limit=LIMIT,
            unit="ms",
        )
    ]


def _measure(referee: Referee, policies: dict[str, str], source: str, compiled: str) -> float:
    """Milliseconds of CPU of one decision, in this process and its children."""
    began = time.process_time() + _measure_children()
    decision = referee.judge(policies, make_document(source, compiled), _META)
    assert decision.status == "PASS", decision
    assert len(decision.enabled_rules) == len(policies)
    return (time.process_time() + _measure_children() - began) * 1000


def _measure_children() -> float:
    """Seconds of CPU of processes that were started here and still run."""
    total = 0.0
    for each in Path("/proc/self/task").glob("*/children"):
        for pid in each.read_text().split():
            schedule = Path(f"/proc/{pid}/schedstat").read_text().split()
            total += int(schedule[0]) / 1e9
    return total


def _measure_floor(source: str, compiled: str) -> float:
    rounds = []
    for _ in range(5):
        began = time.process_time()
        for text in (source, compiled):
            yaml.load(text, Loader=yaml.CSafeLoader)
        rounds.append(time.process_time() - began)
    return min(rounds) * 1000
