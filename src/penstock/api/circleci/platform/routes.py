"""Every address of CircleCI's API that is not about one run: who may call it, what goes in and comes out."""

from penstock.api.circleci.platform import usage
from penstock.api.circleci.platform import usage_payloads as u
from penstock.api.circleci.rows import get, post, row
from penstock.api.common.route import PUBLIC, Route
from penstock.engine.access import Action

# fmt: off
_CONTEXTS: tuple[Route, ...] = (
)

_GROUPS: tuple[Route, ...] = (
)

_PROJECTS: tuple[Route, ...] = (
)

_KEYS: tuple[Route, ...] = (
)

_SCHEDULES: tuple[Route, ...] = (
)

_WEBHOOKS: tuple[Route, ...] = (
)

_POLICIES: tuple[Route, ...] = (
)

_CLAIMS: tuple[Route, ...] = (
)

_EXPORTS = "v2/organizations/{org_id}/usage_export_job"
_USAGE: tuple[Route, ...] = (
    post(_EXPORTS, usage.create, Action.EXPORT_USAGE, u.UsageExport, u.UsageExportBody, status=201,
         optional=False),
    get(f"{_EXPORTS}/{{usage_export_job_id}}", usage.get_export, Action.SEE_USAGE, u.UsageExportStatus),
    row("GET", usage.DOWNLOAD, usage.download, PUBLIC, None, query=u.DownloadQuery),
)
# fmt: on

PLATFORM: tuple[Route, ...] = (
    *_CONTEXTS,
    *_GROUPS,
    *_PROJECTS,
    *_KEYS,
    *_SCHEDULES,
    *_WEBHOOKS,
    *_POLICIES,
    *_CLAIMS,
    *_USAGE,
)
