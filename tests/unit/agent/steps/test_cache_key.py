import base64
import hashlib
import re
import time
from collections.abc import Iterator

import pytest

from penstock.agent.steps.cache_key import KeyFacts, describe_machine, expand_key
from penstock.model.errors import RefusedError
from penstock.model.run import Revision
from penstock.wire.messages import Source
from tests.support.agents import assign


def read(path: str) -> Iterator[bytes]:
    if path != "lock file":
        raise RefusedError(f"cannot read {path}: No such file or directory")
    yield b"con"
    yield b"tent"


SOURCE = Source(url="/repo", revision=Revision(sha="abc123", branch="main"))
FACTS = KeyFacts(assign(source=SOURCE, number=42), {"TOOL": "1.2"}, read)
CHECKSUM = base64.b64encode(hashlib.sha256(b"content").digest()).decode()


@pytest.mark.parametrize(
    ("template", "key"),
    [
        ("plain", "plain"),
        ("v1-{{ .Branch }}-{{ .Revision }}", "v1-main-abc123"),
        ("{{.BuildNum}}", "42"),
        ("{{ .Environment.TOOL }}/{{ .Environment.NONE }}", "1.2/<no value>"),
        ('d-{{ checksum "lock file" }}', f"d-{CHECKSUM}"),
        ("d-{{checksum `lock file`}}", f"d-{CHECKSUM}"),
        ("a {{- .Branch -}} b", "amainb"),
        ("{{ arch }}", describe_machine()),
    ],
)
def test_templates_become_keys(template: str, key: str) -> None:
    assert expand_key(template, FACTS) == key


def test_epoch_is_the_present_second() -> None:
    assert abs(int(expand_key("{{ epoch }}", FACTS)) - time.time()) < 5


def test_the_machine_is_described_by_system_processor_and_model() -> None:
    assert re.fullmatch(r"[a-z]+-[a-z0-9_]+(-\d+_\d+)?", describe_machine())


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ nonsense }}", 'function "nonsense" not defined'),
        ("{{ .Nonsense }}", "can't evaluate field Nonsense"),
        ('{{ checksum "none" }}', "error calling checksum: cannot read none: No such file or directory"),
        ("{{ checksum }}", "wrong number of args for checksum: want 1 got 0"),
        ("{{ epoch", "unclosed action"),
        ("{{ .Branch | upper }}", "cannot understand {{ .Branch | upper }}"),
    ],
)
def test_what_a_template_may_not_say_is_named(template: str, problem: str) -> None:
    with pytest.raises(RefusedError) as caught:
        expand_key(template, FACTS)
    assert str(caught.value) == f"error computing cache key: template: cacheKey:1: {problem}"
