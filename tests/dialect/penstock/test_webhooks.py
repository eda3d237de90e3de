"""The log of a webhook's deliveries, and what can be sent again, as clients of our own API see it."""

from typing import Any

import msgspec
import pytest

from penstock.engine.webhook_choice import FIRST_REST
from penstock.engine.webhook_log import KEPT, KEPT_FOR, MOST_PINGS, prune_log
from penstock.kit.ids import new_id
from penstock.model.access import Role
from penstock.notify.send import Receipt
from penstock.store import webhook_deliveries
from tests.support.own_api import OwnSite
from tests.support.webhook_site import WebhookSite


@pytest.fixture
def hooks(site: OwnSite) -> WebhookSite:
    return WebhookSite(site)


def own(hooks: WebhookSite, method: str, path: str, status: int = 200, **more: Any) -> Any:  # noqa: ANN401 - whatever was answered
    site = hooks.site
    assert isinstance(site, OwnSite)
    return site.own(method, path, status=status, **more)


def test_a_ping_is_sent_once_with_a_short_body(hooks: WebhookSite) -> None:
    made = hooks.create()
    place = f"webhooks/{made['id']}"
    asked = own(hooks, "POST", f"{place}/ping", 202)
    assert (asked["event"], asked["state"], asked["attempts"]) == ("ping", "waiting", 0)
    assert own(hooks, "GET", f"{place}/deliveries/{asked['id']}") == {"delivery": asked, "body": ""}
    hooks.answer = lambda _: Receipt(status=404, answer="who?", error="the receiver answered with status 404")
    assert hooks.carry() is None
    shown = own(hooks, "GET", f"{place}/deliveries/{asked['id']}")
    assert (shown["delivery"]["state"], shown["delivery"]["answer"]) == ("failed", "who?")
    body = msgspec.json.decode(shown["body"])
    assert set(body) == {"type", "id", "happened_at", "webhook", "project", "organization"}
    assert (body["type"], body["id"]) == ("ping", asked["id"])


def test_a_ping_wakes_a_receiver_that_was_left_alone(hooks: WebhookSite) -> None:
    made = hooks.create()
    hooks.answer = lambda _: Receipt(error="no connection: Connection refused")
    own(hooks, "POST", f"webhooks/{made['id']}/ping", 202)
    assert hooks.carry() is None
    hooks.answer = lambda _: Receipt(status=200)
    own(hooks, "POST", f"webhooks/{made['id']}/ping", 202)
    hooks.carry()
    assert len(hooks.sent) == 2


def test_only_so_many_pings_wait(hooks: WebhookSite) -> None:
    place = f"webhooks/{hooks.create()['id']}/ping"
    for _ in range(MOST_PINGS):
        own(hooks, "POST", place, 202)
    assert "wait already" in own(hooks, "POST", place, 422)["message"]
    hooks.carry()
    own(hooks, "POST", place, 202)


def test_deliveries_are_listed_newest_first_in_pages(hooks: WebhookSite) -> None:
    place = f"webhooks/{hooks.create()['id']}"
    ids = [own(hooks, "POST", f"{place}/ping", 202)["id"] for _ in range(5)]
    first = own(hooks, "GET", f"{place}/deliveries?limit=2")
    rest = own(hooks, "GET", f"{place}/deliveries?limit=3&after={first['next']}")
    assert [each["id"] for each in (*first["items"], *rest["items"])] == ids[::-1]
    assert rest["next"] is None
    own(hooks, "GET", f"{place}/deliveries?after=x", 400)


def test_a_delivery_is_sent_again_with_the_body_it_had(hooks: WebhookSite) -> None:
    made = hooks.create(events=["workflow-completed"])
    hooks.site.code.configs["main"] = hooks.site.code.configs["main"].replace("parallelism: 2", "")
    hooks.site.trigger()
    hooks.site.post(f"workflow/{hooks.site.get_workflow()}/cancel", None, 202)
    hooks.carry()
    [sent] = hooks.sent
    place = f"webhooks/{made['id']}/deliveries"
    [listed] = own(hooks, "GET", place)["items"]
    assert listed["state"] == "delivered"
    hooks.site.lab.clock.advance(100)
    again = own(hooks, "POST", f"{place}/{listed['id']}/redeliver", 202)
    assert again["state"] == "waiting"
    assert (again["id"], again["created_at"]) == (listed["id"], listed["created_at"])
    hooks.answer = lambda _: Receipt(status=500)
    due = hooks.carry()
    assert due is not None
    assert due > hooks.parts.clock.now() + FIRST_REST
    own(hooks, "POST", f"{place}/{listed['id']}/redeliver", 202)
    hooks.answer = lambda _: Receipt(status=200)
    assert hooks.carry() is None
    assert [parcel.body for parcel in hooks.sent] == [sent.body] * 3


def test_what_is_being_sent_is_not_sent_again(hooks: WebhookSite) -> None:
    place = f"webhooks/{hooks.create()['id']}"
    asked = own(hooks, "POST", f"{place}/ping", 202)
    hooks.held = []
    hooks.carry()
    own(hooks, "POST", f"{place}/deliveries/{asked['id']}/redeliver", 409)
    hooks.held[0]()
    hooks.carry()
    own(hooks, "POST", f"{place}/deliveries/{asked['id']}/redeliver", 202)


def test_a_delivery_is_one_of_its_own_webhook(hooks: WebhookSite) -> None:
    one, other = hooks.create(), hooks.create()
    asked = own(hooks, "POST", f"webhooks/{one['id']}/ping", 202)
    for wrong, status in ((asked["id"], 404), (new_id(), 404), ("x", 400)):
        own(hooks, "GET", f"webhooks/{other['id']}/deliveries/{wrong}", status)
        own(hooks, "POST", f"webhooks/{other['id']}/deliveries/{wrong}/redeliver", status)
    own(hooks, "GET", "webhooks/x/deliveries", 400)
    own(hooks, "POST", f"webhooks/{new_id()}/ping", 404)


def test_viewers_see_no_deliveries(hooks: WebhookSite) -> None:
    made = hooks.create()
    viewer = hooks.site.add_person("viewer", Role.VIEWER)
    own(hooks, "GET", f"webhooks/{made['id']}/deliveries", 403, token=viewer)
    own(hooks, "POST", f"webhooks/{made['id']}/ping", 403, token=viewer)


def test_a_log_keeps_its_newest_and_nothing_that_is_old(hooks: WebhookSite) -> None:
    made = hooks.create()
    place = f"webhooks/{made['id']}"
    asked = own(hooks, "POST", f"{place}/ping", 202)
    hooks.carry()
    assert not prune_log(hooks.parts)
    assert len(hooks.log()) == 1
    hooks.site.lab.clock.advance(KEPT_FOR / 1000 + 1)
    own(hooks, "POST", f"{place}/ping", 202)
    assert not prune_log(hooks.parts)
    [left] = hooks.log()
    assert left.uuid != asked["id"]
    with hooks.parts.db.write() as tx:
        wanted = [(left.webhook_id, left.event, "")] * KEPT
        webhook_deliveries.promise_deliveries(tx, wanted, now=hooks.parts.clock.now())
    hooks.carry()
    assert len(hooks.log()) == 100  # a page
    assert not prune_log(hooks.parts)
    with hooks.parts.db.read() as tx:
        kept = webhook_deliveries.list_deliveries(tx, left.webhook_id, limit=KEPT * 2)
    assert len(kept) == KEPT
    assert left.uuid not in {each.uuid for each in kept}
