"""`penstock webhook deliveries`, `redeliver` and `ping`: what was sent to a webhook, and sending it again."""

import time
from typing import Annotated

from cyclopts import Parameter

from penstock.api.penstock.webhooks_payloads import DeliveryView, SentView
from penstock.cli.exit import Exit
from penstock.cli.remote.access import IN_PROJECT, InProject, open_client
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import show_age, show_day, write_items, write_json, write_line, write_table
from penstock.cli.remote.names import find_webhook
from penstock.model.webhook import DeliveryState

PATIENCE = 30.0
"""Seconds a command waits for what it has had sent."""

_REST = 0.2
_OPEN = {DeliveryState.WAITING, DeliveryState.SENDING}

Named = Annotated[str, Parameter(name="webhook")]
Delivery = Annotated[str, Parameter(name="delivery")]


def deliveries(
    named: Named, delivery: Delivery = "", /, *, limit: int = 20, access: InProject = IN_PROJECT
) -> int:
    """List what was sent to a webhook of late, or show one of these.

    Parameters
    ----------
    named
        The webhook, by id or name.
    delivery
        The id of a delivery, to show it with its body and the answer.
    limit
        How many are listed, the newest first.
    """
    client = open_client(access)
    place = f"webhooks/{find_webhook(client, named, access.project).id}/deliveries"
    if delivery:
        return _show(client.own("GET", f"{place}/{delivery}", SentView), access)
    every = client.list_own(place, DeliveryView, limit=min(max(limit, 1), 1000))
    found = (each for each, _ in zip(every, range(limit), strict=False))
    heading = ("ID", "EVENT", "STATE", "ATTEMPTS", "WHEN", "OUTCOME")
    return write_items(found, _list_cells, *heading, json=access.json)


def redeliver(named: Named, delivery: Delivery, /, *, access: InProject = IN_PROJECT) -> int:
    """Send a delivery again, and wait for what becomes of it.

    Parameters
    ----------
    named
        The webhook, by id or name.
    delivery
        The id of the delivery, as `penstock webhook deliveries` lists it.
    """
    client = open_client(access)
    place = f"webhooks/{find_webhook(client, named, access.project).id}"
    asked = client.own("POST", f"{place}/deliveries/{delivery}/redeliver", DeliveryView)
    return _await(client, place, asked, access)


def ping(named: Named, /, *, access: InProject = IN_PROJECT) -> int:
    """Send a ping to a webhook, and wait for what becomes of it. Exits with 1 when nobody takes it.

    Parameters
    ----------
    named
        The webhook, by id or name.
    """
    client = open_client(access)
    place = f"webhooks/{find_webhook(client, named, access.project).id}"
    return _await(client, place, client.own("POST", f"{place}/ping", DeliveryView), access)


def _await(client: Client, place: str, asked: DeliveryView, access: InProject) -> int:
    """Say how the next attempt went, or that it has not ended."""
    until = time.monotonic() + PATIENCE
    seen = asked
    while seen.attempts == asked.attempts or seen.state is DeliveryState.SENDING:
        if time.monotonic() > until or (seen.state not in _OPEN and seen.attempts == asked.attempts):
            break
        time.sleep(_REST)
        seen = client.own("GET", f"{place}/deliveries/{asked.id}", SentView).delivery
    if access.json:
        write_json(seen)
    else:
        write_line(f"{seen.event.value} {seen.id}: {_describe(seen)}")
    if seen.state is DeliveryState.DELIVERED:
        return Exit.SUCCESS
    unfinished = seen.attempts == asked.attempts or seen.state is DeliveryState.SENDING
    return Exit.UNFINISHED if unfinished and seen.state in _OPEN else Exit.FAILED


def _show(found: SentView, access: InProject) -> int:
    if access.json:
        write_json(found)
        return Exit.SUCCESS
    delivery = found.delivery
    write_table(
        [
            ["delivery", delivery.id],
            ["event", delivery.event.value],
            ["state", delivery.state.value],
            ["happened", show_day(delivery.created_at)],
            ["attempts", str(delivery.attempts)],
            ["last attempt", show_day(delivery.attempted_at)],
            ["next attempt", show_day(delivery.due_at)],
            ["outcome", _describe(delivery)],
            ["answer", delivery.answer or "-"],
            ["body", found.body or "-"],
        ]
    )
    return Exit.SUCCESS


def _list_cells(each: DeliveryView) -> list[str]:
    return [
        each.id,
        each.event.value,
        each.state.value,
        str(each.attempts),
        show_age(each.created_at),
        _describe(each),
    ]


def _describe(delivery: DeliveryView) -> str:
    """How the last attempt went, in a few words."""
    if delivery.status is not None:
        return f"{delivery.status} after {delivery.duration} ms"
    return delivery.error or delivery.state.value
