from penstock.bootstrap.lease_watch import GAP, LeaseWatch

GRACE = 20.0


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def round_at(watch: LeaseWatch, time: Time, now: float) -> bool:
    time.now = now
    is_open = watch.is_open()
    watch.note_round()
    return is_open


def test_agents_have_time_after_a_start_and_after_the_server_was_away() -> None:
    time = Time()
    watch = LeaseWatch(GRACE, time)
    steps = [100.0 + at for at in range(int(GRACE) + 2)]
    assert [round_at(watch, time, at) for at in steps] == [False] * int(GRACE) + [True, True]
    back = steps[-1] + GAP + 1
    assert not round_at(watch, time, back)
    steps = [back + at for at in range(1, int(GRACE) + 1)]
    assert [round_at(watch, time, at) for at in steps] == [False] * (int(GRACE) - 1) + [True]


def test_rounds_that_fail_count_as_away() -> None:
    time = Time()
    watch = LeaseWatch(GRACE, time)
    for at in range(200):
        time.now = 100.0 + at
        watch.is_open()
    assert not round_at(watch, time, 301)
