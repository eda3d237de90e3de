"""The command `circleci continue` inside a job: `python -I -S continuation.py ARGUMENTS`.

This file runs alone. It hands the request to the agent (`agent/executor/desk.py`) through the folder named by
PENSTOCK_CONTROL: the request in a file, its name on the pipe `continue`, the answer in another file.
"""

import json
import os
import sys
import time
from typing import NoReturn

HELP = """Usage: circleci continue --config=FILE [--parameters=JSON|@FILE]

Continues the pipeline with the config in FILE. Only jobs of a setup workflow can, and only one of them.
"""
OPTIONS = ("config", "parameters")


def main(arguments: "list[str]") -> int:
    """Continue the pipeline; returns the exit code.

    With `--request` the body of the request is on stdin, and status and body of the answer are printed.
    """
    if arguments == ["--request"]:
        sys.stdout.write(post_body(sys.stdin.buffer.read()))
        return 0
    if {"--help", "-h"} & set(arguments):
        sys.stdout.write(HELP)
        return 0
    options = read_options(arguments)
    if "config" not in options:
        stop("continue needs --config=FILE")
    config, parameters = read_file(options["config"]), options.get("parameters", "")
    if parameters.startswith("@"):
        parameters = read_file(parameters[1:])
    try:
        body = compose_body(os.environ.get("CIRCLE_CONTINUATION_KEY", ""), config, parameters)
    except ValueError as error:
        stop(str(error))
    status, _, text = post_body(body).partition("\n")
    (sys.stdout if status == "200" else sys.stderr).write(f"{json.loads(text)['message']}\n")
    return 0 if status == "200" else 1


def read_options(arguments: "list[str]") -> "dict[str, str]":
    """Options given as `--name=value` or `--name value`."""
    options: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or name not in OPTIONS:
            stop(f"unknown argument {argument}")
        options[name] = value if equals else next(rest, "")
    return options


def read_file(path: str) -> str:
    """The text of a file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib costs 5 ms
            return file.read()
    except OSError as error:
        stop(f"cannot read {path}: {error.strerror}")


def compose_body(key: str, config: str, parameters: str) -> bytes:
    """The request that continues a pipeline. Raises ValueError for what cannot be one."""
    if not key:
        raise ValueError("there is no CIRCLE_CONTINUATION_KEY: only jobs of a setup workflow have one")
    try:
        given = json.loads(parameters) if parameters.strip() else {}
    except ValueError:
        given = None
    if isinstance(given, dict):
        return json.dumps({"continuation-key": key, "configuration": config, "parameters": given}).encode()
    raise ValueError("--parameters must be a JSON object, or @FILE with one")


def post_body(body: bytes) -> str:
    """Hand the request to the agent and return its answer: a status, and below it JSON."""
    folder, name = os.environ.get("PENSTOCK_CONTROL", ""), f"{os.getpid()}-{time.monotonic_ns()}"
    request, pipe, answer = (
        os.path.join(folder, f"{kind}-{name}")  # noqa: PTH118 - pathlib costs 5 ms
        for kind in ("continue", "continued", "answer")
    )
    try:
        bell = os.open(os.path.join(folder, "continue"), os.O_WRONLY | os.O_NONBLOCK)  # noqa: PTH118
    except OSError:
        stop("this job cannot continue its pipeline: only those of a setup workflow can")
    try:
        os.mkfifo(pipe)
        waiting = os.open(pipe, os.O_RDWR)
        with open(request, "wb") as file:  # noqa: PTH123
            file.write(body)
        os.write(bell, f"{name}\n".encode())
        os.read(waiting, 1)
        with open(answer, encoding="utf-8") as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        stop(f"the agent cannot be asked: {error.strerror}")
    finally:
        for path in (request, pipe, answer):
            if os.path.exists(path):  # noqa: PTH110
                os.unlink(path)  # noqa: PTH108


def stop(message: str) -> NoReturn:
    """End with a message and exit code 1."""
    sys.stderr.write(f"Error: {message}\n")
    raise SystemExit(1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
