"""Parameters: which values fit which types, and how calls are bound."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from penstock.language.circleci import compile as compile_config
from penstock.language.circleci.parameters import ELEMENT_TYPES, fits_type
from penstock.language.common.context import Context
from penstock.language.common.tree import Items, Map
from penstock.plan.step import Run

VALUES = st.one_of(
    st.booleans(), st.integers(), st.text(min_size=1), st.none(), st.floats(allow_nan=False),
    st.just(Map(())), st.just(Items(())),
)  # fmt: skip


@given(VALUES)
def test_strings_booleans_and_integers_exclude_each_other(value: object) -> None:
    fitting = [kind for kind in ("string", "boolean", "integer") if fits_type(value, {"type": kind})]
    assert len(fitting) <= 1
    assert bool(fitting) is isinstance(value, str | bool | int)


@given(VALUES, st.sampled_from(ELEMENT_TYPES))
def test_a_value_of_any_type_is_judged(value: object, kind: str) -> None:
    assert fits_type(value, {"type": kind, "enum": Items(["a", 1])}) in {True, False}


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True),
        st.one_of(st.booleans(), st.integers(0, 99), st.from_regex(r"[a-z ]{1,9}", fullmatch=True)),
        min_size=1, max_size=5,
    ),
    st.data(),
)  # fmt: skip
def test_every_parameter_is_the_argument_or_the_default(
    defaults: dict[str, object], data: st.DataObject
) -> None:
    types = {str: "string", bool: "boolean", int: "integer"}
    given_names = data.draw(st.sets(st.sampled_from(sorted(defaults))))
    changed = {name: _change(defaults[name]) for name in given_names}
    config = {
        "version": 2.1,
        "commands": {
            "show": {
                "parameters": {
                    name: {"type": types[type(value)], "default": value} for name, value in defaults.items()
                },
                "steps": [{"run": "|".join(f"<< parameters.{name} >>" for name in defaults) + "|"}],
            }
        },
        "jobs": {"build": {"machine": True, "steps": [{"show": changed}]}},
    }
    plan = compile_config(yaml.safe_dump(config, sort_keys=False), Context(branch="main"))
    assert plan.diagnostics == ()
    (step,) = plan.workflows["workflow"].jobs["build"].steps
    assert isinstance(step, Run)
    expected = {**defaults, **changed}
    assert step.command == "".join(_show(expected[name]) + "|" for name in defaults)


def _change(value: object) -> object:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case _:
            return f"{value}x"


def _show(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
