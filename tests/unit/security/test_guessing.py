"""Guessing is stopped, and no one is locked out by the guessing of others."""

import pytest
from structlog.testing import capture_logs

from chat_mvp.errors import RateLimitedError
from chat_mvp.security.guessing import RANK_FAMILIAR, RANK_FRESH, RANK_SUSPECT, SignInGuard, shown

HOME, CAFE = "192.0.2.1", "198.51.100.9"


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> SignInGuard:
    return SignInGuard(clock=clock)


def guess(guard: SignInGuard, name: str, address: str, account_id: str | None = None) -> bool:
    """Try a wrong password; tell whether it was checked."""
    try:
        attempt = guard.admit(name, address, account_id=account_id)
    except RateLimitedError:
        return False
    guard.failed(attempt, reason="wrong password")
    return True


def test_one_address_guesses_ten_times_and_then_twice_a_minute(guard: SignInGuard, clock: Clock) -> None:
    assert sum(guess(guard, "ann", CAFE) for _ in range(300)) == 10
    clock.now += 3_600
    checked = 0
    for _ in range(3_600):
        checked += guess(guard, "ann", CAFE)
        clock.now += 1
    assert checked <= 10 + 120


def test_a_refusal_says_when_to_retry(guard: SignInGuard, clock: Clock) -> None:
    while guess(guard, "ann", CAFE):
        pass
    with pytest.raises(RateLimitedError) as refused:
        guard.admit("ann", CAFE)
    clock.now += (refused.value.retry_after_ms or 0) / 1000
    assert guess(guard, "ann", CAFE)


def test_a_distributed_attack_is_bounded_and_the_owner_signs_in(guard: SignInGuard, clock: Clock) -> None:
    guard.remember(HOME, "ann")
    attackers = [f"203.0.{number // 250}.{number % 250}" for number in range(1_000)]
    checked = 0
    for number in range(100_000):
        checked += guess(guard, "ann", attackers[number % 1_000])
        clock.now += 0.001
    assert checked < 100 + 3 * 1_000 + 50, "the loose limit of the account, and the reserve of each address"
    known = guard.admit("ann", HOME)
    assert known.rank == RANK_FAMILIAR
    guard.succeeded(known)
    fresh = guard.admit("ann", CAFE)
    assert fresh.rank == RANK_FRESH
    guard.succeeded(fresh)


def test_both_names_of_an_account_share_the_loose_limit(guard: SignInGuard) -> None:
    addresses = [f"203.0.113.{number}" for number in range(100)]
    # Three of each name use the reserve.
    checked = [
        sum(guess(guard, name, address, "id") for address in addresses for _ in range(10))
        for name in ("ann", "ann@example.org")
    ]
    assert checked == [100 + 90 * 3, 100 * 3]
    assert sum(guess(guard, "bob", CAFE, "other id") for _ in range(10)) == 10


def test_one_address_does_not_learn_that_two_names_have_one_account(guard: SignInGuard) -> None:
    assert sum(guess(guard, "ann@example.org", CAFE, "id") for _ in range(20)) == 10
    assert sum(guess(guard, "ann", CAFE, "id") for _ in range(20)) == 10
    assert sum(guess(guard, "no one", CAFE) for _ in range(20)) == 10


def test_an_owner_who_mistypes_during_an_attack_can_sign_in(guard: SignInGuard, clock: Clock) -> None:
    for number in range(10_000):
        guess(guard, "ann", f"2001:db8:{number:x}::/64")
        clock.now += 0.001
    assert guess(guard, "ann", CAFE)
    assert guess(guard, "ann", CAFE)
    guard.succeeded(guard.admit("ann", CAFE))


def test_many_accounts_from_one_address(guard: SignInGuard) -> None:
    guard.remember(CAFE, "ann")
    assert sum(guess(guard, f"user {number}", CAFE) for number in range(1_000)) == 100
    guard.succeeded(guard.admit("ann", CAFE))


def test_right_passwords_use_nothing_up(guard: SignInGuard) -> None:
    for _ in range(1_000):
        guard.succeeded(guard.admit("ann", CAFE))
    for number in range(1_000):
        guard.succeeded(guard.admit(f"user {number}", CAFE))


def test_an_attempt_whose_password_was_not_checked_uses_nothing_up(guard: SignInGuard) -> None:
    for _ in range(100):
        guard.undo(guard.admit("ann", CAFE))
    assert guess(guard, "ann", CAFE)


def test_attempts_at_once_are_counted_before_any_has_ended(guard: SignInGuard) -> None:
    admitted = [guard.admit("ann", CAFE) for _ in range(10)]
    with pytest.raises(RateLimitedError):
        guard.admit("ann", CAFE)
    for attempt in admitted:
        guard.failed(attempt, reason="wrong password")


def test_an_address_with_wrong_passwords_waits_behind_the_others(guard: SignInGuard) -> None:
    assert guard.admit("ann", CAFE).rank == RANK_FRESH
    assert guard.admit("bob", CAFE).rank == RANK_SUSPECT


def test_limits_that_are_off_admit_everything() -> None:
    guard = SignInGuard(enabled=False)
    assert all(guess(guard, "ann", CAFE) for _ in range(1_000))


def test_results_are_counted_and_failures_logged_without_the_password() -> None:
    results: list[str] = []
    guard = SignInGuard(count=results.append)
    with capture_logs() as lines:
        for _ in range(12):
            guess(guard, "ann\nforged=line", CAFE)
        guard.succeeded(guard.admit("bob", CAFE))
    assert results == ["wrong"] * 10 + ["limited"] * 2 + ["ok"]
    assert [line["event"] for line in lines] == ["sign-in failed"] * 10 + ["sign-in refused"] * 2
    assert lines[0] == {
        "event": "sign-in failed",
        "log_level": "warning",
        "login": "ann\\nforged=line",
        "address": CAFE,
        "reason": "wrong password",
    }


@pytest.mark.parametrize(
    ("text", "logged"),
    [("ann", "ann"), ("x" * 65, "x" * 64 + "…"), ("a\x1b[31m\u202e", "a\\x1b[31m\\u202e"), ("Łukasz", "Łukasz")],
)
def test_what_a_log_shows_of_a_name(text: str, logged: str) -> None:
    assert shown(text) == logged
