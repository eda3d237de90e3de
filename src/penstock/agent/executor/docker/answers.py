"""Answers the `circleci` commands of containers, which may have nothing but a shell.

A request is a file with zero-ended words and the command's input; the answer is a shell script that the
command runs. What the host's own command can do, it does here, in a process of its own.
"""

import os
import re
import select
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import msgspec

from penstock.agent.executor.docker.control import ControlFolder
from penstock.agent.injob.asking import OIDC_HELP, compose_body, compose_wish, wants_help
from penstock.agent.injob.circleci import VALUES, VARIABLE, expand_braces, translate_glob
from penstock.agent.reply import Answers, Errand, answer
from penstock.model.errors import PenstockError, RefusedError

SLOTS = 16
_LONGEST = 16  # bytes of a line the command writes; others are of no use
_PARTS = 3  # of what a continuation is made of
_COMMAND = Path(__file__).parents[2] / "injob" / "circleci.py"
_OPTION = re.compile(r"--(?P<name>[\w-]+)(?:=(?P<value>.*))?", re.DOTALL)


class Question(msgspec.Struct, frozen=True):
    """What a command was asked to do: its words, the node's place among all, its folder, its input."""

    words: tuple[str, ...]
    index: str
    total: str
    directory: str
    input: bytes


class Lookup(msgspec.Struct, frozen=True):
    """How files of the container are seen: sizes (0 when missing) and contents by absolute path."""

    measure: Callable[[str], int]
    read: Callable[[str], bytes]


class AnswerService:
    """A thread that answers one container's commands until it is closed."""

    def __init__(self, control: ControlFolder, lookup: Lookup) -> None:
        self._control = control
        self._lookup = lookup
        self._ask = control.make_pipe("ask", both=True)
        self._answered = [control.make_pipe(f"answered-{slot}", both=True) for slot in range(SLOTS)]
        self.replies: Answers = {}
        self._closed = False
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._serve, name="penstock-answers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nothing is answered any more."""
        self._closed = True
        os.close(self._wake)
        self._thread.join()
        for descriptor in (self._woken, self._ask, *self._answered):
            os.close(descriptor)

    def _serve(self) -> None:
        heard = b""
        while self._woken not in select.select([self._ask, self._woken], [], [])[0]:
            *lines, heard = (heard[-_LONGEST:] + os.read(self._ask, 4096)).split(b"\n")
            for line in lines:
                verb, _, number = line.decode(errors="replace").partition(" ")
                if number.isdecimal() and int(number) < SLOTS and not self._closed:
                    self._heed(verb, int(number))

    def _heed(self, verb: str, slot: int) -> None:
        if verb == "ask":
            try:
                question = read_question(self._control.read(f"request-{slot}"))
                if question.words[:1] == ("continue",):
                    script = answer_continuation(question, self.replies)
                elif question.words[:2] == ("run", "oidc"):
                    script = answer_wish(question, self.replies)
                else:
                    script = answer_question(question, self._lookup, self._control)
            except (PenstockError, OSError, ValueError) as error:
                script = f"echo {shlex.quote(f'Error: {error}')} >&2\nps_code=1\n"
            with suppress(PenstockError, OSError):  # the job destroyed its own slot
                self._control.write(f"answer-{slot}", script.encode())
            with suppress(BlockingIOError):
                os.write(self._answered[slot], b"0\n")
        elif verb == "done":
            for name in ("request", "answer", "taken"):
                self._control.drop(f"{name}-{slot}")


def read_question(data: bytes) -> Question:
    """The request as `circleci.sh` writes it. Raises ValueError when it is something else."""
    count, _, rest = data.partition(b"\0")
    *words, given = rest.split(b"\0", int(count) + 3)
    index, total, directory = (os.fsdecode(word) for word in words[-3:])
    return Question(
        words=tuple(os.fsdecode(word) for word in words[:-3]),
        index=index,
        total=total,
        directory=directory,
        input=given,
    )


def answer_question(question: Question, lookup: Lookup, control: ControlFolder) -> str:
    """The script that does what the command was asked for; it sets `ps_code`."""
    match question.words[:2]:
        case ("tests", "glob"):
            return _print_text(os.fsencode(choose_files(question)))
        case ("env", "subst"):
            return write_substitution(question)
        case ("tests", "split"):
            return _show(_split(question, join_options(question.words[2:]), lookup, control))
        case ("tests", "run"):
            return _run_share(question, lookup, control)
        case _:
            return _show(_call(question.words, question, {}))


def answer_wish(question: Question, answers: Answers) -> str:
    """The script that prints an identity token, or why there is none. Raises ValueError for wrong words."""
    words = question.words[2:]
    if wants_help(words):
        return f"{_print_text(OIDC_HELP.encode())}ps_code=0\n"
    reply = answer(answers, Errand.IDENTITY, compose_wish(words))
    if reply.status == HTTPStatus.OK:
        return _print_text(f"{reply.message}\n".encode()) + "ps_code=0\n"
    return _print_text(f"Error: {reply.message}\n".encode(), 2) + "ps_code=1\n"


