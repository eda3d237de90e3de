"""Who owns what: organizations and projects."""

from uuid import NAMESPACE_URL, uuid5

import msgspec


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """The owner of projects, contexts and serial groups."""

    id: int
    uuid: str
    slug: str  # `gh/acme`, or `local`
    name: str


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """One repository and its settings. `slug` is `<organization slug>/<name>`."""

    id: int
    uuid: str
    organization_id: int
    slug: str
    name: str
    url: str  # where the source is cloned from
    default_branch: str
    created_at: int
    public: bool = False  # everybody with an account on this server may look at it


def definition_id(project: Project) -> str:
    """The id of the one thing the project's pipelines are made of; it follows from the project's."""
    return str(uuid5(NAMESPACE_URL, f"pipeline-definition:{project.uuid}"))


class SshKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A private SSH key of a project, and what it is known by.

    `md5` and `sha256` are its fingerprints as CircleCI and OpenSSH show them (`c9:0b:…`, `SHA256:…`);
    `host` is the host it is for, empty for any.
    """

    private: str
    md5: str
    sha256: str
    host: str = ""

    def answers_to(self, fingerprint: str) -> bool:
        """True when this is one of the key's fingerprints, with or without the name of its hash."""
        text = fingerprint.strip().removeprefix("MD5:").removeprefix("SHA256:")
        return text.lower() == self.md5 or text.rstrip("=") == self.sha256.removeprefix("SHA256:")
