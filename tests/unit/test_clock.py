"""The server's clock: whatever other clocks do, it runs at nearly the right speed, and never back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.clock import MAX_SLEW, Clock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR_S = 3_600.0


class Uptime:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def clock() -> tuple[Clock, Uptime]:
    uptime = Uptime()
    return Clock(NOON, elapsed=uptime), uptime


def test_it_counts_what_has_passed() -> None:
    now, uptime = clock()
    uptime.seconds += 12.3456
    assert now() == NOON + timedelta(milliseconds=12_345)


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S, 40.0, -40.0, 0.02, -0.02])
def test_a_jump_is_made_good_slowly(jump_s: float) -> None:
    now, uptime = clock()
    assert now.follow(NOON + timedelta(seconds=jump_s)) == pytest.approx(jump_s)
    assert now() == NOON, "nothing jumps"
    uptime.seconds += 1
    rate = (now() - NOON).total_seconds()
    assert rate == pytest.approx(1 + max(-MAX_SLEW, min(MAX_SLEW, jump_s)), abs=0.002)
    uptime.seconds += abs(jump_s) / MAX_SLEW
    right = NOON + timedelta(seconds=uptime.seconds - 1_000.0 + jump_s)
    assert abs(now() - right) <= timedelta(milliseconds=1)
    uptime.seconds += 100
    assert abs(now() - right - timedelta(seconds=100)) <= timedelta(milliseconds=1), "it does not overshoot"


def test_a_jump_back_and_forth_leaves_it_where_it_was() -> None:
    now, uptime = clock()
    now.follow(NOON + timedelta(hours=1))
    now.follow(NOON)
    uptime.seconds += 60
    assert now() == NOON + timedelta(seconds=60)


def test_a_slow_drift_is_followed() -> None:
    """A machine whose second is a ten-thousandth too long is a minute behind after a week, and the clock is not."""
    now, uptime = clock()
    for minute in range(1, 10_001):
        uptime.seconds += 60 * 0.9999
        ahead_s = now.follow(NOON + timedelta(minutes=minute))
        assert abs(ahead_s) < 0.02
    assert abs(now() - NOON - timedelta(minutes=10_000)) < timedelta(milliseconds=20)


def test_it_can_be_set_before_it_has_dated_anything() -> None:
    now, uptime = clock()
    now.start_at(NOON - timedelta(hours=1))
    uptime.seconds += 1
    assert now() == NOON - timedelta(hours=1) + timedelta(seconds=1)


@given(st.lists(st.tuples(st.floats(0, 1_000), st.floats(-1e6, 1e6)), max_size=30))
def test_it_never_goes_back_and_never_runs_away(steps: list[tuple[float, float]]) -> None:
    now, uptime = clock()
    before, at = now(), uptime.seconds
    for passed_s, off_s in steps:
        uptime.seconds += passed_s
        now.follow(NOON + timedelta(seconds=off_s))
        moment = now()
        assert moment >= before
        went_s, real_s = (moment - before).total_seconds(), uptime.seconds - at
        assert real_s * (1 - MAX_SLEW) - 0.002 <= went_s <= real_s * (1 + MAX_SLEW) + 0.002
        before, at = moment, uptime.seconds
