import pytest

from penstock.agent.executor.docker.images import check_name, expand_name, find_registry, split_name
from penstock.model.errors import UnavailableError


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("alpine", ("alpine", "latest")),
        ("alpine:3.20", ("alpine", "3.20")),
        ("host:5000/team/image", ("host:5000/team/image", "latest")),
        ("host:5000/image:1", ("host:5000/image", "1")),
        ("image@sha256:abc", ("image", "sha256:abc")),
    ],
)
def test_a_name_is_a_repository_and_a_tag_or_digest(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


@pytest.mark.parametrize(
    ("name", "registry"),
    [
        ("alpine", ""),
        ("team/image:1", ""),
        ("docker.io/team/image", ""),
        ("localhost/image", "localhost"),
        ("host:5000/image@sha256:abc", "host:5000"),
        ("1.dkr.ecr.eu-west-1.amazonaws.com/a/b", "1.dkr.ecr.eu-west-1.amazonaws.com"),
    ],
)
def test_a_name_begins_with_its_registry_or_is_of_docker_hub(name: str, registry: str) -> None:
    assert find_registry(name) == registry


@pytest.mark.parametrize("name", ["", "a b", "a?b", "../containers/json", "a\nb", "$NOBODY/x"])
def test_what_is_no_name_is_refused_before_the_engine_is_asked(name: str) -> None:
    with pytest.raises(UnavailableError, match="no name of an image"):
        check_name(name)


def test_a_name_may_have_variables() -> None:
    assert expand_name("$HOST/${NAME}:1", {"HOST": "h:1", "NAME": "n"}) == "h:1/n:1"
