"""A semaphore for expensive work that serves waiting callers fairly and bounds how many may wait."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chat_mvp.errors import UnavailableError

RANKS = 3
_LOWEST_EVERY = 4
"""One of this many permits goes to the lowest rank that waits, so a flood in a higher rank cannot starve the others."""

_Waiting = asyncio.Future[None]


class FairSemaphore:
    """Lets at most ``at_once`` callers work, at most ``at_once_each`` of one key (an account or an address).

    Waiting callers are served by rank, 0 first. Within a rank the keys take turns, however many callers of one key
    wait. When ``max_waiting`` callers wait, a new one displaces a caller of a lower rank, or a caller of a key that has
    more waiting callers than its own.
    """

    def __init__(self, *, at_once: int, at_once_each: int, max_waiting: int, busy: str, retry_after_ms: int) -> None:
        """``busy`` is the error text, and ``retry_after_ms`` the time to wait, for callers that are refused."""
        self._free = at_once
        self._at_once_each = at_once_each
        self._max_waiting = max_waiting
        self._busy = busy
        self._retry_after_ms = retry_after_ms
        self._working: Counter[str] = Counter()
        self._waiting: tuple[OrderedDict[str, deque[_Waiting]], ...] = tuple(OrderedDict() for _ in range(RANKS))
        self._count = 0
        self._granted = 0

    @property
    def waiting(self) -> int:
        """Return the number of waiting callers."""
        return self._count

    def waiting_of(self, key: str) -> int:
        """Return how many callers of one key wait."""
        return sum(len(queues.get(key, ())) for queues in self._waiting)

    @asynccontextmanager
    async def hold(self, key: str, rank: int = 0) -> AsyncIterator[None]:
        """Hold a permit during the block; see ``acquire``."""
        await self.acquire(key, rank)
        try:
            yield
        finally:
            self.release(key)

    async def acquire(self, key: str, rank: int = 0) -> None:
        """Wait for a permit; ``release`` must follow. ``UnavailableError`` when too many callers wait already.

        A caller that is cancelled while it waits holds no permit.
        """
        if self._free and self._working[key] < self._at_once_each:
            self._start(key)
            return
        if self._count >= self._max_waiting:
            self._displace(key, rank)
        waiting: _Waiting = asyncio.get_running_loop().create_future()
        self._waiting[rank].setdefault(key, deque()).append(waiting)
        self._count += 1
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.cancelled():
                self._remove(key, rank, waiting)
            elif waiting.exception() is None:
                # The permit was granted in the same iteration of the event loop.
                self.release(key)
            raise

    def release(self, key: str) -> None:
        """Give a permit back, and grant it to the next waiting caller."""
        self._free += 1
        self._working[key] -= 1
        if not self._working[key]:
            del self._working[key]
        while self._free and self._grant_next():
            pass

    def _start(self, key: str) -> None:
        self._free -= 1
        self._working[key] += 1

    def _grant_next(self) -> bool:
        """Take one caller out of the queue and let it work; false when no waiting caller may work."""
        ranks = range(RANKS)
        if self._granted % _LOWEST_EVERY == _LOWEST_EVERY - 1:
            ranks = range(RANKS - 1, -1, -1)
        for rank in ranks:
            for key, queue in self._waiting[rank].items():
                if self._working[key] < self._at_once_each:
                    waiting = queue.popleft()
                    self._waiting[rank].move_to_end(key)
                    self._forget(key, rank)
                    # A caller that was cancelled stays in the queue until its task runs again: it gets no permit.
                    if not waiting.cancelled():
                        self._granted += 1
                        self._start(key)
                        waiting.set_result(None)
                    return True
        return False

    def _displace(self, key: str, rank: int) -> None:
        """Refuse a waiting caller to make room for a new one; raise if none has a lower priority than the new one."""
        own = len(self._waiting[rank].get(key, ())) + 1
        for lower in range(RANKS - 1, rank - 1, -1):
            queues = self._waiting[lower]
            heaviest = max(queues, key=lambda name: len(queues[name]), default=None)
            if heaviest is not None and (lower > rank or len(queues[heaviest]) > own):
                waiting = queues[heaviest].pop()
                self._forget(heaviest, lower)
                if not waiting.cancelled():
                    waiting.set_exception(self._refusal())
                return
        raise self._refusal()

    def _remove(self, key: str, rank: int, waiting: _Waiting) -> None:
        queue = self._waiting[rank].get(key)
        if queue is not None and waiting in queue:
            queue.remove(waiting)
            self._forget(key, rank)

    def _forget(self, key: str, rank: int) -> None:
        self._count -= 1
        if not self._waiting[rank][key]:
            del self._waiting[rank][key]

    def _refusal(self) -> UnavailableError:
        return UnavailableError(self._busy, retry_after_ms=self._retry_after_ms)
