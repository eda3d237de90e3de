import pytest

from penstock.agent.executor.docker.containers import (
    Setting,
    describe_limits,
    describe_primary,
    describe_service,
    describe_shortage,
    is_held,
)
from penstock.agent.executor.docker.engine import Machine
from penstock.agent.executor.docker.images import ImageConfig, ImageFacts
from penstock.plan.executor import Image

FACTS = ImageFacts(id="sha256:1", config=ImageConfig(env=["A=1=2"], entrypoint=["/own"]))
KEPT = ImageFacts(id="x", config=ImageConfig(labels={"com.circleci.preserve-entrypoint": "true"}))
SMALL = Machine(processors=2, memory=3 << 30)
SETTING = Setting(labels={"l": "1"}, names=("db", "web"))


def test_the_variables_of_an_image_are_split_at_the_first_equals() -> None:
    assert FACTS.environment == {"A": "1=2"}


@pytest.mark.parametrize(
    ("image", "facts", "held"),
    [
        (Image(image="i"), FACTS, True),
        (Image(image="i"), KEPT, False),
        (Image(image="i", command=("x",)), FACTS, False),
        (Image(image="i", entrypoint=("x",)), FACTS, False),
    ],
)
def test_whose_main_process_a_primary_container_has(image: Image, facts: ImageFacts, *, held: bool) -> None:
    assert is_held(image, facts) is held
    assert ("Entrypoint" in describe_primary(image, facts, SETTING)) is (held or image.entrypoint is not None)


def test_services_have_names_in_the_primary_and_its_network() -> None:
    primary = describe_primary(Image(image="i"), FACTS, SETTING)["HostConfig"]
    service = describe_service(Image(image="j"), FACTS, SETTING, "c0ffee")["HostConfig"]
    assert isinstance(primary, dict)
    assert isinstance(service, dict)
    assert primary["ExtraHosts"] == ["db:127.0.0.1", "web:127.0.0.1"]
    assert service["NetworkMode"] == "container:c0ffee"


def test_a_class_we_do_not_know_bounds_nothing() -> None:
    assert describe_limits("team/own", SMALL) == {}
    assert describe_shortage("team/own", SMALL) == ""


def test_a_class_is_never_larger_than_the_machine_and_the_user_hears_of_it() -> None:
    assert describe_limits("small", SMALL) == {
        "NanoCpus": 10**9,
        "Memory": 2 << 30,
        "MemorySwap": 2 << 30,
    }
    assert describe_shortage("small", SMALL) == ""
    assert describe_limits("large", SMALL) == {
        "NanoCpus": 2 * 10**9,
        "Memory": 3 << 30,
        "MemorySwap": 3 << 30,
    }
    assert describe_shortage("large", SMALL) == (
        "Resource class large is 4 processors and 8 GiB, this machine has 2 and 3.0"
    )
