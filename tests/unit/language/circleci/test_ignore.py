"""Comments that silence warnings reach the lines they are for, and never an error."""

import pytest

from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context

HEAD = "version: 2.1\njobs:\n  build: {machine: true, steps: [checkout]}\n"


def list_codes(text: str) -> list[str]:
    return [finding.code for finding in compile_config(text, Context(branch="main")).diagnostics]


@pytest.mark.parametrize(
    "lines",
    [
        "  extra: {machine: true, steps: [checkout]} # cci-ignore\n",
        "  # cci-ignore\n  extra: {machine: true, steps: [checkout]}\n",
        "  # cci-ignore-start\n\n  extra: {machine: true, steps: [checkout]}\n  # cci-ignore-end\n",
        "  # cci-ignore-start\n  extra: {machine: true, steps: [checkout]}\n",
    ],
)
def test_a_silenced_line_has_no_warnings(lines: str) -> None:
    tail = "workflows: {main: {jobs: [build]}}\n"
    assert list_codes(HEAD + lines + tail) == []
    assert list_codes(HEAD + lines.replace("cci-ignore", "other") + tail) == ["unused-definition"]


def test_errors_cannot_be_silenced() -> None:
    text = HEAD + "workflows: {main: {jobs: [missing]}} # cci-ignore\n"
    assert "unknown-job" in list_codes(text)
