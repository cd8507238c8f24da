"""The rate limits of all actions in one table, and the limiters that enforce them.

``docs/limits.md`` gives the reason for each. A test compares the two. ``http/budgets.py`` says which route takes from
which budget, ``realtime/budgets.py`` does so for frames. Services take from the few budgets that depend on more.
"""

import time
from collections.abc import Callable, Mapping
from math import ceil
from typing import Final, Literal

from msgspec import Struct

from chat_mvp.errors import RateLimitedError
from chat_mvp.limits import REFUSAL_PAUSE_S
from chat_mvp.security.ratelimit import Limiter

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE


class Budget(Struct, frozen=True):
    """``burst`` actions at once, then ``rate_per_s``. Counted by account, by address, or by both together."""

    by: Literal["account", "address", "account at an address"]
    burst: int
    rate_per_s: float
    what: str
    """The name of the limited actions in an error text."""


BUDGETS: Final[Mapping[str, Budget]] = {
    # Before sign-in: by address. Many users may share one.
    "sign_in": Budget("address", 100, 2, "sign-ins from this address"),
    "register": Budget("address", 100, 2 / MINUTE, "new accounts from this address"),
    "refresh": Budget("address", 1_000, 20, "token refreshes from this address"),
    "handshake": Budget("address", 2_500, 100, "connections from this address"),
    "page": Budget("address", 3_000, 100, "requests from this address"),
    "probe": Budget("address", 100, 20, "requests from this address"),
    "astray": Budget("address", 3_000, 50, "requests without a valid URL or token"),
    # Wrong passwords, see security/guessing.py.
    "wrong_by_pair": Budget("account at an address", 10, 2 / MINUTE, "wrong passwords"),
    "wrong_by_address": Budget("address", 100, 1 / MINUTE, "wrong passwords"),
    "wrong_by_account": Budget("account", 100, 6 / MINUTE, "wrong passwords"),
    "wrong_reserve": Budget("account at an address", 3, 3 / HOUR, "wrong passwords"),
    # Reading.
    "read": Budget("account", 2_000, 100, "requests"),
    "history": Budget("account", 4_000, 50, "requests for messages"),
    "list": Budget("account", 200, 10, "requests for lists"),
    "receipts": Budget("account", 100, 5, "requests for receipts"),
    "changes": Budget("account", 60, 2, "requests for changes"),
    "search": Budget("account", 50, 5, "searches"),
    # Messages and what goes with them.
    "message": Budget("account", 500, 100, "messages"),
    "text": Budget("account", 1_000_000, 100_000, "long texts"),
    "mark": Budget("account", 10_000, 500, "acknowledgements"),
    "typing": Budget("account", 20, 5, "typing notifications"),
    # Conversations and their members: most of these store a system message.
    "create_conversation": Budget("account", 300, 1, "new conversations"),
    "create_group": Budget("account", 200, 10 / HOUR, "new groups and channels"),
    "change_conversation": Budget("account", 100, 1, "changes of conversations"),
    "change_member": Budget("account", 5_000, 5, "changes of members"),
    "leave_conversation": Budget("account", 1_000, 20, "leaves"),
    "own_settings": Budget("account", 300, 10, "changes of your settings"),
    "first_message": Budget("account", 1_000, 1 / MINUTE, "first messages to users who do not know you"),
    "add_stranger": Budget("account", 5_000, 200 / HOUR, "additions of users who do not know you"),
    # The account itself.
    "profile": Budget("account", 30, 0.5, "changes of your profile"),
    "contact": Budget("account", 500, 5, "changes of your contacts"),
    "block": Budget("account", 30, 1, "blocks"),
    "sign_out": Budget("account", 60, 1, "sign-outs"),
    # The connection.
    "connect": Budget("account", 60, 1, "connections"),
    "presence": Budget("account", 30, 1, "changes of your presence"),
    "subscribe": Budget("account", 60, 2, "presence subscriptions"),
    "token": Budget("account", 60, 1, "tokens"),
    "ping": Budget("account", 200, 20, "pings"),
}


class RateLimits:
    """A limiter for each budget."""

    def __init__(
        self,
        budgets: Mapping[str, Budget] = BUDGETS,
        *,
        enabled: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Allow everything unless ``enabled``. ``clock`` returns the time in seconds."""
        self._budgets = budgets
        self._limiters = {
            name: Limiter(rate_per_s=budget.rate_per_s, burst=budget.burst, clock=clock)
            for name, budget in budgets.items()
            if enabled
        }

    def check(self, action: str, key: str, cost: int = 1) -> None:
        """Take from the budget of this action for this account or address. ``RateLimitedError`` when it is used up."""
        limiter = self._limiters.get(action)
        wait_ms = None if limiter is None else limiter.allow(key, cost)
        if wait_ms is not None:
            raise too_many(self._budgets[action].what, wait_ms)

    def is_by_address(self, action: str) -> bool:
        """Return whether the budget of this action is counted by address. ``KeyError`` if there is no such budget."""
        return self._budgets[action].by == "address"


def too_many(what: str, wait_ms: int) -> RateLimitedError:
    """Return the error for too many actions in a short time."""
    seconds = ceil(wait_ms / 1000)
    unit = "second" if seconds == 1 else "seconds"
    return RateLimitedError(f"Too many {what}. Try again in {seconds:,} {unit}.", retry_after_ms=wait_ms)


def pause_s(error: RateLimitedError) -> float:
    """Return for how many seconds the server delays the refusal."""
    return min((error.retry_after_ms or 0) / 1000, REFUSAL_PAUSE_S)
