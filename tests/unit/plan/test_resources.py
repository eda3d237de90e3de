import pytest

from penstock.model.errors import InvalidError
from penstock.plan.executor import ExecutorKind
from penstock.plan.resources import (
    CLASSES,
    Resources,
    compute_credits,
    find_price,
    find_resources,
    parse_prices,
)


def test_classes_have_the_sizes_of_the_published_table() -> None:
    assert find_resources("medium+") == Resources(3, 6, 15)
    assert find_resources("large.gen2") == Resources(4, 8)
    assert find_resources("arm.xlarge") == Resources(8, 32, 52)


def test_a_name_may_mean_another_size_for_another_kind() -> None:
    assert find_resources("medium", ExecutorKind.MACHINE) == Resources(2, 7.5, 10)
    assert find_resources("2xlarge+.gen3", ExecutorKind.MACHINE) == Resources(32, 128)
    assert find_resources("gpu.nvidia.small.multi", ExecutorKind.MACHINE) == Resources(4, 15)
    assert find_resources("windows.medium", ExecutorKind.WINDOWS) == Resources(4, 16, 40)
    assert find_resources("m4pro.large", ExecutorKind.MACOS) == Resources(12, 56, 400)


def test_no_class_and_classes_of_own_agents_have_no_bounds() -> None:
    assert find_resources("") is None
    assert find_resources("team/runner") is None
    assert find_resources("medium", ExecutorKind.HOST) is None


def test_every_class_has_something_to_give() -> None:
    sizes = [each for classes in CLASSES.values() for each in classes.values()]
    assert all(each.processors >= 1 and each.memory >= 1 and (each.credits or 1) > 0 for each in sizes)


@pytest.mark.parametrize(
    ("name", "kind", "seconds", "copies", "used"),
    [
        ("medium", ExecutorKind.DOCKER, 60, 1, 10),
        ("small", ExecutorKind.DOCKER, 90, 4, 30),
        ("", ExecutorKind.DOCKER, 30, 1, 5),
        ("", ExecutorKind.WINDOWS, 60, 1, 40),
        ("arm.medium", ExecutorKind.MACHINE, 60, 1, 10),
        ("arm.medium", ExecutorKind.DOCKER, 60, 1, 13),
        ("team/runner", ExecutorKind.MACHINE, 6000, 8, 0),
        ("", ExecutorKind.NONE, 60, 1, 0),
        ("medium.gen2", ExecutorKind.DOCKER, 60, 1, None),
        ("unheard-of", ExecutorKind.DOCKER, 60, 1, None),
    ],
)
def test_a_job_costs_by_its_class_and_time(
    name: str, kind: ExecutorKind, seconds: float, copies: int, used: float | None
) -> None:
    assert compute_credits(name, kind, seconds, copies) == used


def test_prices_are_read_as_they_are_written() -> None:
    assert parse_prices(["large=18", " acme/gpu = 120.5", "a=b=0"]) == {
        "large": 18.0,
        "acme/gpu": 120.5,
        "a=b": 0.0,
    }


@pytest.mark.parametrize(
    "text", ["", "large", "=5", "large=", "large=-1", "large=nan", "large=1e9", "large=²"]
)
def test_what_is_no_price_is_said(text: str) -> None:
    with pytest.raises(InvalidError, match="is no price"):
        parse_prices([text])


def test_prices_of_the_operator_come_before_all_others() -> None:
    prices = {"large": 1.0, "acme/own": 2.0}
    assert compute_credits("large", ExecutorKind.DOCKER, 60, prices=prices) == 1
    assert compute_credits("acme/own", ExecutorKind.MACHINE, 30, copies=2, prices=prices) == 2
    assert find_price("medium", ExecutorKind.DOCKER, prices) == 10
