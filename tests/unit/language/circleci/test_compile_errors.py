"""Every text of the vendor's compiler has its counterpart here: a finding with a place and a way out."""

import json
import re
from collections.abc import Mapping

import msgspec
import pytest

from penstock.language.circleci import compile as compile_config
from penstock.language.circleci.continuation import compile_continuation
from penstock.language.common.context import Context
from penstock.model.diagnostic import Diagnostic
from tests.support.shared_data import find_shared

JOB = "version: 2.1\njobs: {build: {machine: true, steps: [STEPS]}}\n"
UPLOAD = "commands: {upload: {parameters: {target: {type: string}, file-spec: {type: string}}, steps: []}}\n"
CYCLE = "{a: {name: x, requires: [y]}}, {a: {name: y, requires: [x]}}"
NUMBER = "commands: {c: {parameters: {n: {type: integer}}, steps: []}}\n"
CIRCLE = """version: 2.1
jobs: {a: {machine: true, steps: [checkout]}}
workflows: {w: {jobs: [JOBS]}}
"""


class Provoked(msgspec.Struct, frozen=True):
    """A config that provokes the text, and the code of our finding.

    `same` says that our text is the vendor's; `why` in what it differs when it is not. A finding without
    a `hint` says by itself what to do.
    """

    config: str
    code: str
    same: bool = True
    why: str = ""
    hint: bool = True


def call_steps(steps: str, extra: str = "") -> str:
    return JOB.replace("STEPS", steps) + extra


def call_jobs(jobs: str) -> str:
    return CIRCLE.replace("JOBS", jobs)


PROVOKED: Mapping[str, Provoked] = {
    "Error calling workflow: '<wf>'": Provoked(call_jobs("nope"), "unknown-job"),
    "Error calling job: '<job>'": Provoked(call_steps("nope"), "unknown-command"),
    "Error calling command: '<cmd>'": Provoked(
        call_steps("c", "commands: {c: {steps: [nope]}}"), "unknown-command"
    ),
    "Error calling upload: Missing required argument(s): file-spec, target": Provoked(
        call_steps("upload", UPLOAD), "missing-argument", same=False, why="the wording of 2018"
    ),
    "Missing required argument(s): <a>, <b>": Provoked(call_steps("upload", UPLOAD), "missing-argument"),
    "Unexpected argument(s): <a>": Provoked(call_jobs("a: {x: 1}"), "unexpected-argument"),
    "Type error for argument <p>: expected type: <t>, actual value: <yaml value> (type <t2>)": Provoked(
        call_steps("c: {n: '1'}", NUMBER), "argument-type"
    ),
    "Arguments referenced without declared parameters: <p>": Provoked(
        call_steps("run: << parameters.x >>"), "undeclared-parameter"
    ),
    "Cannot find a definition for job named <x>": Provoked(call_jobs("nope"), "unknown-job"),
    "Cannot find a definition for command named <x>": Provoked(call_steps("nope"), "unknown-command"),
    "Cannot find a definition for executor named <x>": Provoked(
        "version: 2.1\njobs: {build: {executor: nope, steps: [checkout]}}", "unknown-executor"
    ),
    "Cannot find orb '<o>' looking for executor named '<o>/<e>'": Provoked(
        "version: 2.1\njobs: {build: {executor: o/e, steps: [checkout]}}", "unknown-orb"
    ),
    "Cannot find <ns>/<orb>@<ver> in the orb registry. "
    "Check that the namespace, orb name and version are correct.": Provoked(
        call_steps("o/c", "orbs: {o: acme/o@1}"), "orb-unavailable", same=False,
        why="there are several places an orb may come from; the finding says where it was looked for",
    ),
    "Job '<a>' requires '<b>', which is the name of 0 other jobs in workflow '<wf>'": Provoked(
        call_jobs("a: {requires: [b]}"), "unknown-requires"
    ),
    "At least one job in the workflow must have no dependencies.": Provoked(
        call_jobs(CYCLE),
        "no-first-job",
    ),
    "The following jobs are unreachable: <a>, <b>": Provoked(
        call_jobs(CYCLE),
        "unreachable-jobs",
    ),
    "Unsupported or missing workflows config version": Provoked("jobs: {}", "unsupported-version"),
    "There are no workflows or build jobs in the config.": Provoked(
        "version: 2.1\njobs: {a: {machine: true, steps: [checkout]}}", "no-workflows"
    ),
    "All Workflows have been filtered from this Pipeline.": Provoked(
        CIRCLE.replace("JOBS]", "a], when: false"), "all-workflows-filtered", hint=False
    ),
    "No Jobs have been run.": Provoked(CIRCLE.replace("JOBS]", "a], when: false"), "no-jobs", hint=False),
    'Referred to a variable "pipeline.parameters.<x>" that does not exist:': Provoked(
        call_steps("run: << pipeline.parameters.bug >>"), "unknown-variable", same=False,
        why="the line and the caret are shown with every finding, so that its text ends without a colon",
    ),
    "Expressions must be less than 2048 characters.": Provoked(
        call_steps("run: 'cat << EOF" + "x" * 2050 + "'"), "expression-too-long"
    ),
    "Invalid regular expression: <re>: Invalid pattern.": Provoked(
        call_jobs("a: {filters: {branches: {only: /(/}}}"), "invalid-pattern"
    ),
    "Unable to parse YAML": Provoked("a: [", "yaml-syntax"),
    "mapping values are not allowed here": Provoked("a: b: c", "yaml-syntax"),
    "found undefined alias": Provoked("a: *b", "undefined-alias"),
    "found duplicate key <k>": Provoked("version: 2.1\nversion: 2.1", "duplicate-key"),
    "[#/<path>] 0 subschemas matched instead of one": Provoked(
        "version: 2.1\njobs: {build: {steps: [checkout]}}", "no-executor"
    ),
    "[#/<path>] only 1 subschema matches out of 2": Provoked(
        "version: 2.1\njobs: {build: 5}", "wrong-type", same=False,
        why="a line of a report as a tree; here the innermost findings are reported, each for itself",
    ),
    "[#/<path>] extraneous key [<k>] is not permitted": Provoked(
        "version: 2.1\njobs: {build: {machine: true, filters: {}, steps: [checkout]}}", "unknown-key"
    ),
    "[#/<path>] required key [<k>] not found": Provoked(
        "version: 2.1\njobs: {build: {machine: true}}", "required-key"
    ),
    "[#/<path>] expected type: <T>, found: <U>": Provoked(
        "version: 2.1\njobs: {build: {machine: true, steps: {run: x}}}", "wrong-type"
    ),
    "[#/<path>] Input not a valid enum value": Provoked(call_steps("run"), "step-needs-arguments"),
    "[#/<path>] maximum size: [1], found: [2]": Provoked(
        "version: 2.1\njobs: {build: {machine: true, steps: [{run: , command: x}]}}", "step-size"
    ),
    "[#/workflows/when] subject must not be valid against schema "
    "{\"description\":\"cannot use both 'when' and 'unless'\",...}": Provoked(
        CIRCLE.replace("JOBS]", "a], when: true, unless: false"), "when-and-unless", same=False,
        why="the path is that of the workflow that has both; `when` below `workflows:` itself is told apart",
    ),
    "Failed to fetch config.yml file.": Provoked(
        "", "not-a-config", same=False, why="here a config comes from a checkout; an empty one is reported"
    ),
}  # fmt: skip

