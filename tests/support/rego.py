"""Modules of Rego, evaluated."""

from collections.abc import Mapping
from typing import Any

from penstock.policy.library import load_module
from penstock.policy.rego.errors import FaultError, RegoError
from penstock.policy.rego.program import Program, compile_modules, read_value
from penstock.policy.rego.read_module import read_module

LIBRARY = ("config_classes", "config_contexts", "config_orbs", "utils")


def compile_rules(rules: str, *, library: bool = False) -> tuple[Program, list[FaultError]]:
    """The rules of a package `org` as a program, and what is wrong with them."""
    faults: list[FaultError] = []
    modules = {"p": read_module(f"package org\n{rules}")}
    if library:
        modules |= {name: read_module(load_module(name)) for name in LIBRARY}
    return compile_modules(modules, faults, strict=["p"]), faults


def evaluate(
    rules: str, document: object = None, meta: object = None, *, library: bool = False
) -> Mapping[str, Any]:
    """The value of each rule of the package."""
    program, faults = compile_rules(rules, library=library)
    assert [str(each) for each in faults] == []
    context = program.open(document, {} if meta is None else {"meta": meta})
    return {name: read_value(context, each) for name, each in program.find_package("org").items()}


def ask(rules: str, *others: str, document: object = None, data: object = None) -> Any:  # noqa: ANN401 - any value
    """The value of the rule `p` of the package, which may use other modules and data; UNDEFINED for none."""
    texts = {"p": f"package org\n{rules}", **{f"other{at}": text for at, text in enumerate(others)}}
    faults: list[FaultError] = []
    program = compile_modules({name: read_module(text) for name, text in texts.items()}, faults)
    assert [str(each) for each in faults] == []
    return read_value(program.open(document, data or {}), program.find_package("org")["p"])


def refuse(rules: str, *, strict: bool = True) -> list[str]:
    """All that is wrong with the rules, as texts and as a program."""
    try:
        module = read_module(f"package org\n{rules}")
    except RegoError as error:
        return [str(error)]
    faults: list[FaultError] = []
    compile_modules({"p": module}, faults, strict=["p"] if strict else [])
    return [str(fault) for fault in faults]
