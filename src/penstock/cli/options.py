"""Options that several commands read the same way."""

import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

import msgspec

from penstock.kit.durations import parse_duration
from penstock.language.common.diagnostic import render
from penstock.model.diagnostic import Diagnostic
from penstock.model.errors import InvalidError
from penstock.model.project import SshKey


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


def read_keys(texts: Sequence[str]) -> tuple[SshKey, ...]:
    """The private SSH keys in files, given as `FILE` or `FILE:HOST`.

    Raises InvalidError with the name of the file when it cannot be read or is no key.
    """
    from penstock.forge.ssh_key import read_ssh_key

    keys = []
    for text in texts:
        name, colon, host = (text, "", "") if Path(text).exists() else text.rpartition(":")
        file = Path(name if colon else text)
        try:
            keys.append(read_ssh_key(file.read_bytes(), host if colon else ""))
        except OSError as error:
            raise InvalidError(f"cannot read {file}: {error.strerror}") from error
        except (InvalidError, UnicodeDecodeError) as error:
            raise InvalidError(f"{file}: {error}") from error
    return tuple(keys)


def read_secret_file(file: str) -> str:
    """The text of the file, of standard input for `-`, "" for no file.

    Raises InvalidError when it cannot be read.
    """
    if not file:
        return ""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError(f"{file} cannot be read: {error}") from error


def read_limit(text: str, option: str) -> float:
    """A duration like `90s`, `30m` or `1h30m` in seconds, infinite for `none`. Raises InvalidError."""
    if text == "none":
        return inf
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise InvalidError(f"{option} wants a duration like 30m, or none, not {text!r}") from error
    if seconds <= 0:
        raise InvalidError(f"{option} must be longer than nothing")
    return seconds


def show_diagnostics(findings: Sequence[Diagnostic]) -> None:
    """Write the findings to standard error as a person reads them, with an empty line between."""
    print("\n\n".join(render(finding) for finding in findings), file=sys.stderr)


def read_value(text: str) -> Any:  # noqa: ANN401 - any JSON
    """The value as JSON, else as text."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
