"""Events that a connection has received and the session has not read yet."""

import asyncio
from typing import Any

Event = dict[str, Any]


class Inbox:
    """A queue of ASGI events for one reader.

    Every connection has one, and most are idle for hours. asyncio's own queue contains four deques of 600 bytes. The
    code that fills the queue limits its size: it stops reading from the peer (``wire.READ_AHEAD``).
    """

    __slots__ = ("_events", "_reader")

    def __init__(self) -> None:
        """Start empty."""
        self._events: list[Event] = []
        self._reader: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """Return how many events wait."""
        return len(self._events)

    def empty(self) -> bool:
        """Return whether no event waits."""
        return not self._events

    def put_nowait(self, event: Event) -> None:
        """Add an event, and wake the reader."""
        self._events.append(event)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> Event:
        """Return the oldest event as soon as there is one."""
        while not self._events:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._events.pop(0)
