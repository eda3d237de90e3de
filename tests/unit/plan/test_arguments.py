"""Texts of a command line become values of the declared types."""

import pytest

from penstock.plan.arguments import read_arguments
from penstock.plan.workflow import ParameterSpec


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "1", "1"),
        ("string", "", ""),
        ("integer", "7", 7),
        ("integer", "-7", -7),
        ("integer", "seven", "seven"),
        ("boolean", "true", True),
        ("boolean", "No", False),
        ("boolean", "1", "1"),
    ],
)
def test_a_text_is_read_as_its_declared_type_when_it_fits(kind: str, text: str, value: object) -> None:
    read = read_arguments([ParameterSpec(name="p", type=kind)], {"p": text})["p"]
    assert (read, type(read)) == (value, type(value))


def test_an_option_of_an_enum_keeps_its_own_type() -> None:
    spec = ParameterSpec(name="p", type="enum", options=(1, "two"))
    assert read_arguments([spec], {"p": "1"}) == {"p": 1}
    assert read_arguments([spec], {"p": "two"}) == {"p": "two"}


def test_what_is_not_declared_stays_text() -> None:
    assert read_arguments([], {"p": "1"}) == {"p": "1"}
