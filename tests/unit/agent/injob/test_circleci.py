import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.agent.injob import circleci

SCRIPT = circleci.__file__


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str, stdin: str = "", code: int = 0, **environment: str) -> str:
    """What the command prints; warnings are appended."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, *arguments],
        input=stdin,
        env={"PATH": os.environ["PATH"], "PENSTOCK_CONTROL": ".", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x" * len(name))


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["*.py"], ["a.py"]),
        (["**/*.py"], ["a.py", "t/b.py", "t/u/c.py"]),
        (["t/**/*.py"], ["t/b.py", "t/u/c.py"]),
        (["t/**"], ["t/b.py", "t/b.rb", "t/u/c.py"]),
        (["t/*.{py,rb}"], ["t/b.py", "t/b.rb"]),
        (["t/[a-b].p?"], ["t/b.py"]),
        (["t/[!b]*", "a.py", "a.py"], ["a.py"]),
        (["none/*"], []),
        (["./t/*.rb"], ["t/b.rb"]),
    ],
)
def test_glob_prints_files_sorted(folder: Path, patterns: list[str], found: list[str]) -> None:
    make(folder, "a.py", "t/b.py", "t/b.rb", "t/u/c.py")
    assert call("tests", "glob", *patterns).split() == found


def shares(*arguments: str, stdin: str, total: int) -> list[list[str]]:
    made = [
        call(
            "tests",
            "split",
            *arguments,
            stdin=stdin,
            CIRCLE_NODE_INDEX=str(index),
            CIRCLE_NODE_TOTAL=str(total),
        )
        for index in range(total)
    ]
    return [share.split() for share in made]


def test_by_name_tests_are_dealt_out_in_turn() -> None:
    assert shares(stdin="d\nb\n\na\nc\ne\n", total=2) == [["a", "c", "e"], ["b", "d"]]


def test_by_timings_nodes_are_loaded_evenly(folder: Path) -> None:
    (folder / "timings.json").write_text(
        json.dumps({"filename": {"slow": 10.0, "x": 4.0, "y": 4.0, "z": 2.0}})
    )
    dealt = shares("--split-by=timings", stdin="x\ny\nslow\nz\n", total=2)
    assert dealt == [["slow"], ["x", "y", "z"]]


def test_unknown_tests_weigh_the_average_or_what_is_said(folder: Path) -> None:
    (folder / "timings.json").write_text(json.dumps({"filename": {"a": 10.0, "b": 2.0}}))
    assert shares("--split-by=timings", stdin="a\nb\nnew\n", total=2) == [["a"], ["new", "b"]]
    assert shares("--split-by=timings", "--time-default=20s", stdin="a\nb\nnew\n", total=2) == [
        ["new"],
        ["a", "b"],
    ]


def test_without_timings_the_name_decides_and_it_is_said() -> None:
    output = call(
        "tests",
        "split",
        "--split-by=timings",
        "--timings-type=classname",
        "--total=2",
        "--index=1",
        stdin="b\na\n",
    )
    assert output == "b\nError auto-detecting timing type, falling back to weighting by name.\n"


def test_by_size_large_files_go_first(folder: Path) -> None:
    make(folder, "1", "22", "333", "4444")
    assert shares("--split-by", "filesize", stdin="1\n22\n333\n4444\n", total=2) == [
        ["4444", "1"],
        ["333", "22"],
    ]


def test_names_may_come_from_a_file_and_counts_be_shown(folder: Path) -> None:
    (folder / "list").write_text("a\nb\nc\n")
    output = call("tests", "split", "list", "--index=0", "--total=2", "--show-counts")
    assert output == "a\nc\nNode 0: 2 tests\nNode 1: 1 tests\n"


def test_run_gives_the_share_to_the_command_and_returns_its_code() -> None:
    arguments = ("tests", "run", "--command=xargs echo run; exit 3", "--index=1", "--total=2")
    assert call(*arguments, stdin="a\nb\nc\nd\n", code=3) == "run b d\n"
    output = call("tests", "run", "--command=echo never", "--index=1", "--total=2", stdin="a\n")
    assert output == "No tests were assigned to this node\n"


def test_halt_leaves_a_mark_for_the_agent(folder: Path) -> None:
    assert call("step", "halt") == ""
    assert (folder / "halt").exists()


def test_variables_are_substituted() -> None:
    text = "$A ${B} ${C:-default} $NONE. ${D-kept}\n"
    assert call("env", "subst", stdin=text, A="1", B="two", C="", D="") == "1 two default . \n"
    assert call("env", "subst", "x $A", A="1") == "x 1\n"
    others = "${A=a}${N=n}${C:=c}${C=d}|${A+a}${N+n}${C:+c}${C+c}|${N:+n}\n"
    assert call("env", "subst", stdin=others, A="1", C="") == "1nc|ac|\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nonsense",), "'nonsense' is no command here; `circleci --help` lists those there are"),
        (("tests", "split", "--odd"), "unknown option --odd"),
        (("tests", "split", "--split-by=luck"), "--split-by must be one of name, filesize, timings"),
        (("tests", "split", "--index=2", "--total=2"), "--index must be from 0 to 1, not 2"),
        (("tests", "split", "--index=x"), "--index must be a number, not 'x'"),
        (("tests", "split", "no-such-list"), "cannot read no-such-list: No such file or directory"),
        (("tests", "run"), "tests run needs --command"),
    ],
)
def test_mistakes_are_explained(arguments: tuple[str, ...], sentence: str) -> None:
    assert call(*arguments, code=1) == f"Error: {sentence}\n"


def test_help_is_at_hand() -> None:
    assert "tests split" in call("--help")
    assert call("--help") == call("tests", "split", "--help")


KINDS = {
    "filename": {"./t/a.py": 9.0, "t/b.py": 1.0, "t/c.py": 1.0},
    "classname": {"A": 1.0, "B": 9.0},
    "testname": {"t/a.py": 5.0},
}


@pytest.mark.parametrize(
    ("kind", "names", "dealt"),
    [
        ("filename", "t/a.py t/b.py t/c.py", [["t/a.py"], ["t/b.py", "t/c.py"]]),
        ("classname", "A B C", [["B"], ["C", "A"]]),
        ("autodetect", "A B", [["B"], ["A"]]),
        ("autodetect", "t/a.py ./t/b.py", [["t/a.py"], ["./t/b.py"]]),
    ],
)
def test_times_are_those_of_the_kind_of_names(
    folder: Path, kind: str, names: str, dealt: list[list[str]]
) -> None:
    (folder / "timings.json").write_text(json.dumps(KINDS))
    stdin = "".join(f"{name}\n" for name in names.split())
    assert shares("--split-by=timings", f"--timings-type={kind}", stdin=stdin, total=2) == dealt


def test_a_file_with_times_holds_for_every_kind(folder: Path) -> None:
    (folder / "mine").write_text('{"a": 1, "b": 5, "c": 1}')
    arguments = ("--split-by=timings", "--timings-file=mine", "--timings-type=testname")
    assert shares(*arguments, stdin="a\nb\nc\n", total=2) == [["b"], ["a", "c"]]


FAILED = {"filename": ["t/b.py", "./t/c.py"], "classname": ["B"], "testname": ["x"]}


@pytest.mark.parametrize(
    ("options", "names", "output"),
    [
        ("", "t/a.py t/b.py t/c.py", "t/b.py t/c.py\nOnly the tests that failed before run again: 2 of 3\n"),
        ("", "A B", "B\nOnly the tests that failed before run again: 1 of 2\n"),
        ("--timings-type=classname", "A B", "B\nOnly the tests that failed before run again: 1 of 2\n"),
        ("--timings-type=filename", "A B", "A B\nNone of these tests failed before: all of them run\n"),
    ],
)
def test_only_what_failed_before_runs_again(folder: Path, options: str, names: str, output: str) -> None:
    (folder / "failed.json").write_text(json.dumps(FAILED))
    stdin = "".join(f"{name}\n" for name in names.split())
    assert call("tests", "run", "--command=xargs echo", *options.split(), stdin=stdin).startswith(output)
    assert call("tests", "split", stdin=stdin).split() == names.split()


def test_deploy_markers_are_said_and_pass() -> None:
    output = call("run", "release", "plan", "--environment-name=prod", "--component-name", "mill")
    assert output == (
        "Deploy markers are not kept here, so this one goes unmarked: "
        "plan --environment-name=prod --component-name mill\n"
    )
    assert "wants plan" in call("run", "release", "sink", code=1)
