"""`circleci tests` inside jobs: times of one run divide the tests of the next."""

from pathlib import Path

import pytest

from tests.support.command import Project

CONFIG = """
version: 2.1
jobs:
  build:
    machine: true
    parallelism: 2
    steps:
      - checkout
      - run:
          name: split
          command: circleci tests split --split-by=timings OPTIONS names.txt
      - run:
          name: report
          command: |
            mkdir -p report
            cat > report/junit.xml <<END
            <testsuite>
              <testcase name="one" classname="One" file="$PWD/t/one.py" time="90"/>
              <testcase name="two" classname="Two" file="$PWD/t/two.py" time="30"/>
              <testcase name="three" classname="Three" file="$PWD/t/three.py" time="20"/>
              <testcase name="four" classname="Four" file="$PWD/t/four.py" time="40"/>
            </testsuite>
            END
      - store_test_results:
          path: report
"""


@pytest.mark.parametrize(
    ("options", "spelling"),
    [
        ("", "t/{}.py"),
        ("--timings-type=classname", "{}"),
        ("--timings-type=testname", "{}"),
        ("--timings-type=autodetect", "./t/{}.py"),
    ],
)
def test_times_of_the_last_run_divide_the_tests_of_the_next(
    tmp_path: Path, options: str, spelling: str
) -> None:
    words = ["one", "two", "three", "four", "new"]
    cased = [word.title() if "classname" in options else word for word in words]
    names = [spelling.format(word) for word in cased]
    project = Project(
        tmp_path, CONFIG.replace("OPTIONS", options), {"names.txt": "".join(f"{name}\n" for name in names)}
    )
    assert project.run().status == 0
    fallback = "Error auto-detecting timing type, falling back to weighting by name.\n"
    assert project.log("build-0", "split").startswith(fallback)
    assert project.run().status == 0
    one, two, three, four, new = names
    assert project.log("build-0", "split").split() == [one, three]
    assert project.log("build-1", "split").split() == [new, four, two]


def test_a_share_is_given_to_the_command_of_tests_run(tmp_path: Path) -> None:
    config = """
    version: 2.1
    jobs:
      build:
        machine: true
        parallelism: 2
        steps:
          - run:
              name: all
              command: printf 'b\\na\\nc\\n' | circleci tests run --command="xargs echo got" --verbose
    """
    project = Project(tmp_path, config)
    assert project.run().status == 0
    assert "got a c" in project.log("build-0", "all")
    assert "got b" in project.log("build-1", "all")
    assert "Running 2 tests" in project.log("build-0", "all")


def test_copies_that_start_late_divide_by_the_times_the_first_one_had(tmp_path: Path) -> None:
    names = ["t/one.py", "t/two.py", "t/three.py", "t/four.py", "t/new.py"]
    files = {"names.txt": "".join(f"{name}\n" for name in names)}
    project = Project(tmp_path, CONFIG.replace("OPTIONS", ""), files)
    assert project.run("--max-parallel", "1").status == 0
    fallback = "Error auto-detecting timing type, falling back to weighting by name.\n"
    logs = [project.log(f"build-{copy}", "split") for copy in (0, 1)]
    assert all(log.startswith(fallback) for log in logs)
    assert sorted(line for log in logs for line in log.removeprefix(fallback).split()) == sorted(names)
