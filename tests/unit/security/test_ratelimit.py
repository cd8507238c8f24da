import pytest

from chat_mvp.security.ratelimit import Limiter


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_then_the_rate(clock: Clock) -> None:
    limiter = Limiter(rate_per_s=10, burst=5, clock=clock)
    assert [limiter.allow("ann") for _ in range(5)] == [None] * 5
    assert limiter.allow("ann") == 100
    clock.now += 0.1
    assert limiter.allow("ann") is None
    assert limiter.allow("ann") == 100


def test_the_wait_is_long_enough(clock: Clock) -> None:
    limiter = Limiter(rate_per_s=3, burst=7, clock=clock)
    for _ in range(200):
        wait = limiter.allow("ann")
        if wait is not None:
            clock.now += wait / 1000
            assert limiter.allow("ann") is None
        clock.now += 0.01


def test_what_is_refused_costs_nothing(clock: Clock) -> None:
    limiter = Limiter(rate_per_s=1, burst=1, clock=clock)
    assert limiter.allow("ann") is None
    assert [limiter.allow("ann") for _ in range(10)] == [1000] * 10
    clock.now += 1
    assert limiter.allow("ann") is None


def test_in_the_long_run_the_rate_counts(clock: Clock) -> None:
    limiter = Limiter(rate_per_s=100, burst=50, clock=clock)
    allowed = 0
    for _ in range(10_000):
        allowed += limiter.allow("ann") is None
        clock.now += 0.001
    assert allowed == pytest.approx(10 * 100 + 50, abs=1)


def test_a_rest_never_fills_more_than_the_bucket(clock: Clock) -> None:
    limiter = Limiter(rate_per_s=10, burst=3, clock=clock)
    clock.now += 1_000_000
    assert [limiter.allow("ann") is None for _ in range(4)] == [True, True, True, False]


def test_keys_have_buckets_of_their_own(clock: Clock) -> None:
    limiter = Limiter(rate_per_s=1, burst=1, clock=clock)
    assert limiter.allow("ann") is None
    assert limiter.allow("bob") is None
    assert limiter.allow("ann") is not None


def test_some_things_cost_more(clock: Clock) -> None:
    limiter = Limiter(rate_per_s=10, burst=10, clock=clock)
    assert limiter.allow("ann", cost=8) is None
    assert limiter.allow("ann", cost=4) == 200
    assert limiter.allow("ann", cost=2) is None


def test_looking_takes_nothing_and_giving_back_undoes(clock: Clock) -> None:
    limiter = Limiter(rate_per_s=1, burst=2, clock=clock)
    assert limiter.wait_ms("ann") is None
    assert [limiter.allow("ann") for _ in range(2)] == [None, None]
    assert limiter.wait_ms("ann") == limiter.allow("ann") == 1000
    limiter.give_back("ann")
    assert limiter.wait_ms("ann") is None
    assert limiter.allow("ann") is None
    assert limiter.allow("ann") is not None


def test_memory_is_bounded(clock: Clock) -> None:
    limiter = Limiter(rate_per_s=1, burst=1, max_keys=100, clock=clock)
    assert all(limiter.allow(str(number)) is None for number in range(1_000))
    assert len(limiter) == 100
    assert limiter.allow("999") is not None


def test_keys_whose_bucket_is_full_are_forgotten_in_passing(clock: Clock) -> None:
    limiter = Limiter(rate_per_s=1, burst=5, clock=clock)
    for number in range(10_000):
        limiter.allow(str(number))
        clock.now += 0.01
    assert len(limiter) <= 200, "those of the last second, and as many again"


def test_a_flood_of_new_keys_refills_no_bucket_that_is_used_up(clock: Clock) -> None:
    limiter = Limiter(rate_per_s=0.001, burst=5, max_keys=1_000, clock=clock)
    used_up = [f"attacker {number}" for number in range(20)]
    for key in used_up:
        assert [limiter.allow(key) for _ in range(5)] == [None] * 5
    for number in range(50_000):
        limiter.allow(f"other {number}")
    assert all(limiter.allow(key) is not None for key in used_up)
