"""Requests that schemathesis makes up from our own document: never a fault of ours, never a leak."""

from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from penstock.api.common.openapi import describe_dialect
from penstock.api.penstock.routes import PENSTOCK
from penstock.engine.agent_groups import create_group
from penstock.engine.principal import SERVER
from tests.support.circle import ADMIN
from tests.support.http import Reply
from tests.support.own_api import OwnSite

DOCUMENT = describe_dialect(PENSTOCK, "http://ci.example.com")
SCHEMA: Any = schemathesis.openapi.from_dict(msgspec.to_builtins(DOCUMENT))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
EXAMPLES = 25
FAULT = 500


def ask(site: OwnSite, case: Any, real: dict[str, str], token: str) -> Reply:  # noqa: ANN401 - the library's
    """The reply to a made-up request; parameters of the path in `real` are of things there are."""
    path = case.operation.path
    for name, value in {**case.path_parameters, **real}.items():
        path = path.replace(f"{{{name}}}", str(value))
    given = {name: value for name, value in (case.query or {}).items() if name != "wait"}  # nobody has time
    query = urlencode(given, doseq=True)
    wanted = isinstance(case.body, dict | list | str | int | float | bool | None)
    body = msgspec.json.encode(case.body) if wanted else b""
    target = path.encode("ascii", "replace").decode().replace("?", "%3F")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return site.send(case.operation.method.upper(), f"{target}?{query}" if query else target, body, headers)


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_a_made_up_request_is_answered_without_a_fault(site: OwnSite, operation: Any) -> None:  # noqa: ANN401 - the library's
    site.trigger()
    pipeline = site.lab.every_pipeline()[0]
    job = site.lab.job(pipeline, "build").uuid
    group = create_group(site.parts, SERVER, site.acme, name="a/b").uuid
    things = st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from([pipeline.uuid, job, group, site.worker.uuid]),
            "project": st.sampled_from(["gh%2Facme%2Fapp", site.project.uuid, "..%2F..", "gh/acme/app"]),
            "organization": st.sampled_from(["gh%2Facme", site.acme.uuid]),
            "user": st.sampled_from(["admin", "..", "%00"]),
        },
    )

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=operation.as_strategy(), real=things, known=st.booleans())
    def requests(case: Any, real: dict[str, str], known: bool) -> None:  # noqa: ANN401, FBT001 - as hypothesis calls it
        named = {name: value for name, value in real.items() if name in case.path_parameters}
        reply = ask(site, case, named, ADMIN if known else "")
        assert reply.status < FAULT, reply.body
        if not known and not case.operation.path.endswith("/login"):
            assert reply.status in {401, 404, 405}, (reply.status, reply.body)
            assert set(reply.json()) == {"message"}
        assert ADMIN.encode() not in reply.body

    requests()
