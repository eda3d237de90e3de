"""Rooms stay small: sizes of modules and functions, types and docstrings of public names.

The exception lists are compared by equality, so they can only shrink: what is mended must be struck off.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))

MODULE_LINES = 400
FUNCTION_LINES = 50
TYPICAL_FUNCTION_LINES = 25  # for nine functions of ten

LONG_MODULES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()

Definition = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return path.relative_to(ROOT / "src").as_posix()


def functions() -> Iterator[tuple[str, Definition]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Definition):
                yield f"{name_of(path)}:{node.name}", node


def length(node: Definition) -> int:
    """Lines of a function without its docstring."""
    first = node.body[0]
    docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    skipped = (first.end_lineno or 0) - first.lineno + 1 if docstring else 0
    return (node.end_lineno or 0) - node.lineno + 1 - skipped


def public_names() -> Iterator[tuple[str, Definition | ast.ClassDef]]:
    """Every public class and function at module level or in a public class."""
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        for node in tree.body:
            if isinstance(node, Definition | ast.ClassDef):
                if node.name.startswith("_"):
                    continue
                yield f"{name_of(path)}:{node.name}", node
                if isinstance(node, ast.ClassDef):
                    for member in node.body:
                        if isinstance(member, Definition) and not member.name.startswith("_"):
                            yield f"{name_of(path)}:{node.name}.{member.name}", member


def test_modules_fit_on_a_few_screens() -> None:
    long = {name_of(path) for path in SOURCES if path.read_text().count("\n") > MODULE_LINES}
    assert long == LONG_MODULES


def test_functions_fit_on_one_screen() -> None:
    long = {name for name, node in functions() if length(node) > FUNCTION_LINES}
    assert long == LONG_FUNCTIONS


def test_nine_functions_of_ten_are_short() -> None:
    lengths = sorted(length(node) for _, node in functions())
    assert lengths[len(lengths) * 9 // 10] <= TYPICAL_FUNCTION_LINES


def test_every_module_says_what_idea_it_holds() -> None:
    silent = {name_of(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))}
    assert silent == set()


def test_every_public_name_is_documented() -> None:
    silent = {name for name, node in public_names() if not ast.get_docstring(node)}
    assert silent == set()
