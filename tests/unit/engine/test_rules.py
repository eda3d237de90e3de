"""Rules of contexts: what can be asked, and judged in bounded time."""

import pytest

from penstock.engine.recent import Recent
from penstock.engine.rules import Judge, SlowRules, check_rule
from penstock.model.errors import InvalidError

SLOW = "pipeline.git.branch matches /(a|aa)+(b|bb)*(a|aa)+$x/"
KNOWN = {"pipeline.git.branch": "a" * 200, "pipeline.git.tag": None, "pipeline.number": 7}


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("pipeline.number == 7", True),
        ('pipeline.git.branch starts-with "a" and not job.ssh.enabled', True),
        ('pipeline.git.tag == "v1"', False),
        ("pipeline.event.name", False),
        ("pipeline.event.name? or pipeline.number == 7", True),
        ("pipeline.parameters.deploy? or pipeline.number == 7", True),
        ("pipeline.parameters.deploy", False),
        ("pipeline.number ==", False),
        ("", False),
    ],
)
def test_a_rule_holds_or_does_not(rule: str, *, verdict: bool) -> None:
    judge = Judge({**KNOWN, "job.ssh.enabled": False, "pipeline.parameters.deploy": True}, "p", Recent(9))
    assert judge.holds(rule) is verdict


def test_what_took_too_long_is_not_tried_again_and_what_holds_still_does() -> None:
    slow: SlowRules = Recent(9)
    judge = Judge(KNOWN, "p", slow)
    assert judge.holds("pipeline.number == 7")
    assert not judge.holds("pipeline.number == 8")
    assert not judge.holds(SLOW)
    assert not judge.holds("pipeline.number == 7 or true")  # no time is left
    later = Judge(KNOWN, "p", slow)
    assert not later.holds(SLOW)
    assert later.holds("pipeline.number == 7")
    assert Judge(KNOWN | {"pipeline.git.branch": "x"}, "other", slow).holds(SLOW.replace("$x", "$x|x"))


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("pipeline.number == 7 and", "character 25: expected a value"),
        (
            "(pipeline.trigger_parameters.git.branch)",
            "character 2: pipeline.trigger_parameters.git.branch is",
        ),
        ("not parameters.x", "character 5: there is no value parameters.x"),
        ("not job.ssh.enabledd", "character 5: there is no value job.ssh.enabledd"),
        ("x" * 2048, "fewer than 2048"),
    ],
)
def test_a_rule_that_cannot_be_judged_is_refused_with_its_place(rule: str, says: str) -> None:
    with pytest.raises(InvalidError) as told:
        check_rule(rule)
    assert says in str(told.value)
