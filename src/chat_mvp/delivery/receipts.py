"""Telling who has read how far, without a storm: at most one frame for a conversation and person in 200 ms.

The first one goes at once, those that follow are merged. Marks only grow, so the last one says it all.
"""

import asyncio

from msgspec import Struct, structs

from chat_mvp.delivery.bus import Bus, Publication
from chat_mvp.protocol import Receipt

INTERVAL_S = 0.2
_TICK_S = 0.05

Key = tuple[str, str]


class _Window(Struct):
    """What was told of one person in one conversation, when, and what has come since."""

    told_at: float
    waiting: Publication | None = None


class Receipts:
    """Publishes receipts, the more merged the more there are."""

    def __init__(self, bus: Bus) -> None:
        """Publish to this bus."""
        self._bus = bus
        self._windows: dict[Key, _Window] = {}
        self._timer: asyncio.TimerHandle | None = None

    def tell(self, audience: tuple[str, ...], receipt: Receipt, *, answered_connection: str | None) -> None:
        """Tell these people now, or with what comes within the interval."""
        publication = Publication(audience=audience, frame=receipt, answered_connection=answered_connection)
        key = (receipt.conversation_id, receipt.user_id)
        loop = asyncio.get_running_loop()
        window = self._windows.get(key)
        if window is None:
            self._windows[key] = _Window(told_at=loop.time())
            self._bus.publish(publication)
        else:
            if window.waiting is not None and window.waiting.answered_connection != answered_connection:
                # Each of the two devices must hear what the other has raised.
                publication = structs.replace(publication, answered_connection=None)
            window.waiting = publication
        if self._timer is None:
            self._timer = loop.call_later(_TICK_S, self._tick)

    def close(self) -> None:
        """Publish what waits and keep no timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for window in self._windows.values():
            if window.waiting is not None:
                self._bus.publish(window.waiting)
        self._windows.clear()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for key, window in list(self._windows.items()):
            if now - window.told_at < INTERVAL_S:
                continue
            if window.waiting is None:
                del self._windows[key]
                continue
            self._bus.publish(window.waiting)
            window.waiting = None
            window.told_at = now
        self._timer = loop.call_later(_TICK_S, self._tick) if self._windows else None
