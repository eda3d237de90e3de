"""The vendor's list of operations, and which of our routes answers each."""

import csv

from penstock.api.circleci.routes import ROUTES
from penstock.api.common.faults import UnknownPathError, WrongMethodError
from penstock.api.common.route import Route
from penstock.api.common.router import Router
from tests.support.shared_data import find_shared

ROUTER = Router((route.method, route.path, route) for route in ROUTES)


def list_operations() -> list[dict[str, str]]:
    """The rows of the list."""
    with find_shared("circleci/operations.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def find_route(operation: dict[str, str]) -> Route | None:
    """The route that answers the operation, None when none does."""
    path = operation["path"].replace("{provider}/{organization}/{project}", "gh/acme/app")
    path = path.replace("{project-slug}", "gh/acme/app").replace("{job-number}", "1")
    path = path.replace("{org-slug-or-id}", "gh%2Facme").replace("{", "x")
    try:
        return ROUTER.find(operation["method"], f"/api/v2{path.replace('}', '')}").target
    except (UnknownPathError, WrongMethodError):
        return None
