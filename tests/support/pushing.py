"""A bare repository on this disk, its project, and the signed webhooks that tell of pushes to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from penstock.bootstrap.parts import open_sealer
from penstock.bootstrap.settings import Settings
from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER
from penstock.engine.project_settings import add_hook_secret, change_project_settings
from penstock.engine.projects import NewProject, create_project
from penstock.engine.unit import Parts
from penstock.model.project import Project
from penstock.store import projects
from penstock.store.sealing import Sealer
from tests.support import hooks
from tests.support.repositories import git, make_repository, write_files
from tests.support.server import ServerProcess

SERVE = ("--git-protocols", "file", "--git-protocols", "http", "--slots", "2")
"""What a server needs to be told to build such a repository."""


class Origin:
    """A bare repository and a working copy that pushes to it."""

    def __init__(self, folder: Path, config: str) -> None:
        self.copy = make_repository(folder / "copy", {".circleci/config.yml": config, "word": "first"})
        self.bare = folder / "app.git"
        git(folder, "clone", "--quiet", "--bare", str(self.copy), str(self.bare))
        git(self.copy, "remote", "add", "origin", str(self.bare))

    def push(
        self, branch: str = "main", *, message: str = "next", files: Mapping[str, str] | None = None
    ) -> str:
        """A new commit on the branch, in the origin; returns its name."""
        git(self.copy, "checkout", "--quiet", "-B", branch)
        write_files(self.copy, dict(files or {}))
        git(self.copy, "add", "--all")
        git(self.copy, "commit", "--quiet", "--allow-empty", f"--message={message}")
        git(self.copy, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return git(self.copy, "rev-parse", "HEAD")


def add_built_project(
    parts: Parts, sealer: Sealer, url: str, name: str = "app", /, **settings: object
) -> Project:
    """The project `gh/acme/<name>`, whose webhooks are signed with the secret of `tests.support.hooks`."""
    with parts.db.read() as tx:
        acme = projects.find_organization(tx, "gh/acme")
    owner = acme or create_organization(parts, SERVER, host="gh", name="acme")
    project = create_project(parts, SERVER, owner, NewProject(name=name, url=url))
    add_hook_secret(parts, sealer, SERVER, project, hooks.SECRET)
    change_project_settings(parts, SERVER, project, settings)
    return project


def sealer_of(server: ServerProcess) -> Sealer:
    """What seals the server's secrets."""
    return open_sealer(Settings(), server.folder)


def announce(server: ServerProcess, project: Project, message: hooks.Message) -> httpx.Response:
    """The server's answer to the webhook."""
    return server.client.post(
        f"{server.url}/hooks/{project.uuid}", content=message.body, headers=dict(message.headers)
    )


def tell_push(sha: str, ref: str = "refs/heads/main", *, message: str = "next", **more: Any) -> hooks.Message:  # noqa: ANN401 - parts of a body
    """The signed webhook by which GitHub announces the push."""
    commit = hooks.github_commit(sha, message)
    body = hooks.github_push(ref, after=sha, commits=[commit], head_commit=commit, **more)
    return hooks.from_github("push", body)
