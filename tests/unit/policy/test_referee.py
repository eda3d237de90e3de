"""Policies that loop, grow, or are evaluated by a process somebody kills: there always is a decision."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.errors import InvalidError, LimitExceededError, UnavailableError
from penstock.policy.decision import Decision, Status
from penstock.policy.files import MOST_BYTES
from penstock.policy.referee import Bounds, Referee
from tests.support.processes import wait_until

HEAD = 'package org\npolicy_name["x"]\nenable_hard["r"]\n'
NO = HEAD + 'r = "no" { input.bad }'

RANGE = "numbers.range(0, 1000)[_]"
ENDLESS = f"r = count({{[a, b, c] | a := {RANGE}; b := {RANGE}; c := {RANGE}}})"
DOUBLING = "".join(f'b{at + 1} = concat("", [b{at}, b{at}, b{at}, b{at}])\n' for at in range(20))
NESTED = "".join(f"b{at + 1} = {{[b{at}, b{at}]}}\n" for at in range(40))


@pytest.fixture
def referee() -> Iterator[Referee]:
    made = Referee(Bounds(seconds=0.5, memory=256 << 20))
    yield made
    made.close()


def judge(referee: Referee, text: str, document: bytes = b"{}") -> Decision:
    return referee.judge({"x": text}, document, b"{}")


def list_children() -> list[int]:
    listed = Path("/proc/self/task").glob("*/children")
    return [int(pid) for each in listed for pid in each.read_text().split()]


def find_workers() -> list[int]:
    """The ids of processes that evaluate policies for this one."""
    found = []
    for pid in list_children():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"penstock.policy.child" in command:
            found.append(pid)
    return found


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (ENDLESS, "the policies took more than 0.5 seconds of a processor"),
        (f'b0 = "xxxxxxxxxxxxxxxx"\n{DOUBLING}r = b20', "the policies need more memory than they may have"),
        (f"b0 = 1\n{NESTED}r = b40", ""),
        ("r = numbers.range(0, 1000000000000)", "numbers.range gives more than 1000000 numbers"),
        ("r { regex.match(`(x+x+)+y`, input.long) }", ""),
        ('r = sprintf("%9999d", [1])', ""),
        ("r[x] { x := sprintf(`%d`, [numbers.range(0, 999999)[_]]) }", ""),
        ("".join(f"b{at} {{ b{at + 1} }}\n" for at in range(3000)) + "b3000 { true }\nr { b0 }", ""),
    ],
    ids=["loops", "doubles", "nests", "range", "pattern", "pads", "many", "chain"],
)
def test_whatever_policies_do_there_is_a_decision_and_the_next_is_right(
    referee: Referee, rules: str, reason: str
) -> None:
    began = time.monotonic()
    found = judge(referee, HEAD + rules, b'{"long": "' + b"x" * 40 + b'"}')
    assert time.monotonic() - began < 60
    if reason:
        assert (found.status, found.reason) == (Status.ERROR, reason)
    assert judge(referee, NO, b'{"bad": true}').status is Status.HARD_FAIL
    assert judge(referee, NO).status is Status.PASS


def test_a_process_sees_no_environment_and_can_open_nothing(referee: Referee) -> None:
    assert judge(referee, NO).status is Status.PASS
    [pid] = find_workers()
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""
    limits = Path(f"/proc/{pid}/limits").read_text()
    for name in ("Max open files", "Max file size", "Max core file size"):
        line = next(each for each in limits.splitlines() if each.startswith(name))
        assert line.removeprefix(name).split()[:2] == ["0", "0"]
    referee.close()
    assert find_workers() == []


def test_one_process_is_asked_again_and_again(referee: Referee) -> None:
    judge(referee, NO)
    first = find_workers()
    assert [judge(referee, NO, b'{"bad": 1}').status for _ in range(20)] == [Status.HARD_FAIL] * 20
    assert find_workers() == first


def test_a_process_that_was_killed_while_it_waited_is_replaced(referee: Referee) -> None:
    judge(referee, NO)
    [pid] = find_workers()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}/fd").exists() or _is_dead(pid), seconds=10, what="it is gone")
    assert judge(referee, NO, b'{"bad": 1}').status is Status.HARD_FAIL


def test_a_process_that_is_killed_in_the_middle_is_replaced_once() -> None:
    patient = Referee(Bounds(seconds=20))
    try:
        answers: list[Decision] = []
        text = HEAD + ENDLESS
        asking = threading.Thread(target=lambda: answers.append(judge(patient, text)))
        asking.start()
        seen: set[int] = set()
        for _ in range(2):
            wait_until(lambda: set(find_workers()) - seen != set(), seconds=30, what="a process works")
            for pid in set(find_workers()) - seen:
                seen.add(pid)
                os.kill(pid, signal.SIGKILL)
        asking.join(60)
        assert [each.status for each in answers] == [Status.ERROR]
        assert answers[0].reason == "the process that evaluates the policies was killed"
    finally:
        patient.close()


def test_more_than_may_wait_are_turned_away() -> None:
    referee = Referee(Bounds(seconds=1, workers=1, waiting=1))
    try:
        outcomes: list[str] = []

        def ask() -> None:
            try:
                outcomes.append(judge(referee, HEAD + ENDLESS).status)
            except UnavailableError:
                outcomes.append("later")

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(60)
        assert sorted(outcomes) == ["ERROR", "ERROR", "later", "later", "later"]
    finally:
        referee.close()


def test_closing_ends_what_is_being_asked() -> None:
    referee = Referee(Bounds(seconds=50, patience=60))
    answers: list[object] = []

    def ask() -> None:
        try:
            answers.append(judge(referee, HEAD + ENDLESS).status)
        except UnavailableError as error:
            answers.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: bool(find_workers()), seconds=30, what="a process works")
    referee.close()
    asking.join(30)
    assert len(answers) == 1
    assert find_workers() == []


def test_what_is_no_bundle_is_refused(referee: Referee) -> None:
    with pytest.raises(InvalidError, match="line 2: unexpected 1"):
        referee.check({"a.rego": "package org\n1 nonsense"})
    with pytest.raises(LimitExceededError):
        referee.check({"a.rego": "x" * (MOST_BYTES + 1)})
    with pytest.raises(LimitExceededError):
        referee.check({f"{at}.rego": "" for at in range(1001)})
    assert referee.check({}) == {}
    assert referee.judge({}, b"{}", b"{}") == Decision(status=Status.PASS)


def test_a_reason_with_quotes_and_signs_is_told_as_it_is(referee: Referee) -> None:
    found = judge(referee, HEAD + "r = input.text", b'{"text": "\\"}, \\u0000 \\n"}')
    assert found.hard_failures[0].reason == '"}, \x00 \n'
    half = judge(referee, HEAD + "r = input.text", b'{"text": "\\ud800"}')
    assert half.status is Status.ERROR


def _is_dead(pid: int) -> bool:
    return "zombie" in Path(f"/proc/{pid}/status").read_text()
