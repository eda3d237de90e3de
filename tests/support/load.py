"""A project that servers on this machine can build, and what a client does with it through CircleCI's API."""

from pathlib import Path
from typing import Any

import httpx

from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER
from penstock.engine.projects import NewProject, create_project
from penstock.engine.unit import Parts
from tests.support.repositories import git, make_repository

TOKEN = "a-token-for-clients"
OPERATOR = {"PENSTOCK_ADMIN_TOKEN": TOKEN, "PENSTOCK_GIT_PROTOCOLS": "file", "PENSTOCK_EXECUTOR": "host"}
"""Variables with which a server lets the client in and builds the project."""

SLUG = "gh/acme/app"


def add_bare_project(parts: Parts, folder: Path, config: str) -> None:
    """The project `gh/acme/app` exists, and its repository with the config in the folder."""
    make_repository(folder / "source", {".circleci/config.yml": config})
    git(folder, "clone", "--quiet", "--bare", str(folder / "source"), "app.git")
    acme = create_organization(parts, SERVER, host="gh", name="acme")
    create_project(parts, SERVER, acme, NewProject(name="app", url=str(folder / "app.git")))


class Client:
    """Somebody who talks to a server with the operator's token."""

    def __init__(self, url: str) -> None:
        headers = {"Circle-Token": TOKEN}
        self.http = httpx.Client(base_url=f"{url}/api/v2", headers=headers, timeout=30, verify=False)  # noqa: S501 - certificates of tests are self-signed

    def trigger(self, **parameters: object) -> httpx.Response:
        """The answer to a trigger of the branch main."""
        body = {"branch": "main", "parameters": parameters}
        return self.http.post(f"/project/{SLUG}/pipeline", json=body)

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever was answered
        """The body of the answer to a GET, which must succeed."""
        answer = self.http.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def list_all(self, path: str) -> list[dict[str, Any]]:
        """The items of all pages."""
        items: list[dict[str, Any]] = []
        page: str | None = ""
        while page is not None:
            found = self.get(f"{path}?page-token={page}" if page else path)
            items += found["items"]
            page = found["next_page_token"]
        return items

    def list_pipelines(self) -> dict[str, dict[str, Any]]:
        """The project's pipelines by id."""
        return {item["id"]: item for item in self.list_all(f"/project/{SLUG}/pipeline")}

    def list_jobs(self, pipeline: str) -> list[dict[str, Any]]:
        """The jobs of the pipeline's workflows."""
        workflows = self.list_all(f"/pipeline/{pipeline}/workflow")
        return [job for workflow in workflows for job in self.list_all(f"/workflow/{workflow['id']}/job")]

    def close(self) -> None:
        """Nothing is open any more."""
        self.http.close()
