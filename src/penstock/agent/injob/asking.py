"""The in-job commands that ask the agent something: `python -I -S asking.py continue|run oidc ARGUMENTS`.

This file runs alone. It hands the request to the agent (`agent/executor/desk.py`) through the folder named by
PENSTOCK_CONTROL: the request in a file, its name on the pipe `desk`, the answer in another file.
"""

import json
import os
import sys
import time
from typing import NoReturn

HELP = """Usage: circleci continue --config=FILE [--parameters=JSON|@FILE]

Continues the pipeline with the config in FILE. Only jobs of a setup workflow can, and only one of them.
"""
OIDC_HELP = """Usage: circleci run oidc get [--claims=JSON] [--root-issuer] [--ttl=TIME]

Prints an identity token of this job. Others learn from it what runs here, and believe it.

  --claims={"aud": "name"}  for whom it is meant; a list names several
  --root-issuer             issued in the name of the whole server, not of the organization
  --ttl=TIME                how long it is good for, as in 10m, at most as long as the project gives
"""
OPTIONS = ("config", "parameters")
WISHES = ("claims", "ttl")
REFUSALS = {
    "continue": "this job cannot continue its pipeline: only those of a setup workflow can",
    "identity": "this job gets no identity tokens: a server issues them, and none to code of forks",
}


def main(arguments: "list[str]") -> int:
    """Do what the first words say; returns the exit code."""
    if arguments[:1] == ["continue"]:
        return continue_pipeline(arguments[1:])
    return get_token(arguments[2:])


def get_token(arguments: "list[str]") -> int:
    """Print an identity token; returns the exit code."""
    if wants_help(arguments):
        sys.stdout.write(OIDC_HELP)
        return 0
    try:
        body = compose_wish(arguments)
    except ValueError as error:
        stop(str(error))
    status, _, text = post_body("identity", body).partition("\n")
    if status != "200":
        stop(json.loads(text)["message"])
    sys.stdout.write(json.loads(text)["message"] + "\n")
    return 0


def wants_help(arguments: "list[str] | tuple[str, ...]") -> bool:
    """True when somebody asks what there is."""
    return not arguments or bool({"--help", "-h", "help"} & set(arguments))


def compose_wish(arguments: "list[str] | tuple[str, ...]") -> bytes:
    """The request for an identity token. Raises ValueError for words that cannot be one."""
    if not arguments or arguments[0] != "get":
        raise ValueError("run oidc wants get")
    wish: dict[str, str | bool] = {}
    rest = iter(arguments[1:])
    for argument in rest:
        name, equals, value = argument.removeprefix("--").partition("=")
        if argument in {"--root-issuer", "--root-issuer=true"}:
            wish["root_issuer"] = True
        elif argument.startswith("--") and name in WISHES:
            wish[name] = value if equals else next(rest, "")
        else:
            raise ValueError(f"unknown argument {argument}")
    return json.dumps(wish).encode()


def continue_pipeline(arguments: "list[str]") -> int:
    """Continue the pipeline; returns the exit code.

    With `--request` the body of the request is on stdin, and status and body of the answer are printed.
    """
    if arguments == ["--request"]:
        sys.stdout.write(post_body("continue", sys.stdin.buffer.read()))
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
    status, _, text = post_body("continue", body).partition("\n")
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


def post_body(kind: str, body: bytes) -> str:
    """Hand the request of that kind to the agent and return its answer: a status, and below it JSON."""
    folder, name = os.environ.get("PENSTOCK_CONTROL", ""), f"{os.getpid()}-{time.monotonic_ns()}"
    request, pipe, answer = (
        os.path.join(folder, f"{part}-{name}")  # noqa: PTH118 - pathlib costs 5 ms
        for part in (kind, "answered", "answer")
    )
    try:
        bell = os.open(os.path.join(folder, "desk"), os.O_WRONLY | os.O_NONBLOCK)  # noqa: PTH118
    except OSError:
        stop(REFUSALS[kind])
    try:
        os.mkfifo(pipe)
        waiting = os.open(pipe, os.O_RDWR)
        with open(request, "wb") as file:  # noqa: PTH123
            file.write(body)
        os.write(bell, f"{kind}-{name}\n".encode())
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
