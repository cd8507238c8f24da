"""One timer for the time limits of all connections."""

import asyncio
from typing import Protocol

TICK_S = 1.0


class Watched(Protocol):
    """An object with a time limit."""

    def check_time(self, now: float) -> None:
        """End it if its time is up. ``now`` is the event loop's clock."""
        ...


class Watch:
    """Calls every connection once in ``tick_s`` to check its time limits. The timer runs only while there are any."""

    def __init__(self, tick_s: float = TICK_S) -> None:
        """Start with no connections."""
        self._tick_s = tick_s
        self._watched: set[Watched] = set()
        self._is_running = False

    def add(self, watched: Watched) -> None:
        """Check this connection too from now on."""
        self._watched.add(watched)
        if not self._is_running:
            self._is_running = True
            loop = asyncio.get_running_loop()
            loop.call_later(self._tick_s, self._check, loop)

    def remove(self, watched: Watched) -> None:
        """Stop checking this connection."""
        self._watched.discard(watched)

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for watched in tuple(self._watched):
            watched.check_time(now)
        if self._watched:
            loop.call_later(self._tick_s, self._check, loop)
        else:
            self._is_running = False
