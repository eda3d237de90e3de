"""Who is told next, and what follows from how it went."""

from collections import Counter
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.webhook_choice import (
    FIRST_REST,
    GIVE_UP_AFTER,
    GROWTH,
    LONGEST_RECEIVER_REST,
    LONGEST_REST,
    SLOW,
    Limits,
    choose_queues,
    find_next,
    find_ready,
    find_rest,
    is_news,
    is_troubled,
    is_unproven,
    judge_delivery,
    judge_receiver,
)
from penstock.model.webhook import Delivery, DeliveryState, WebhookEvent
from penstock.notify.send import Receipt
from penstock.store.webhook_deliveries import Queue

JOB = WebhookEvent.JOB_COMPLETED
NOW = 1_000_000_000_000
LIMITS = Limits(slots=8, of_host=2, of_troubled=3, of_unproven=5)
_numbers = count(1)


def queue(
    project: int = 1, host: str = "", *, due: int = 0, failures: int = 0, rests: int = 0, slowness: int = 0
) -> Queue:
    number = next(_numbers)
    place = host or f"{number}.example:443"
    return Queue(number, project, place, failures, rests, slowness, NOW + due, number)


def delivery(event: WebhookEvent = WebhookEvent.PING, *, attempts: int = 1, age: int = 0) -> Delivery:
    return Delivery(
        id=1,
        uuid="u",
        webhook_id=1,
        event=event,
        subject="",
        state=DeliveryState.SENDING,
        created_at=NOW - age,
        asked_at=NOW - age,
        due_at=NOW,
        attempts=attempts,
        attempted_at=NOW,
        status=None,
        duration=None,
        error="",
        answer="",
    )


def test_a_webhook_gets_one_thing_at_a_time() -> None:
    first, second = queue(), queue()
    assert choose_queues([first, second], [first], NOW, LIMITS) == [second]


def test_what_is_due_longer_goes_first() -> None:
    late, early = queue(due=-1), queue(due=-5)
    assert choose_queues([late, early], [], NOW, LIMITS) == [early, late]


def test_what_is_not_due_or_whose_receiver_rests_waits() -> None:
    later, resting = queue(due=7), queue(rests=NOW + 3)
    assert choose_queues([later, resting], [], NOW, LIMITS) == []
    assert find_next([later, resting], [], NOW) == NOW + 3
    assert find_next([later, resting], [resting], NOW) == NOW + 7
    assert find_next([queue(due=-1)], [], NOW) is None


def test_a_clock_that_was_set_back_puts_nothing_off() -> None:
    year = 365 * 86_400_000
    for each in (queue(due=year), queue(rests=NOW + year), queue(due=year, rests=NOW + year)):
        assert choose_queues([each], [], NOW, LIMITS) == [each]
    assert find_ready(queue(rests=NOW + 3_600_000, due=-1), NOW) == NOW + 3_600_000


def test_a_host_has_its_share_however_many_webhooks_lead_there() -> None:
    crowd = [queue(project, "slow.example:443", due=-9) for project in range(50)]
    other = queue(99)
    chosen = choose_queues([*crowd, other], [], NOW, LIMITS)
    assert len(chosen) == 3
    assert other in chosen
    assert choose_queues([*crowd, other], chosen, NOW, LIMITS) == []


def test_those_that_were_slow_or_gone_share_a_part() -> None:
    troubled = [queue(due=-9, failures=1) for _ in range(5)]
    troubled += [queue(due=-9, slowness=SLOW) for _ in range(5)]
    well = [queue(2) for _ in range(3)]
    chosen = choose_queues([*troubled, *well], [], NOW, LIMITS)
    assert sum(map(is_troubled, chosen)) == 3
    assert set(well) <= set(chosen)


def test_room_is_left_to_those_that_were_quick() -> None:
    unknown = [queue(project, due=-9, slowness=-1) for project in range(50)]
    proven = [queue(99) for _ in range(3)]
    chosen = choose_queues([*unknown, *proven], [], NOW, LIMITS)
    assert sum(map(is_unproven, chosen)) == 5
    assert set(proven) <= set(chosen)


def test_projects_take_turns() -> None:
    crowd = [queue(1, due=-100) for _ in range(50)]
    [single] = [queue(2)]
    assert single in choose_queues([*crowd, single], [], NOW, LIMITS)
    under_way = choose_queues(crowd, [], NOW, Limits(slots=7))
    assert choose_queues([*crowd, single], under_way, NOW, LIMITS) == [single]


