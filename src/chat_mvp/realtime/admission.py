"""Limits how many connections catch up at once, so that a crowd of new ones does not delay live connections."""

import asyncio
from collections import Counter

from chat_mvp.limits import (
    CATCH_UP_FRAMES_PER_SLOT,
    MAX_CATCHING_UP_AT_ONCE,
    MAX_CATCHING_UP_AT_ONCE_EACH,
    MAX_CONNECTIONS,
)
from chat_mvp.security.fair_semaphore import FairSemaphore
from chat_mvp.security.ratelimit import Limiter

_RETRY_AFTER_MS = 1_000


class Slot:
    """The permission of one connection to catch up. Leaving twice does nothing."""

    __slots__ = ("_account", "_is_held", "_semaphore", "_sent")

    def __init__(self, semaphore: FairSemaphore, account: str) -> None:
        """Hold a slot of this account."""
        self._semaphore = semaphore
        self._account = account
        self._is_held = True
        self._sent = 0

    def leave(self) -> None:
        """Give the slot to others."""
        if self._is_held:
            self._is_held = False
            self._semaphore.release(self._account)

    async def back(self) -> None:
        """Wait for a slot again."""
        if not self._is_held:
            await self._semaphore.acquire(self._account)
            self._is_held = True

    def is_used_up(self) -> bool:
        """Count a frame; return whether it is time to give the slot to others."""
        self._sent += 1
        return self._sent % CATCH_UP_FRAMES_PER_SLOT == 0


class Admission:
    """Gives out slots to accounts in turn, and to the connections of one account in the order in which they came.

    So someone with many connections delays only their own.
    """

    def __init__(
        self,
        *,
        at_once: int = MAX_CATCHING_UP_AT_ONCE,
        at_once_each: int = MAX_CATCHING_UP_AT_ONCE_EACH,
        pace: Limiter | None = None,
    ) -> None:
        """Give out at most ``at_once`` slots, and ``at_once_each`` of them to one account.

        ``pace`` bounds how often the connections of one account begin; those beyond it wait.
        """
        self._pace = pace
        self._pausing: Counter[str] = Counter()
        # Every connection waits at most once, so none is ever refused.
        self._semaphore = FairSemaphore(
            at_once=at_once,
            at_once_each=at_once_each,
            max_waiting=MAX_CONNECTIONS,
            busy="Too many people are connecting just now. Try again in a moment.",
            retry_after_ms=_RETRY_AFTER_MS,
        )

    def waiting(self, account: str) -> int:
        """Return how many connections of an account wait."""
        return self._semaphore.waiting_of(account) + self._pausing[account]

    async def enter(self, account: str) -> Slot:
        """Return a slot for a connection that begins, once it is this account's turn."""
        while self._pace is not None and (wait_ms := self._pace.allow(account)) is not None:
            await self._pause(account, wait_ms / 1000)
        await self._semaphore.acquire(account)
        return Slot(self._semaphore, account)

    async def _pause(self, account: str, seconds: float) -> None:
        self._pausing[account] += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._pausing[account] -= 1
            if not self._pausing[account]:
                del self._pausing[account]
