import pytest

from penstock.agent.executor.docker.containers import Setting, describe_primary, describe_service, is_held
from penstock.agent.executor.docker.images import ImageConfig, ImageFacts
from penstock.plan.executor import Image

FACTS = ImageFacts(id="sha256:1", config=ImageConfig(env=["A=1=2"], entrypoint=["/own"]))
KEPT = ImageFacts(id="x", config=ImageConfig(labels={"com.circleci.preserve-entrypoint": "true"}))
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
    host = describe_service(Image(image="j"), FACTS, Setting(labels={}, resource_class="team/own"), "c")
    assert host["HostConfig"] == {"NetworkMode": "container:c"}
