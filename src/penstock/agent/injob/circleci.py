"""The `circleci` and `circleci-agent` commands inside a job: `python -I -S circleci.py ARGUMENTS`.

This file runs alone and imports as little as it can, because configs call it in loops. It talks to the
agent through the folder named by PENSTOCK_CONTROL: `halt` asks for the end of the job, `timings.json`
holds seconds by name, `failed.json` the tests that alone are to run again. Rules: CircleCI docs, test
splitting and `circleci tests` help texts.
"""

import os
import re
import sys
from typing import NoReturn

HELP = """Usage: circleci COMMAND

  tests glob PATTERN...             print files that match, one a line; *, **, ?, [abc], {a,b}
  tests split [FILE]                print this node's share of the names in FILE or stdin
  tests run --command=COMMAND       give this node's share of the names in stdin to a command
  step halt                         end the job successfully after this step
  env subst [TEXT]                  replace $NAME and ${NAME} in TEXT or stdin
  run release plan|update|log       deploy markers: said in the log, not kept
  run oidc get [--claims={"aud": …}] [--root-issuer] [--ttl=TIME]
                                    print an identity token of this job
  continue --config=FILE [--parameters=JSON|@FILE]
                                    continue the pipeline of a setup workflow with the config in FILE

Options of split and run:
  --split-by=name|filesize|timings  what to balance (name)
  --timings-type=filename|classname|testname|autodetect
  --timings-file=FILE               seconds by name as JSON, instead of those of past runs
  --time-default=SECONDS            for names without a time (the average)
  --index=N --total=N               which share of how many (this node of all)
  --show-counts, --verbose          say how the names were divided
"""
VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-=+])([^}]*))?\})")
FLAGS = {"show-counts", "verbose", "help"}
CHOICES = {
    "split-by": ("name", "filesize", "timings"),
    "timings-type": ("filename", "classname", "testname", "autodetect"),
}
VALUES = {"index", "total", "time-default", "timings-file", "command", *CHOICES}


def main(arguments: "list[str]") -> int:
    """Run the command; returns its exit code."""
    if not arguments or arguments[0] in {"help", "--help", "-h"}:
        sys.stdout.write(HELP)
        return 0
    if arguments[0] == "version":
        sys.stdout.write("penstock in-job commands\n")
        return 0
    command = COMMANDS.get(" ".join(arguments[:2]))
    if command is None:
        stop(f"{' '.join(arguments[:2])!r} is no command here; `circleci --help` lists those there are")
    if arguments[0] == "run":
        return command(arguments[2:], {})
    words, options = read_options(arguments[2:])
    if "help" in options:
        sys.stdout.write(HELP)
        return 0
    return command(words, options)


def read_options(arguments: "list[str]") -> "tuple[list[str], dict[str, str]]":
    """Plain words, and options as `--name=value` or `--name value`; flags have the value `true`."""
    words: list[str] = []
    options: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("--") or argument == "--":
            words += [argument] if argument != "--" else list(rest)
            continue
        name, equals, value = argument[2:].partition("=")
        if name in FLAGS:
            options[name] = value or "true"
        elif name not in VALUES:
            stop(f"unknown option --{name}")
        else:
            options[name] = value if equals else next(rest, "")
        if name in CHOICES and options[name] not in CHOICES[name]:
            stop(f"--{name} must be one of {', '.join(CHOICES[name])}")
    return words, options


def warn(message: str) -> None:
    """Tell whoever reads the log."""
    sys.stderr.write(f"{message}\n")


def stop(message: str) -> NoReturn:
    """End with a message and exit code 1."""
    warn(f"Error: {message}")
    raise SystemExit(1)


def halt_step(_words: "list[str]", _options: "dict[str, str]") -> int:
    """Ask the agent to end the job after this step."""
    with open(os.path.join(control_folder(), "halt"), "w"):  # noqa: PTH118, PTH123 - pathlib costs 5 ms
        return 0


def control_folder() -> str:
    """The folder shared with the agent."""
    folder = os.environ.get("PENSTOCK_CONTROL")
    if not folder:
        stop("this command works only inside a job")
    return folder


def substitute_environment(words: "list[str]", _options: "dict[str, str]") -> int:
    """Print the text with variables replaced; unset ones become empty, or their default.

    As in a shell: `${X:-default}`, `${X:=default}`, `${X:+instead}`, and without the colon.
    """
    text = " ".join(words) + "\n" if words else sys.stdin.read()

    def replace(match: "re.Match[str]") -> str:
        value, operator = os.environ.get(match[1] or match[2]), match[3] or ""
        is_missing = value is None or (not value and operator.startswith(":"))
        if operator.endswith("+"):
            return "" if is_missing else match[4]
        return (match[4] or "") if is_missing else value or ""

    sys.stdout.write(VARIABLE.sub(replace, text))
    return 0