def answer_continuation(question: Question, answers: Answers) -> str:
    """The script that says what became of the request to continue the pipeline.

    Without `--request` the input is what the request is made of: key, config and parameters, apart by zero
    bytes. Raises ValueError for what cannot be a request.
    """
    if Errand.CONTINUE not in answers:
        raise RefusedError(answer(answers, Errand.CONTINUE, b"").message)
    if question.words[1:] == ("--request",):
        continued = answer(answers, Errand.CONTINUE, question.input)
        body = msgspec.json.encode({"message": continued.message})
        return _print_text(f"{continued.status}\n".encode() + body)
    parts = question.input.split(b"\0")
    if len(parts) != _PARTS:
        raise ValueError("continue needs --config=FILE, and files that can be read")
    key, config, parameters = (part.decode("utf-8", "replace") for part in parts)
    continued = answer(answers, Errand.CONTINUE, compose_body(key, config, parameters))
    good = continued.status == HTTPStatus.OK
    text = _print_text(f"{continued.message}\n".encode(), 1 if good else 2)
    return f"{text}ps_code={int(not good)}\n"


def choose_files(question: Question) -> str:
    """The files of the input that match one of the patterns, sorted, a line each."""
    plain = [each for pattern in question.words[2:] for each in expand_braces(pattern)]
    wanted = [re.compile(translate_glob(each)) for each in plain]
    names = {os.fsdecode(line).removeprefix("./") for line in question.input.split(b"\n") if line}
    return "".join(f"{name}\n" for name in sorted(names) if any(each.fullmatch(name) for each in wanted))


def write_substitution(question: Question) -> str:
    """A script that prints the text with the variables the command sees."""
    text = " ".join(question.words[2:]) + "\n" if question.words[2:] else os.fsdecode(question.input)
    lines, position = [], 0
    for match in VARIABLE.finditer(text):
        lines.append(_print_text(os.fsencode(text[position : match.start()])))
        lines.append(f"ps_line={shlex.quote(match[4] or '')}\n")
        lines.append(f"printf '%s' \"${{{match[1] or match[2]}{match[3] or '-'}$ps_line}}\"\n")
        position = match.end()
    return "".join(lines) + _print_text(os.fsencode(text[position:]))


def join_options(words: Sequence[str]) -> list[str]:
    """The words with each `--name value` as `--name=value`."""
    joined: list[str] = []
    rest = iter(words)
    for word in rest:
        wants_value = word.startswith("--") and word[2:] in VALUES
        joined.append(f"{word}={next(rest, '')}" if wants_value else word)
    return joined


def _split(
    question: Question, options: list[str], lookup: Lookup, control: ControlFolder
) -> "subprocess.CompletedProcess[bytes]":
    """This node's share, by the host's command; what it would read in the container is given as timings."""
    words = [word for word in options if word.startswith("--") or "=" in word]
    values = {match["name"]: match["value"] for word in words if (match := _OPTION.fullmatch(word))}
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "timings.json"
        if values.get("split-by") == "filesize":
            names = [os.fsdecode(line).strip() for line in question.input.splitlines() if line.strip()]
            sizes = {name: lookup.measure(f"{question.directory}/{name}") for name in names}
            given.write_bytes(msgspec.json.encode(sizes))
            words = [word for word in words if not word.startswith("--split-by")] + ["--split-by=timings"]
        elif values.get("timings-file"):
            given.write_bytes(lookup.read(os.path.join(question.directory, values["timings-file"])))  # noqa: PTH118
            words = [word for word in words if not word.startswith("--timings-file")]
            words.append(f"--timings-file={given}")
        elif control.has("timings.json"):
            given.write_bytes(control.read("timings.json"))
        if control.has("failed.json"):
            (Path(folder) / "failed.json").write_bytes(control.read("failed.json"))
        # `cat` shows which share `tests run` would give to its command, which is here run in the container.
        verb = ("tests", question.words[1], *(["--command=cat"] if question.words[1] == "run" else []))
        return _call((*verb, *words), question, {"PENSTOCK_CONTROL": folder})


def _run_share(question: Question, lookup: Lookup, control: ControlFolder) -> str:
    """A script that gives this node's share to the command of `tests run`."""
    options = join_options(question.words[2:])
    command = next((word.partition("=")[2] for word in options if word.startswith("--command=")), "")
    if not command:
        return _show(_call(question.words, question, {}))
    others = [word for word in options if not word.startswith("--command")]
    done = _split(question, others, lookup, control)
    if done.returncode or not done.stdout:
        return _show(done)
    share = shlex.quote(os.fsdecode(done.stdout))
    return (
        _print_text(done.stderr, 2)
        + "ps_shell=/bin/sh\nif [ -x /bin/bash ]; then ps_shell=/bin/bash; fi\n"
        + f'printf "%s" {share} | "$ps_shell" -c {shlex.quote(command)}\nps_code=$?\n'
    )


def _call(
    words: Sequence[str], question: Question, environment: dict[str, str]
) -> "subprocess.CompletedProcess[bytes]":
    """What the host's command does with these words and the question's input."""
    node = {"CIRCLE_NODE_INDEX": question.index, "CIRCLE_NODE_TOTAL": question.total, "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-I", "-S", _COMMAND, *words],
        input=question.input,
        env={**node, **environment},
        cwd="/",
        capture_output=True,
        check=False,
    )


def _show(done: "subprocess.CompletedProcess[bytes]") -> str:
    return _print_text(done.stdout) + _print_text(done.stderr, 2) + f"ps_code={done.returncode}\n"


def _print_text(text: bytes, descriptor: int = 1) -> str:
    return f"printf '%s' {shlex.quote(os.fsdecode(text))} >&{descriptor}\n" if text else ""