@given(
    st.lists(
        st.builds(
            queue,
            st.integers(0, 3),
            st.sampled_from(["a:1", "b:1", "c:1"]),
            due=st.integers(-5, 5),
            failures=st.integers(0, 1),
            slowness=st.sampled_from([-1, 0, SLOW]),
        ),
        max_size=40,
    ),
    st.integers(0, 8),
)
def test_no_limit_is_ever_passed_and_no_room_is_wasted(queues: list[Queue], begun: int) -> None:
    under_way = choose_queues(queues[:begun], [], NOW, LIMITS)
    chosen = choose_queues(queues, under_way, NOW, LIMITS)
    every = [*under_way, *chosen]
    assert len({each.webhook_id for each in every}) == len(every) <= LIMITS.slots
    hosts = Counter(each.host for each in every)
    assert all(number <= LIMITS.of_host for number in hosts.values())
    assert sum(map(is_troubled, every)) <= LIMITS.of_troubled
    assert sum(map(is_unproven, every)) <= LIMITS.of_unproven
    for each in queues:
        if each not in every and find_ready(each, NOW) <= NOW and len(every) < LIMITS.slots:
            full = is_troubled(each) and sum(map(is_troubled, every)) == LIMITS.of_troubled
            full |= is_unproven(each) and sum(map(is_unproven, every)) == LIMITS.of_unproven
            assert full or hosts[each.host] == LIMITS.of_host


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_success_is_a_delivery(status: int) -> None:
    change = judge_delivery(delivery(), Receipt(status=status), 0, NOW)
    assert (change.state, change.due_at, change.status) == (DeliveryState.DELIVERED, None, status)


@pytest.mark.parametrize("status", [100, 199, 300, 302, 400, 404, 410, 500, 599])
def test_any_other_answer_is_tried_again(status: int) -> None:
    change = judge_delivery(delivery(JOB, attempts=3), Receipt(status=status), 0, NOW)
    assert (change.state, change.due_at) == (DeliveryState.WAITING, NOW + FIRST_REST * GROWTH**2)


def test_rests_grow_to_a_bound() -> None:
    rests = [find_rest(attempts) for attempts in range(1, 100)]
    assert rests == sorted(rests)
    assert (rests[0], rests[-1]) == (FIRST_REST, LONGEST_REST)


def test_a_ping_is_sent_once_and_old_things_are_given_up() -> None:
    failed = Receipt(error="no")
    for each in (delivery(), delivery(JOB, age=GIVE_UP_AFTER)):
        assert judge_delivery(each, failed, 0, NOW).state is DeliveryState.FAILED
    assert judge_delivery(delivery(JOB, age=GIVE_UP_AFTER - 1), failed, 0, NOW).state is DeliveryState.WAITING
    assert (
        judge_delivery(delivery(JOB), Receipt(error="no", final=True), 0, NOW).state is DeliveryState.FAILED
    )


def test_a_receiver_that_is_away_is_left_alone_longer_each_time() -> None:
    here = queue()
    for receipt in (Receipt(error="no"), *(Receipt(status=status) for status in (429, 502, 503, 504))):
        change = judge_receiver(here, receipt, NOW)
        assert (change.failures, change.rests_until) == (1, NOW + FIRST_REST)
        assert is_news(here, change)
    long_gone = queue(failures=50)
    assert judge_receiver(long_gone, Receipt(error="no"), NOW).rests_until == NOW + LONGEST_RECEIVER_REST
    back = judge_receiver(long_gone, Receipt(status=200), NOW)
    assert (back.failures, back.rests_until) == (0, 0)


@pytest.mark.parametrize(
    ("wait", "seconds"), [("60", 60), ("1", 5), ("999999", 3600), ("soon", 5), ("", 5), ("-5", 5), ("1e9", 5)]
)
def test_a_receiver_may_ask_for_a_longer_rest_within_an_hour(wait: str, seconds: int) -> None:
    change = judge_receiver(queue(), Receipt(status=503, wait=wait), NOW)
    assert change.rests_until == NOW + seconds * 1000


@pytest.mark.parametrize("receipt", [Receipt(status=200), Receipt(status=500), Receipt(error="x", ours=True)])
def test_a_receiver_that_answers_is_not_away(receipt: Receipt) -> None:
    change = judge_receiver(queue(), receipt, NOW)
    assert (change.failures, change.rests_until) == (0, 0)
    assert not is_news(queue(), change)


def test_slowness_is_noted_when_it_comes_and_when_it_goes() -> None:
    slow = Receipt(status=200, duration=SLOW)
    assert is_news(queue(), judge_receiver(queue(), slow, NOW))
    assert not is_news(queue(slowness=SLOW), judge_receiver(queue(slowness=SLOW), slow, NOW))
    assert is_news(queue(slowness=SLOW), judge_receiver(queue(slowness=SLOW), Receipt(status=200), NOW))
