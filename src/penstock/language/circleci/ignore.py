"""Comments that silence warnings: `# cci-ignore`, `# cci-ignore-start` to `# cci-ignore-end`."""

import re

from penstock.language.common.tree import Source
from penstock.model.diagnostic import Diagnostic, Severity

_COMMENT = re.compile(r"#\s*cci-ignore(-start|-end)?\s*$")


def drop_ignored(findings: tuple[Diagnostic, ...], source: Source) -> tuple[Diagnostic, ...]:
    """The findings without warnings and hints of silenced lines; errors stay, nothing could run anyway.

    A lone `# cci-ignore` silences the next line, one at the end of a line that line.
    """
    silent = _list_silent(source.text.splitlines())
    return tuple(
        finding
        for finding in findings
        if finding.severity is Severity.ERROR
        or finding.mark.file != source.file
        or finding.mark.line not in silent
    )


def _list_silent(lines: list[str]) -> set[int]:
    """The numbers of the silenced lines; a range without an end goes to the last one."""
    silent: set[int] = set()
    within = False
    for number, line in enumerate(lines, start=1):
        match = _COMMENT.search(line)
        if match is not None:
            within = match[1] == "-start" or (within and match[1] is None)
            if match[1] is None:
                silent.add(number + 1 if line.lstrip().startswith("#") else number)
        if within:
            silent.add(number)
    return silent
