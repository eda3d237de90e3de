"""The vendor's list of operations against our table of routes."""

import pytest

from penstock.api.circleci.routes import ROUTES
from penstock.api.common.route import PUBLIC, Route
from penstock.engine.access import RULES, Action
from penstock.model.access import Scope
from tests.support.operations import ROUTER, find_route, list_operations

MISSING = {
    # Part 7: insights.
    "getAllInsightsBranches",
    "getFlakyTests",
    "getJobTimeseries",
    "getOrgSummaryData",
    "getProjectWorkflowJobMetrics",
    "getProjectWorkflowMetrics",
    "getProjectWorkflowRuns",
    "getProjectWorkflowsPageData",
    "getProjectWorkflowTestMetrics",
    "getWorkflowSummary",
}
"""Operations of the seed that are not answered yet; the list may only get shorter."""

OPEN = {"/api/v2/pipeline/continue", "/output/usage/{id}/{file}"}
"""What anybody may call: the key in the body is the credential, or the signature of the address."""


def test_every_operation_of_the_seed_is_routed_or_known_to_be_missing() -> None:
    seed = [operation for operation in list_operations() if operation["in_seed"] == "yes"]
    assert len(seed) == 83
    unrouted = {operation["operationId"] for operation in seed if find_route(operation) is None}
    assert unrouted == MISSING


def test_the_operations_of_newer_clients_are_routed() -> None:
    wanted = {
        "getOrganization",
        "getJob",
        "listPipelineDefinitions",
        "getPipelineDefinition",
        "createOrganization",
        "deleteOrganization",
        "createProject",
        "deleteProjectBySlug",
    }
    routed = {each["operationId"] for each in list_operations() if find_route(each) is not None}
    assert wanted <= routed
    assert ROUTER.find("POST", "/api/v2/compile-config-with-defaults").target.body is not None


def test_a_routed_operation_ends_as_the_vendor_s_does() -> None:
    for operation in list_operations():
        route = find_route(operation)
        if route is not None:
            codes = operation["status_codes"].split(",")
            assert str(route.status) in codes, operation


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_says_who_may_call_it_and_what_it_does(route: Route) -> None:
    assert (route.access == PUBLIC) == (route.path in OPEN)
    assert route.access == PUBLIC or Action(route.access)
    assert route.summary
    if route.path in OPEN or "compil" in route.path:
        return
    reads = RULES[Action(route.access)].scope is Scope.READ
    assert reads == (route.method == "GET") or route.path.endswith(
        "/token"
    )  # which is no business of readers
