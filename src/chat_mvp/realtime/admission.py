"""Limits how many connections catch up at once, so that a crowd of new ones does not delay live connections."""

import asyncio
from collections import deque

from chat_mvp.security.ratelimit import Limiter

AT_ONCE = 32
"""Connections that are brought up to date at the same time. Their reads share queries, so fewer would cost more."""
AT_ONCE_PER_ACCOUNT = 2
FRAMES_PER_SLOT = 100
"""Frames that one connection gets before it must give its slot back."""


class Slot:
    """The permission of one connection to catch up. Leaving twice does nothing."""

    __slots__ = ("_account", "_admission", "_is_held", "_sent")

    def __init__(self, admission: "Admission", account: str) -> None:
        """Hold a slot of this account."""
        self._admission = admission
        self._account = account
        self._is_held = True
        self._sent = 0

    def leave(self) -> None:
        """Give the slot to others."""
        if self._is_held:
            self._is_held = False
            self._admission.leave(self._account)

    async def back(self) -> None:
        """Wait for a slot again."""
        if not self._is_held:
            await self._admission.wait(self._account)
            self._is_held = True

    def is_used_up(self) -> bool:
        """Count a frame; return whether it is time to give the slot to others."""
        self._sent += 1
        return self._sent % FRAMES_PER_SLOT == 0


class Admission:
    """Gives out slots to accounts in turn, and to the connections of one account in the order in which they came.

    So someone with many connections delays only their own.
    """

    def __init__(
        self, *, at_once: int = AT_ONCE, per_account: int = AT_ONCE_PER_ACCOUNT, pace: Limiter | None = None
    ) -> None:
        """Give out at most ``at_once`` slots, and ``per_account`` of them to one account.

        ``pace`` bounds how often the connections of one account begin; those beyond it wait.
        """
        self._pace = pace
        self._pausing: dict[str, int] = {}
        self._free = at_once
        self._per_account = per_account
        self._held: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def waiting(self, account: str) -> int:
        """Return how many connections of an account wait."""
        return len(self._waiting.get(account, ())) + self._pausing.get(account, 0)

    async def enter(self, account: str) -> Slot:
        """Return a slot for a connection that begins, once it is this account's turn."""
        while self._pace is not None and (wait_ms := self._pace.allow(account)) is not None:
            await self._pause(account, wait_ms / 1000)
        await self.wait(account)
        return Slot(self, account)

    async def wait(self, account: str) -> None:
        """Wait for a slot; ``leave`` gives it back."""
        if self._free and not self._waiting and self._held.get(account, 0) < self._per_account:
            self._take(account)
            return
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account, deque()).append(admitted)
        self._admit()
        try:
            await admitted
        except asyncio.CancelledError:
            if admitted.done() and not admitted.cancelled():
                self.leave(account)
            raise

    def leave(self, account: str) -> None:
        """Give a slot back."""
        self._free += 1
        self._held[account] -= 1
        if not self._held[account]:
            del self._held[account]
        self._admit()

    async def _pause(self, account: str, seconds: float) -> None:
        self._pausing[account] = self._pausing.get(account, 0) + 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._pausing[account] -= 1
            if not self._pausing[account]:
                del self._pausing[account]

    def _take(self, account: str) -> None:
        self._free -= 1
        self._held[account] = self._held.get(account, 0) + 1

    def _admit(self) -> None:
        while self._free:
            # At most as many accounts as there are slots hold all that they may.
            account = next((each for each in self._waiting if self._held.get(each, 0) < self._per_account), None)
            if account is None:
                return
            queue = self._waiting.pop(account)
            admitted = queue.popleft()
            if queue:
                self._waiting[account] = queue
            if not admitted.cancelled():
                self._take(account)
                admitted.set_result(None)