ELSEWHERE = {
    "ERROR IN CONFIG FILE:": "the first line of a report; here each finding has a place of its own",
    "[#/<path>] <n> schema violations found": "the count of a report as a tree; findings stand side by side",
    "Any string key is allowed as job name.": "a hint of such a report; ours name what is expected",
    "Job may be a string reference to another job": "the same",
    '{run "..."} is shorthand for `{run {command "..."}}`': "the same",
    "Cannot find a job named `build` to run in the `jobs:` section of your configuration file.":
        "of the vendor's local agent, which runs one job; here `no-workflows` says it when compiling",
    "Resource class <executor> for <class>, image <image> is not available for your project, or is not a "
    "valid resource class. This message will often appear if the pricing plan for this project does not "
    "support <executor> use.": "of the run time: there are no plans here, and agents say what they can run",
    "free-plan-resource-class-unavailable": "of the vendor's plans",
    "Conflicting pipeline parameters.": "of a continuation: see the test below",
}  # fmt: skip
"""Texts that are not of a compiler's finding."""


def find_answer(case: Provoked) -> Diagnostic:
    findings = compile_config(case.config, Context(branch="main")).diagnostics
    codes = [finding.code for finding in findings]
    assert case.code in codes, (codes, case.config)
    return findings[codes.index(case.code)]


@pytest.mark.parametrize("text", PROVOKED, ids=lambda text: text[:60])
def test_a_text_of_the_vendor_has_a_finding_with_a_place_and_a_way_out(text: str) -> None:
    case = PROVOKED[text]
    finding = find_answer(case)
    assert finding.mark.file
    assert finding.mark.line > 0
    assert finding.mark.column > 0
    assert bool(finding.hint) is case.hint
    pattern = re.sub(r"<\w+(?:\\ \w+)?>", ".+", re.escape(text)).replace("/.+\\]", "/?.*\\]")
    said = " ".join((*finding.scope, finding.message))
    assert bool(re.search(pattern, said)) is case.same, (pattern, said)
    assert bool(case.why) is not case.same


def test_the_table_knows_every_text_of_the_collection() -> None:
    texts = {entry["text"] for entry in json.loads(find_shared("circleci/compile_errors.json").read_text())}
    assert texts <= PROVOKED.keys() | ELSEWHERE.keys()
    assert not PROVOKED.keys() & ELSEWHERE.keys()


def test_a_parameter_given_at_the_trigger_and_at_the_continuation_is_in_conflict() -> None:
    config = call_jobs("a") + "parameters: {p: {type: string, default: x}}\n"
    setup = compile_config(config, Context(branch="main"))
    plan = compile_continuation(config, Context(branch="main", parameters={"p": "1"}), setup, {"p": "2"})
    assert "Conflicting pipeline parameters." in [finding.message for finding in plan.diagnostics]
