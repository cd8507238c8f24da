"""The table of budgets, and the limiters that hold it."""

import pytest

from chat_mvp.errors import RateLimitedError
from chat_mvp.security.budgets import BUDGETS, Budget, RateLimits

TWO = {"search": Budget("account", 2, 0.5, "searches"), "ping": Budget("account", 1, 1, "pings")}


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_refusal_names_the_action_and_the_delay() -> None:
    limits = RateLimits(TWO, clock=Clock())
    limits.check("search", "ann")
    limits.check("search", "ann")
    with pytest.raises(RateLimitedError) as refused:
        limits.check("search", "ann")
    assert refused.value.detail == "Too many searches. Try again in 2 seconds."
    assert refused.value.retry_after_ms == 2_000


def test_budgets_and_accounts_do_not_share() -> None:
    limits = RateLimits(TWO, clock=Clock())
    limits.check("ping", "ann")
    limits.check("ping", "bob")
    limits.check("search", "ann")
    with pytest.raises(RateLimitedError):
        limits.check("ping", "ann")


def test_limits_that_are_off_allow_everything() -> None:
    limits = RateLimits(TWO, enabled=False)
    for _ in range(100):
        limits.check("ping", "ann")


def test_every_budget_refills() -> None:
    assert [name for name, budget in BUDGETS.items() if budget.burst < 1 or budget.rate_per_s <= 0] == []
