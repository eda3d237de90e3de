"""Options that several commands read the same way."""

import sys
from collections.abc import Sequence
from pathlib import Path

from penstock.language.common.diagnostic import render
from penstock.model.diagnostic import Diagnostic
from penstock.model.errors import InvalidError


def split_pairs(pairs: Sequence[str], option: str) -> dict[str, str]:
    """`name=value` texts as a dict, later ones win. Raises InvalidError for a text without `=`."""
    split = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidError(f"{option} wants NAME=VALUE, not {pair!r}")
        split[name] = value
    return split


def read_variables(file: Path) -> dict[str, str]:
    """The variables of a file of `NAME=value` lines, as dotenv files are written; `$X` stays as it is.

    Raises InvalidError with the place when the file, or a line of it, cannot be read.
    """
    from dotenv.parser import parse_stream

    variables = {}
    try:
        with file.open(encoding="utf-8") as stream:
            for binding in parse_stream(stream):
                if binding.error:
                    place = f"{file}:{binding.original.line}"
                    raise InvalidError(f"{place}: not a line of the form NAME=value")
                if binding.key is not None:
                    variables[binding.key] = binding.value or ""
    except OSError as error:
        raise InvalidError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidError(f"cannot read {file}: it is not UTF-8 text") from error
    return variables


def show_diagnostics(findings: Sequence[Diagnostic]) -> None:
    """Write the findings to standard error as a person reads them, with an empty line between."""
    print("\n\n".join(render(finding) for finding in findings), file=sys.stderr)
