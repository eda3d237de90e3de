"""What job runs used, summed up by project and resource class."""

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.api.penstock.paging import Page, cut_page
from penstock.api.penstock.usage_payloads import UsageQuery, UsageView
from penstock.engine.access import Action
from penstock.engine.lookup import open_organization
from penstock.engine.usage_exports import DAY
from penstock.model.errors import InvalidError
from penstock.plan.executor import ExecutorKind
from penstock.plan.resources import compute_credits
from penstock.store.usage import Total, list_totals

_SPAN = 30 * DAY
_PARTS = 3


def sum_up(server: Server, call: Call) -> Page[UsageView]:
    """What the jobs of an organization used, by project and resource class."""
    query: UsageQuery = call.query
    end = server.parts.clock.now() if query.end is None else query.end
    start = max(end - _SPAN, 0) if query.start is None else query.start
    after = _read_after(query.after)
    with server.parts.db.read() as tx:
        owner = open_organization(tx, principal_of(call), Action.SEE_USAGE, call.params["organization"])
        found = list_totals(tx, owner.id, span=(start, end), after=after, limit=query.limit + 1)
    kept, rest = cut_page(found, query.limit, lambda each: "/".join(_key_of(each)))
    return Page([_show(server, each) for each in kept], rest)


def _show(server: Server, total: Total) -> UsageView:
    seconds = total.worked / 1000
    kind = ExecutorKind(total.executor)
    taken = compute_credits(total.resource_class, kind, seconds, prices=server.prices)
    return UsageView(
        project=total.project,
        name=total.project_name,
        executor=total.executor,
        resource_class=total.resource_class,
        runs=total.runs,
        seconds=seconds,
        credits=None if taken is None else round(taken, 2),
    )


def _key_of(total: Total) -> tuple[str, str, str]:
    return (total.project, total.executor, total.resource_class)


def _read_after(after: str) -> tuple[str, str, str]:
    """The key that a page begins behind. Raises InvalidError for what is none."""
    parts = after.split("/", _PARTS - 1) if after else [""] * _PARTS
    if len(parts) != _PARTS or "\0" in after:
        raise InvalidError("after: give the `next` of the page before")
    return (parts[0], parts[1], parts[2])
