"""Golden folders: a config and what must come out of it, compared as readable text."""

import difflib
import json
from pathlib import Path

import msgspec

from penstock.language.common.context import Context
from penstock.language.common.diagnostic import render
from penstock.plan.plan import Plan, encode

OUTPUTS = ("plan.json", "diagnostics.txt", "processed.yml")


def read_context(folder: Path) -> Context:
    """The context of a case: its `context.json`, else the branch `main`."""
    path = folder / "context.json"
    return msgspec.json.decode(path.read_bytes(), type=Context) if path.exists() else Context(branch="main")


def show_plan(plan: Plan) -> dict[str, str]:
    """The texts of a plan by the name of their file; what is empty has none."""
    tree = json.loads(encode(plan))
    for key in ("diagnostics", "compiled", "language"):
        tree.pop(key, None)
    texts = {
        "plan.json": json.dumps(drop_marks(tree), indent=1, ensure_ascii=False) + "\n" if tree else "",
        "diagnostics.txt": "".join(render(finding) + "\n\n" for finding in plan.diagnostics).rstrip("\n")
        + "\n",
        "processed.yml": plan.compiled,
    }
    return {name: text for name, text in texts.items() if text.strip()}


def drop_marks(tree: object) -> object:
    """The tree without places, which every edit of a config would change."""
    if isinstance(tree, dict):
        return {key: drop_marks(value) for key, value in tree.items() if key != "mark"}
    return [drop_marks(value) for value in tree] if isinstance(tree, list) else tree


def check_golden(folder: Path, texts: dict[str, str], *, update: bool) -> None:
    """Fails with a diff when a folder's files differ from the texts; with `update` writes them instead."""
    differences = []
    for name in OUTPUTS:
        path, new = folder / name, texts.get(name, "")
        old = path.read_text() if path.exists() else ""
        if update:
            path.write_text(new) if new else path.unlink(missing_ok=True)
        elif old != new:
            lines = difflib.unified_diff(
                old.splitlines(), new.splitlines(), f"{name} (golden)", name, lineterm=""
            )
            differences.append("\n".join(lines))
    assert not differences, f"{folder.name}: run with --update-golden if this is right\n" + "\n".join(
        differences
    )
