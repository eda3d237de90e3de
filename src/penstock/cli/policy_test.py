"""`penstock policy test`: whether policies decide as their tests say."""

import re
from collections.abc import Iterable, Mapping
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from penstock.bootstrap.config import DEFAULT_CONFIG, Question, compile_config
from penstock.cli.exit import Exit
from penstock.cli.remote.console import write_json, write_line
from penstock.forge.checkout import Checkout, read_checkout
from penstock.model.diagnostic import Severity
from penstock.model.errors import InvalidError, UnavailableError
from penstock.policy.referee import Referee
from penstock.policy.suite import Compile, Result, run_suite

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


_NAMES = {"passed": "Passed", "group": "Group", "name": "Name", "elapsed": "Elapsed", "millis": "ElapsedMS",
          "error": "Err"}  # fmt: skip


class _Line(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, rename=_NAMES):
    """A result with the vendor's names."""

    passed: bool
    group: str
    name: str = ""
    elapsed: str
    millis: int
    error: str = ""


def run_tests(
    folder: Path,
    /,
    *,
    json: Annotated[bool, Parameter(negative="")] = False,
    junit: Path | None = None,
    verbose: Annotated[bool, Parameter(negative="", alias="-v")] = False,
) -> int:
    """Run the tests of the policies of a folder, and of those below it; no server is asked.

    Exits with 1 when one fails.

    Parameters
    ----------
    folder
        The folder, with policies and beside them files that end in _test.yaml or _test.rego.
    json
        Print a line of JSON for each test.
    junit
        A file for the results in the form of JUnit.
    verbose
        Show tests that pass too.
    """
    referee = Referee()
    try:
        results = []
        for result in run_suite(folder, referee, _make_compiler(read_checkout(folder))):
            results.append(result)
            _show(result, json=json, verbose=verbose)
    finally:
        referee.close()
    tests = [each for each in results if each.name]
    passed = sum(each.passed for each in tests)
    if not json:
        write_line(f"{passed}/{len(tests)} tests passed ({sum(each.seconds for each in tests):.3f}s)")
    if junit is not None:
        _write_report(junit, results)
    return Exit.SUCCESS if all(each.passed for each in results) else Exit.FAILED


def _make_compiler(checkout: Checkout) -> Compile:
    """Compiles inputs of tests as configs of the checkout."""

    def compile_input(source: str, parameters: Mapping[str, object]) -> str:
        texts = {
            name: value if isinstance(value, str) else str(value).lower()
            for name, value in parameters.items()
        }
        question = Question(file=DEFAULT_CONFIG, checkout=checkout, parameters=texts)
        plan = compile_config(question, source.encode()).plan
        errors = [each.message for each in plan.diagnostics if each.severity is Severity.ERROR]
        if errors:
            raise InvalidError("\n".join(errors))
        return plan.compiled

    return compile_input


def _show(result: Result, *, json: bool, verbose: bool) -> None:
    if json:
        took = f"{result.seconds:.3f}s"
        write_json(
            _Line(
                passed=result.passed,
                group=result.group,
                name=result.name,
                elapsed=took,
                millis=int(result.seconds * 1000),
                error=result.error,
            )
        )
    elif not result.passed:
        write_line(f"FAIL  {result.name or result.group}")
        for line in result.error.splitlines():
            write_line(f"      {line}")
    elif verbose and result.name:
        write_line(f"ok    {result.name}  {result.seconds:.3f}s")
    elif verbose:
        write_line(f"?     {result.group}  {result.error}")


def _write_report(file: Path, results: Iterable[Result]) -> None:
    """The results as JUnit's XML, a suite for each group."""
    suites = [_write_suite(group, list(found)) for group, found in groupby(results, lambda each: each.group)]
    text = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites name="root">', *suites])
    try:
        file.write_text(f"{text}\n</testsuites>\n", "utf-8")
    except OSError as error:
        raise UnavailableError(f"cannot write {file}: {error.strerror}") from error


def _write_suite(group: str, results: list[Result]) -> str:
    tests = [each for each in results if each.name or not each.passed]
    failures = sum(not each.passed for each in tests)
    seconds = sum(each.seconds for each in tests)
    counts = f'tests="{len(tests)}" failures="{failures}" time="{seconds:.3f}"'
    head = f'  <testsuite name="{_quote(group)}" {counts}>'
    return "\n".join([head, *(_write_test(each) for each in tests), "  </testsuite>"])


def _write_test(result: Result) -> str:
    name = _quote(result.name or result.group)
    head = f'    <testcase classname="{_quote(result.group)}" name="{name}" time="{result.seconds:.3f}"'
    if result.passed:
        return f"{head}/>"
    return f'{head}><failure message="failed">{_quote(result.error)}</failure></testcase>'


def _quote(text: str) -> str:
    return escape(_CONTROL.sub("\ufffd", text))
