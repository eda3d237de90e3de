import hypothesis.strategies as st
import pytest
from hypothesis import given

from penstock.kit.durations import format_duration, format_go_duration, parse_duration, parse_go_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("1.5h", 5400),
        ("90s", 90),
        ("1h30m", 5400),
        ("250ms", 0.25),
        (" 2d ", 172800),
        ("0s", 0),
    ],
)
def test_durations_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", " ", "10", "m", "10 m", "-5m", "10m!", "1h 30m", "1.m", "10M", "ten minutes"]
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write for example"):
        parse_duration(text)


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        assert parse_duration(text) >= 0
    except ValueError:
        return


@given(st.integers(0, 10**6), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_parts_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    assert parse_duration(f"{days}d{hours}h{minutes}m{seconds}s") == total


@given(st.integers(0, 10**9))
def test_what_go_prints_reads_as_the_same_time(millis: int) -> None:
    assert parse_duration(format_go_duration(millis / 1000)) * 1000 == pytest.approx(millis, abs=0.01)


@given(st.floats(0, 10**7))
def test_what_people_read_is_the_time_to_the_unit_shown(seconds: float) -> None:
    shown = format_duration(seconds)
    read = parse_duration(shown.replace(" ", ""))
    assert abs(read - seconds) <= (60.5 if "h" in shown else 0.51)  # hours drop the seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0s"),
        (0.44, "0.4s"),
        (9.99, "10.0s"),
        (10, "10s"),
        (59.6, "1m 00s"),
        (184, "3m 04s"),
        (3599.7, "1h 00m"),
        (3720, "1h 02m"),
    ],
)
def test_durations_for_a_terminal(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(600, "10m0s"), (3600, "1h0m0s"), (1.5, "1.5s"), (0, "0s"), (0.001, "0.001s"), (59.9999, "1m0s")],
)
def test_durations_as_go_prints_them(seconds: float, text: str) -> None:
    assert format_go_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("5ms", 5),
        ("1h30m", 5_400_000),
        ("2d", 172_800_000),
        ("1w", 604_800_000),
        ("1m1m", 120_000),
        ("0s", 0),
    ],
)
def test_whole_numbers_with_units_are_added(text: str, millis: int) -> None:
    assert parse_go_duration(text) == millis


@pytest.mark.parametrize(
    "text", ["", "1", "h", "1.5h", "-1h", " 1h", "1h ", "1h\n", "1y", "1h" * 8, "1" * 200 + "s"]
)
def test_anything_else_is_no_such_duration(text: str) -> None:
    with pytest.raises(ValueError, match="written like"):
        parse_go_duration(text)