def mark_release(words: "list[str]", _options: "dict[str, str]") -> int:
    """Say what would be marked. Deploy markers are for people, so a job does not fail for want of them."""
    if not words or words[0] not in {"plan", "update", "log"}:
        stop("run release wants plan, update or log")
    warn(f"Deploy markers are not kept here, so this one goes unmarked: {' '.join(words)}")
    return 0


# Globs.


def glob_tests(patterns: "list[str]", _options: "dict[str, str]") -> int:
    """Print the files that match, sorted, each once."""
    found: set[str] = set()
    for pattern in patterns:
        for plain in expand_braces(pattern):
            found |= match_files(plain)
    sys.stdout.write("".join(f"{name}\n" for name in sorted(found)))
    return 0


def expand_braces(pattern: str) -> "list[str]":
    """`a{b,c}` as `ab` and `ac`; braces nest."""
    start = pattern.find("{")
    depth, parts, begin = 0, [], start + 1
    for position in range(max(start, 0), len(pattern)):
        character = pattern[position]
        depth += (character == "{") - (character == "}")
        if (character == "," and depth == 1) or (character == "}" and depth == 0):
            parts.append(pattern[begin:position])
            begin = position + 1
        if character == "}" and depth == 0:
            tails = expand_braces(pattern[position + 1 :])
            heads = [pattern[:start] + inner for part in parts for inner in expand_braces(part)]
            return [head + tail for head in heads for tail in tails]
    return [pattern]


def match_files(pattern: str) -> "set[str]":
    """Files that match a pattern without braces."""
    if not re.search(r"[*?\[]", pattern):
        return {pattern} if os.path.isfile(pattern) else set()  # noqa: PTH113 - pathlib costs 5 ms
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0].rpartition("/")[0]
    top = fixed or ("/" if pattern.startswith("/") else ".")
    wanted = re.compile(translate_glob(pattern))
    found: set[str] = set()
    for folder, _, files in os.walk(top, followlinks=False):
        prefix = "" if folder == "." else folder.removeprefix("./").rstrip("/") + "/"
        found |= {prefix + name for name in files if wanted.fullmatch(prefix + name)}
    return found


def translate_glob(pattern: str) -> str:
    """A regular expression; `**` crosses folders, `*` and `?` do not."""
    out, position = "", 0
    pattern = pattern.removeprefix("./")
    while position < len(pattern):
        if pattern.startswith("**/", position):
            out, position = out + r"(?:[^/]+/)*", position + 3
        elif pattern.startswith("**", position):
            out, position = out + ".*", position + 2
        elif pattern[position] in "*?":
            out, position = out + ("[^/]*" if pattern[position] == "*" else "[^/]"), position + 1
        elif pattern[position] == "[" and (end := pattern.find("]", position + 2)) > 0:
            body = pattern[position + 1 : end].replace("\\", "\\\\")
            out, position = out + f"[{'^' + body[1:] if body[0] in '!^' else body}]", end + 1
        else:
            out, position = out + re.escape(pattern[position]), position + 1
    return out


# Splitting.


def split_tests(words: "list[str]", options: "dict[str, str]") -> int:
    """Print this node's share."""
    sys.stdout.write("".join(f"{name}\n" for name in choose_share(words[:1], options)))
    return 0


def run_tests(_words: "list[str]", options: "dict[str, str]") -> int:
    """Give this node's share to the command on its stdin; returns the command's exit code."""
    if not options.get("command"):
        stop("tests run needs --command")
    share = choose_share([], options, again=True)
    if "verbose" in options:
        warn(f"Running {len(share)} tests")
    if not share:
        warn("No tests were assigned to this node")
        return 0
    import subprocess

    text = "".join(f"{name}\n" for name in share)
    shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"  # noqa: PTH110 - pathlib costs 5 ms
    return subprocess.run([shell, "-c", options["command"]], input=text.encode(), check=False).returncode


def choose_share(files: "list[str]", options: "dict[str, str]", *, again: bool = False) -> "list[str]":
    """The names this node runs, with `again` only those that failed before, if that is what is wanted.

    Every node computes the same division.
    """
    index = read_number(options, "index", "CIRCLE_NODE_INDEX", 0)
    total = read_number(options, "total", "CIRCLE_NODE_TOTAL", 1)
    if not 0 <= index < total:
        stop(f"--index must be from 0 to {total - 1}, not {index}")
    names = read_names(files)
    if again:
        names = choose_failed(names, options)
    weights = weigh_names(names, options)
    shares = divide_by_weight(weights, total) if weights else [sorted(names)[n::total] for n in range(total)]
    if "show-counts" in options or "verbose" in options:
        for number, share in enumerate(shares):
            warn(f"Node {number}: {len(share)} tests")
    return shares[index]


