"""Webhooks as the hosts document them: small bodies written by hand, and the headers that go with them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

import msgspec

SECRET = "s3cret-of-the-hook"
SIGNING = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, more or").decode()
BEFORE, AFTER, OTHER, TAG_OBJECT = "a1" * 20, "b2" * 20, "c3" * 20, "d4" * 20
ZERO = "0" * 40
NOW = 1_760_000_000_000

Body = dict[str, object]


class Message(msgspec.Struct, frozen=True):
    """The headers and the body of one delivery."""

    headers: Mapping[str, str]
    body: bytes

    def with_header(self, name: str, value: str | None) -> "Message":
        """The message with another header, or without one."""
        kept = {key: each for key, each in self.headers.items() if key != name}
        return Message(kept if value is None else kept | {name: value}, self.body)


def encode(body: object) -> bytes:
    return json.dumps(body).encode()


def sign(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def from_github(event: str, body: object, secret: str = SECRET) -> Message:
    data = encode(body)
    return Message(
        {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": "7b6a1c50-0000-11f0-8000-000000000001",
            "X-Hub-Signature-256": f"sha256={sign(data, secret)}",
            "Content-Type": "application/json",
        },
        data,
    )


def from_gitea(event: str, body: object, secret: str = SECRET) -> Message:
    data = encode(body)
    return Message(
        {
            "X-Gitea-Event": event,
            "X-Gitea-Delivery": "f6266f16-0000-4000-8000-000000000002",
            "X-Gitea-Signature": sign(data, secret),
            "X-GitHub-Event": event,
            "X-Hub-Signature-256": f"sha256={sign(data, secret)}",
        },
        data,
    )


def from_gitlab(event: str, body: object, secret: str = SECRET) -> Message:
    headers = {"X-Gitlab-Event": event, "X-Gitlab-Token": secret, "Idempotency-Key": "e5d2-gitlab"}
    return Message(headers, encode(body))


def from_gitlab_signed(event: str, body: object, *, secret: str = SIGNING, at: int = NOW) -> Message:
    data, time = encode(body), str(at // 1000)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"e5d2-gitlab.{time}.".encode() + data, "sha256")
    headers = {
        "X-Gitlab-Event": event,
        "webhook-id": "e5d2-gitlab",
        "webhook-timestamp": time,
        "webhook-signature": f"v1,c3RhbGU= v1,{base64.b64encode(digest).decode()}",
    }
    return Message(headers, data)


def from_bitbucket(event: str, body: object, secret: str = SECRET) -> Message:
    data = encode(body)
    headers = {
        "X-Event-Key": event,
        "X-Request-UUID": "b1-cloud",
        "X-Hub-Signature": f"sha256={sign(data, secret)}",
    }
    return Message(headers, data)


def github_repository(name: str = "acme/app", number: int = 11) -> Body:
    return {
        "id": number,
        "name": name.rpartition("/")[2],
        "full_name": name,
        "owner": {"login": name.partition("/")[0]},
        "html_url": f"https://github.com/{name}",
        "clone_url": f"https://github.com/{name}.git",
        "ssh_url": f"git@github.com:{name}.git",
        "default_branch": "main",
        "fork": False,
    }


def github_commit(sha: str = AFTER, message: str = "fix the pump\n\nIt leaked.") -> Body:
    return {
        "id": sha,
        "message": message,
        "timestamp": "2026-11-20T10:00:00+01:00",
        "url": f"https://github.com/acme/app/commit/{sha}",
        "author": {"name": "Ann", "email": "ann@example.com", "username": "ann"},
        "added": ["new.py"],
        "removed": [],
        "modified": ["pump.py"],
    }


def github_push(ref: str = "refs/heads/main", **changes: object) -> Body:
    body: Body = {
        "ref": ref,
        "before": BEFORE,
        "after": AFTER,
        "created": False,
        "deleted": False,
        "forced": False,
        "repository": github_repository(),
        "commits": [github_commit(OTHER, "first step"), github_commit()],
        "head_commit": github_commit(),
        "pusher": {"name": "ann", "email": "ann@example.com"},
        "sender": {"login": "ann", "type": "User", "avatar_url": "https://avatars.example/ann"},
    }
    return body | changes


def github_pull(action: str = "opened", *, fork: bool = False, **changes: object) -> Body:
    head = github_repository("bob/app", 12) if fork else github_repository()
    body: Body = {
        "action": action,
        "number": 7,
        "pull_request": {
            "number": 7,
            "html_url": "https://github.com/acme/app/pull/7",
            "title": "Mend the pump",
            "draft": False,
            "merged": False,
            "user": {"login": "bob"},
            "head": {"ref": "mend", "sha": AFTER, "repo": head},
            "base": {"ref": "main", "sha": BEFORE, "repo": github_repository()},
        },
        "repository": github_repository(),
        "sender": {"login": "bob", "type": "User"},
    }
    return body | changes


def gitea_push(ref: str = "refs/heads/main", **changes: object) -> Body:
    return github_push(ref, total_commits=2, **changes)


def gitlab_project(name: str = "acme/app", number: int = 21) -> Body:
    return {
        "id": number,
        "name": "app",
        "path_with_namespace": name,
        "web_url": f"https://gitlab.com/{name}",
        "git_http_url": f"https://gitlab.com/{name}.git",
        "git_ssh_url": f"git@gitlab.com:{name}.git",
        "default_branch": "main",
    }


def gitlab_commit(sha: str = AFTER) -> Body:
    return {
        "id": sha,
        "message": "fix the pump\n",
        "title": "fix the pump",
        "timestamp": "2026-11-20T10:00:00+01:00",
        "url": f"https://gitlab.com/acme/app/-/commit/{sha}",
        "author": {"name": "Ann", "email": "ann@example.com"},
        "added": [],
        "modified": ["pump.py"],
        "removed": [],
    }


def gitlab_push(ref: str = "refs/heads/main", **changes: object) -> Body:
    body: Body = {
        "object_kind": "push",
        "ref": ref,
        "before": BEFORE,
        "after": AFTER,
        "checkout_sha": AFTER,
        "user_name": "Ann",
        "user_username": "ann",
        "user_email": "",
        "user_avatar": None,
        "project_id": 21,
        "project": gitlab_project(),
        "commits": [gitlab_commit()],
        "total_commits_count": 1,
    }
    return body | changes


def gitlab_merge(
    action: str = "open",
    *,
    fork: bool = False,
    changes: Body | None = None,
    more: Mapping[str, str] | None = None,
) -> Body:
    return {
        "object_kind": "merge_request",
        "user": {"id": 1, "name": "Bob", "username": "bob", "email": "[REDACTED]"},
        "project": gitlab_project(),
        "object_attributes": {
            "id": 900,
            "iid": 7,
            "action": action,
            "title": "Mend the pump",
            "url": "https://gitlab.com/acme/app/-/merge_requests/7",
            "source_branch": "mend",
            "target_branch": "main",
            "source_project_id": 22 if fork else 21,
            "target_project_id": 21,
            "source": gitlab_project("bob/app", 22) if fork else gitlab_project(),
            "target": gitlab_project(),
            "last_commit": gitlab_commit(),
            "work_in_progress": False,
            **(more or {}),
        },
        "changes": changes or {},
    }


def bitbucket_repository(name: str = "acme/app", uuid: str = "{31}") -> Body:
    return {
        "type": "repository",
        "uuid": uuid,
        "name": "app",
        "full_name": name,
        "links": {"html": {"href": f"https://bitbucket.org/{name}"}},
    }


def bitbucket_commit(sha: str = AFTER) -> Body:
    return {
        "type": "commit",
        "hash": sha,
        "message": "fix the pump\n",
        "author": {
            "raw": "Ann Example <ann@example.com>",
            "user": {"nickname": "ann", "display_name": "Ann"},
        },
        "links": {"html": {"href": f"https://bitbucket.org/acme/app/commits/{sha}"}},
    }


def bitbucket_ref(name: str = "main", kind: str = "branch", sha: str = AFTER) -> Body:
    return {"type": kind, "name": name, "target": bitbucket_commit(sha)}


def bitbucket_push(*changes: Body) -> Body:
    usual: Body = {
        "old": bitbucket_ref(sha=BEFORE),
        "new": bitbucket_ref(),
        "forced": False,
        "truncated": False,
        "commits": [bitbucket_commit(), bitbucket_commit(OTHER)],
    }
    return {
        "actor": {"type": "user", "nickname": "ann", "display_name": "Ann"},
        "repository": bitbucket_repository(),
        "push": {"changes": list(changes or (usual,))},
    }


def bitbucket_pull(*, fork: bool = False) -> Body:
    source = bitbucket_repository("bob/app", "{32}") if fork else bitbucket_repository()
    return {
        "actor": {"type": "user", "nickname": "bob", "display_name": "Bob"},
        "repository": bitbucket_repository(),
        "pullrequest": {
            "id": 7,
            "title": "Mend the pump",
            "draft": False,
            "state": "OPEN",
            "author": {"type": "user", "nickname": "bob"},
            "source": {"branch": {"name": "mend"}, "commit": {"hash": AFTER[:12]}, "repository": source},
            "destination": {
                "branch": {"name": "main"},
                "commit": {"hash": BEFORE[:12]},
                "repository": bitbucket_repository(),
            },
            "links": {"html": {"href": "https://bitbucket.org/acme/app/pull-requests/7"}},
        },
    }


def server_repository(project: str = "ACME", number: int = 41) -> Body:
    return {
        "id": number,
        "slug": "app",
        "name": "app",
        "project": {"key": project, "id": 1, "name": project.title()},
        "links": {
            "clone": [{"href": f"ssh://git@bb.example:7999/{project.lower()}/app.git", "name": "ssh"}],
            "self": [{"href": f"https://bb.example/projects/{project}/repos/app/browse"}],
        },
    }


def server_push(ref: str = "refs/heads/main") -> Body:
    return {
        "eventKey": "repo:refs_changed",
        "date": "2026-11-20T10:00:00+0100",
        "actor": {"name": "ann", "displayName": "Ann", "emailAddress": "ann@example.com", "type": "NORMAL"},
        "repository": server_repository(),
        "changes": [
            {
                "ref": {"id": ref, "displayId": ref.rpartition("/")[2], "type": "BRANCH"},
                "refId": ref,
                "fromHash": BEFORE,
                "toHash": AFTER,
                "type": "UPDATE",
            }
        ],
        "toCommit": {"id": AFTER, "message": "fix the pump", "author": {"name": "ann", "displayName": "Ann"}},
    }


def server_pull(event: str = "pr:opened", *, fork: bool = False) -> Body:
    source = server_repository("~BOB", 42) if fork else server_repository()
    body: Body = {
        "eventKey": event,
        "date": "2026-11-20T10:00:00+0100",
        "actor": {"name": "bob", "displayName": "Bob", "type": "NORMAL"},
        "pullRequest": {
            "id": 7,
            "title": "Mend the pump",
            "draft": False,
            "state": "OPEN",
            "fromRef": {
                "id": "refs/heads/mend",
                "displayId": "mend",
                "latestCommit": AFTER,
                "repository": source,
            },
            "toRef": {
                "id": "refs/heads/main",
                "displayId": "main",
                "latestCommit": BEFORE,
                "repository": server_repository(),
            },
            "author": {"user": {"name": "bob"}},
            "links": {"self": [{"href": "https://bb.example/projects/ACME/repos/app/pull-requests/7"}]},
        },
    }
    return body | ({"previousFromHash": OTHER} if event == "pr:from_ref_updated" else {})


PUSHES: Mapping[str, Callable[[], Message]] = {
    "github": lambda: from_github("push", github_push()),
    "gitea": lambda: from_gitea("push", gitea_push()),
    "gitlab": lambda: from_gitlab("Push Hook", gitlab_push()),
    "gitlab_signed": lambda: from_gitlab_signed("Push Hook", gitlab_push()),
    "bitbucket": lambda: from_bitbucket("repo:push", bitbucket_push()),
    "bitbucket_server": lambda: from_bitbucket("repo:refs_changed", server_push()),
}
"""The same push, as each host tells of it."""

PULLS: Mapping[str, Callable[[bool], Message]] = {
    "github": lambda fork: from_github("pull_request", github_pull(fork=fork)),
    "gitea": lambda fork: from_gitea("pull_request", github_pull(fork=fork)),
    "gitlab": lambda fork: from_gitlab("Merge Request Hook", gitlab_merge(fork=fork)),
    "bitbucket": lambda fork: from_bitbucket("pullrequest:created", bitbucket_pull(fork=fork)),
    "bitbucket_server": lambda fork: from_bitbucket("pr:opened", server_pull(fork=fork)),
}
"""The same pull request when it was opened, from a branch or from a fork."""
