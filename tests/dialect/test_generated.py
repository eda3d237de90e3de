"""Requests that schemathesis makes up from our own documents: never a fault of ours, never a leak."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from penstock.api.circleci.routes import CIRCLECI
from penstock.api.common.dialect import Dialect
from penstock.api.common.openapi import describe_dialect
from penstock.api.penstock.routes import PENSTOCK
from penstock.engine.contexts import set_context_variable, set_project_variable
from penstock.engine.people_groups import create_group
from penstock.engine.principal import SERVER
from penstock.engine.ssh_keys import add_ssh_key
from penstock.kit.ids import new_id
from penstock.model.access import Role
from penstock.store.people_groups import list_groups
from tests.support.circle import APP, CircleSite
from tests.support.http import Reply
from tests.support.keys import make_key
from tests.support.webhook_site import add_webhook

TOLD = (CIRCLECI, PENSTOCK)
"""The dialects that speak JSON and have a document."""


def read_operations(dialect: Dialect) -> list[Any]:
    document = msgspec.to_builtins(describe_dialect(dialect, "http://ci.example.com"))
    schema: Any = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations()]


OPERATIONS = [operation for dialect in TOLD for operation in read_operations(dialect)]
OPEN = ("/pipeline/continue", "/login")
"""Services of the vendor that tell errors in a form of their own."""

EXAMPLES = 40
SECRET = "swordfish-of-the-tests"
"""What a variable of the project and one of a context hold."""

FAULT = 500


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CircleSite]:
    """One site for all requests; a pipeline of it has run."""
    folder: Path = tmp_path_factory.mktemp("generated")
    made = CircleSite(f"sqlite:///{folder / 'penstock.db'}", folder)
    set_project_variable(made.parts, made.sealer, SERVER, made.project, "PASSWORD", SECRET)
    set_context_variable(made.parts, made.sealer, SERVER, made.context, "PASSWORD", SECRET)
    create_group(made.parts, SERVER, made.acme, "deployers")
    add_ssh_key(made.parts, made.sealer, SERVER, made.project, make_key().decode())
    made.add_person("grace", Role.VIEWER)
    made.trigger()
    made.build()
    yield made
    made.close()


def ask(site: CircleSite, case: Any, real: dict[str, str], token: str) -> Reply:  # noqa: ANN401 - the library's
    """The reply to a made-up request; parameters of the path in `real` are of things there are."""
    path = case.operation.path
    for name, value in {**case.path_parameters, **real}.items():
        path = path.replace(f"{{{name}}}", str(value))
    query = urlencode(case.query or {}, doseq=True)
    wanted = isinstance(case.body, dict | list | str | int | float | bool | None)
    body = msgspec.json.encode(case.body) if wanted else b""
    target = path.encode("ascii", "replace").decode().replace("?", "%3F")
    return site.send(
        case.operation.method.upper(),
        f"{target}?{query}" if query else target,
        body,
        {"circle-token": token, "authorization": f"Bearer {token}"} if token else {},
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_a_made_up_request_is_answered_without_a_fault(site: CircleSite, operation: Any) -> None:  # noqa: ANN401 - the library's
    pipeline = site.lab.every_pipeline()[0]
    job = site.lab.job(pipeline, "build").uuid
    with site.parts.db.read() as tx:
        [group] = [each.uuid for each in list_groups(tx, site.acme.id, limit=1)] or [new_id()]
    webhook, delivery = add_webhook(site) if "webhook" in operation.path else ("", "")
    ids = [pipeline.uuid, site.lab.workflow(pipeline).uuid, job, *([webhook] * 3 if webhook else ())]
    things = st.fixed_dictionaries(
        {},
        optional={
            "slug": st.sampled_from([APP, "gh/acme"]),
            "id": st.sampled_from(ids),
            "number": st.just("1"),
            "project_id": st.just(site.project.uuid),
            "request": st.just(site.lab.job(pipeline, "hold").uuid),
            "index": st.just("0"),
            "step": st.sampled_from(["0", "1", "99"]),
            "kind": st.sampled_from(["output", "error"]),
            "path": st.sampled_from(["out/a%20b.html", "../penstock.db", "..%2f..%2fpenstock.db"]),
            "branch": st.sampled_from(["main", "dev", "..", "a%2Fb"]),
            "project": st.sampled_from(["gh%2Facme%2Fapp", "gh%2Facme", site.project.uuid]),
            "organization": st.sampled_from(["gh%2Facme", "gh", site.acme.uuid]),
            "delivery": st.just(delivery),
            "user": st.sampled_from(["grace", "nobody"]),
            "context": st.just(site.context),
            "variable": st.sampled_from(["PASSWORD", "NEW"]),
            "org_id": st.just(site.acme.uuid),
            "owner": st.just(site.acme.uuid),
            "policy_context": st.just("config"),
            "policy": st.sampled_from(["known", "unknown"]),
            "group": st.just(group),
            "people": st.sampled_from([group, "deployers"]),
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
        gone = case.operation.method == "delete"  # others need what would be gone
        named = {} if gone else {name: each for name, each in real.items() if name in case.path_parameters}
        reply = ask(site, case, named, site.token if known else "")
        assert reply.status < FAULT, reply.body
        guarded = not case.operation.path.endswith(OPEN)
        if guarded and known:
            assert reply.status != 401, "the administrator is somebody else now"
        elif guarded:
            assert reply.status in {401, 404, 405}, (reply.status, reply.body)
            bare = case.operation.path.startswith(tuple(CIRCLECI.other_errors))
            assert set(reply.json()) == ({"error"} if bare else {"message"})
        for secret in (site.token, SECRET, "PRIVATE KEY"):
            assert secret.encode() not in reply.body

    requests()