def choose_failed(names: "list[str]", options: "dict[str, str]") -> "list[str]":
    """The names that failed before, when only those are to run again; all of them otherwise."""
    import json

    try:
        with open(os.path.join(control_folder(), "failed.json")) as file:  # noqa: PTH118, PTH123 - the same
            failed = {kind: dict.fromkeys(each, 0.0) for kind, each in json.load(file).items()}
    except FileNotFoundError:
        return names
    again = find_known(names, choose_kind(names, failed, options))
    if not again:
        warn("None of these tests failed before: all of them run")
        return names
    warn(f"Only the tests that failed before run again: {len(again)} of {len(names)}")
    return list(again)


def read_number(options: "dict[str, str]", name: str, variable: str, default: int) -> int:
    """A number from an option, else from a variable, else the default."""
    text = options.get(name) or os.environ.get(variable) or str(default)
    if not text.isdecimal():
        stop(f"--{name} must be a number, not {text!r}")
    return int(text)


def read_names(files: "list[str]") -> "list[str]":
    """Names from a file or stdin, one a line, each once."""
    if not files:
        return list(dict.fromkeys(line.strip() for line in sys.stdin if line.strip()))
    try:
        with open(files[0]) as file:  # noqa: PTH123 - pathlib costs 5 ms
            return list(dict.fromkeys(line.strip() for line in file if line.strip()))
    except OSError as error:
        stop(f"cannot read {files[0]}: {error.strerror}")


def weigh_names(names: "list[str]", options: "dict[str, str]") -> "dict[str, float]":
    """What each name weighs; nothing when they are divided by name."""
    by = options.get("split-by") or ("timings" if "timings-type" in options else "name")
    if by == "filesize":
        return {name: float(measure_file(name)) for name in names}
    if by != "timings":
        return {}
    known = find_known(names, choose_kind(names, load_timings(options), options))
    if not known:
        message = "Error auto-detecting timing type, falling back to weighting by name."
        warn(message)
        return {}
    default = read_default(options, sum(known.values()) / len(known))
    return {name: known.get(name, default) for name in names}


def choose_kind(
    names: "list[str]", by_kind: "dict[str, dict[str, float]]", options: "dict[str, str]"
) -> "dict[str, float]":
    """What is known under names of the kind asked for; `autodetect` takes the kind that knows most."""
    wanted = options.get("timings-type") or ("autodetect" if "command" in options else "filename")
    if wanted != "autodetect":
        return by_kind.get(wanted, {})
    return max(by_kind.values(), key=lambda known: len(find_known(names, known)), default={})


def find_known(names: "list[str]", known: "dict[str, float]") -> "dict[str, float]":
    """The names with what is known of them, spelt as it is or without `./`."""
    found: dict[str, float] = {}
    for name in names:
        spelt = (name, name.removeprefix("./"), f"./{name}")
        found.update((name, known[each]) for each in spelt[::-1] if each in known)
    return found


def read_default(options: "dict[str, str]", average: float) -> float:
    """Seconds for unknown names: `--time-default` as a number or with a unit, else the average."""
    text = options.get("time-default")
    if not text:
        return average
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", text)
    if match is None:
        stop(f"--time-default must be like 10s, not {text!r}")
    return float(match[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}[match[2] or "s"]


def load_timings(options: "dict[str, str]") -> "dict[str, dict[str, float]]":
    """Seconds by name for each kind of names, of past runs; those of a file hold for every kind."""
    import json

    path = options.get("timings-file") or os.path.join(control_folder(), "timings.json")  # noqa: PTH118
    try:
        with open(path) as file:  # noqa: PTH123 - pathlib costs 5 ms
            read = json.load(file)
        if all(isinstance(each, dict) for each in read.values()):
            return {kind: {str(name): float(each[name]) for name in each} for kind, each in read.items()}
        flat = {str(name): float(seconds) for name, seconds in read.items()}
        return dict.fromkeys(("filename", "classname", "testname"), flat)
    except FileNotFoundError:
        if "timings-file" in options:
            stop(f"there is no file {path}")
        return {}
    except (ValueError, AttributeError, TypeError):
        stop(f"{path} must hold a JSON object with seconds by name")


def measure_file(name: str) -> int:
    """Bytes of a file, 0 when it is missing."""
    try:
        return os.stat(name).st_size  # noqa: PTH116 - pathlib costs 5 ms
    except OSError:
        return 0


def divide_by_weight(weights: "dict[str, float]", total: int) -> "list[list[str]]":
    """The heaviest first, each to the node with the least so far; ties go by name and node number."""
    shares: list[list[str]] = [[] for _ in range(total)]
    loads = [0.0] * total
    for name in sorted(weights, key=lambda name: (-weights[name], name)):
        node = min(range(total), key=lambda number: (loads[number], len(shares[number]), number))
        shares[node].append(name)
        loads[node] += weights[name]
    return shares


COMMANDS = {
    "tests glob": glob_tests,
    "tests split": split_tests,
    "tests run": run_tests,
    "step halt": halt_step,
    "task halt": halt_step,
    "env subst": substitute_environment,
    "run release": mark_release,
}


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # `circleci tests glob … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 0
    raise SystemExit(code)
