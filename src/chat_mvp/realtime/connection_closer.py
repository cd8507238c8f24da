"""Closes connections: sends ``bye`` and the close frame, and aborts the connection if the client does not read them."""

import asyncio
import contextlib
import random
from typing import Protocol

from chat_mvp.protocol import CLOSE_GOING_AWAY, CLOSE_INTERNAL, CLOSE_RESTART, CLOSE_TOO_MANY, CLOSE_TOO_SLOW, Bye
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.session import Phase
from chat_mvp.realtime.wire import CLOSE_TIMEOUT_S

_RECONNECT_MS = {
    CLOSE_GOING_AWAY: (500, 3_000),
    CLOSE_RESTART: (500, 3_000),
    CLOSE_INTERNAL: (1_000, 5_000),
    CLOSE_TOO_MANY: (5_000, 15_000),
}
"""How long clients wait before they reconnect, spread out so that they do not all come at once."""


class Closable(Protocol):
    """The transport of a connection."""

    async def close(self, code: int, reason: str) -> None:
        """Send the close frame. May wait for a slow reader."""
        ...

    def abort(self) -> None:
        """Drop the connection at once."""
        ...


def bye(code: int, reason: str) -> Bye:
    """Return the frame that is sent before the close frame."""
    low, high = _RECONNECT_MS.get(code, (0, 0))
    return Bye(code=code, reason=reason, reconnect_after_ms=random.randint(low, high))  # noqa: S311  (spreading)


class ConnectionCloser:
    """Closes connections in the background, each once at most. ``is_stopping``: the server accepts no new ones."""

    def __init__(self) -> None:
        """Start with no connection being closed."""
        self.is_stopping = False
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, connection: Connection, peer: Closable, code: int, reason: str) -> None:
        """Begin to close a connection and return at once. Nothing else is sent on it from now on."""
        if connection.session.phase is Phase.CLOSED:
            return
        connection.session.phase = Phase.CLOSED
        # A client that does not read would not read these frames either.
        if code != CLOSE_TOO_SLOW:
            connection.answer(bye(code, reason))
        task = asyncio.get_running_loop().create_task(_end(connection, peer, code, reason))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until every connection that is being closed is closed."""
        while self._tasks:
            await asyncio.wait(self._tasks)


async def _end(connection: Connection, peer: Closable, code: int, reason: str) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await connection.outbox.flush()
            await peer.close(code, reason)
    except (TimeoutError, OSError):
        with contextlib.suppress(OSError):
            peer.abort()
