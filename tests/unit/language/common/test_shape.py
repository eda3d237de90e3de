"""Shapes: what data must look like, and what is said when it does not."""

import pytest

from penstock.language.common.diagnostic import Reporter
from penstock.language.common.shape import Shape, ShapeChecker, shape
from penstock.language.common.tree import Map, Place, Unresolved
from penstock.language.common.yaml import load_yaml

TEXT = shape("String")
PERSON = shape(
    "Mapping",
    keys={
        "name": TEXT, "age": shape("Number"), "mood": shape("String", options=frozenset({"good", "bad"})),
        "phone": shape("String", pattern=r"\d+"), "friends": shape("Sequence", items=TEXT, least=1),
    },
    required=("name",), misplaced={"street": "goes into 'address'"},
)  # fmt: skip


def check(text: str, expected: Shape = PERSON, *, templates: bool = False) -> list[tuple[str, str, str]]:
    report = Reporter()
    value = load_yaml(text, "f", report)
    assert isinstance(value, Map)
    right = ShapeChecker(report, templates=templates).check(value, expected, Place(value))
    found = report.list_findings()
    assert right is not report.failed
    return [(finding.code, finding.message, finding.hint) for finding in found]


def test_right_data_passes() -> None:
    assert check("name: x\nage: 3\nmood: good\nphone: '12'\nfriends: [y]") == []


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("{name: 5}", "wrong-type", "[#/name] expected type: String, found: Number"),
        ("{name: [x]}", "wrong-type", "[#/name] expected type: String, found: Sequence"),
        ("{name: null}", "wrong-type", "[#/name] expected type: String, found: Null"),
        ("{age: 3}", "required-key", "[#] required key [name] not found"),
        ("{name: x, mood: odd}", "invalid-value", "[#/mood] Input not a valid enum value"),
        ("{name: x, friends: []}", "too-few-items", "[#/friends] minimum item count: 1, found: 0"),
        ("{name: x, nmae: y}", "unknown-key", "[#] extraneous key [nmae] is not permitted"),
    ],
)
def test_wrong_data_is_named_with_its_path(text: str, code: str, message: str) -> None:
    assert [found[:2] for found in check(text)] == [(code, message)]


def test_hints_say_what_would_be_right() -> None:
    assert check("{name: x, nmae: y}")[0][2] == "did you mean 'name'?"
    assert check("{name: x, street: y}")[0][2] == "goes into 'address'"
    assert check("{name: x, mood: odd}")[0][2] == "one of: bad, good"


def test_a_lenient_shape_only_warns_of_unknown_keys() -> None:
    assert check("{nmae: x}", shape("Mapping", keys={"name": TEXT}, lenient=True))[0][:2] == (
        "unknown-key",
        "[#] key [nmae] is ignored",
    )


def test_a_template_may_stand_for_anything_until_it_is_filled() -> None:
    assert check("{name: x, age: << y >>, << z >>: 1}", templates=True) == []
    assert len(check("{name: x, age: << y >>}")) == 1


def test_what_could_not_be_filled_is_not_judged() -> None:
    report = Reporter()
    assert ShapeChecker(report, templates=False).check(Unresolved("<< x >>"), shape("Number"), Place(Map(())))


def test_a_mapping_without_known_keys_is_open() -> None:
    assert check("{anything: [goes]}", shape("Mapping")) == []
