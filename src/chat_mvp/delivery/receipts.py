"""Publishes receipts, at most one in 200 ms for each conversation and user.

The first receipt is published at once, and later ones within the interval are merged. Marks only grow, so the last
receipt replaces all earlier ones.

The recipients are decided when a frame is sent, not when it is gathered. Users who are separated by a
block are left out, and so are users who were removed from the conversation before then.
"""

import asyncio
from collections.abc import Collection

import structlog
from msgspec import Struct

from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.bus import Bus, Publication
from chat_mvp.errors import UnavailableError
from chat_mvp.protocol import Receipt

INTERVAL_S = 0.2
_TICK_S = 0.05

Key = tuple[str, str]
"""The conversation and the user whose marks rose."""

_LOG = structlog.get_logger(__name__)


class _Gathered(Struct):
    """The latest receipt of one user in one conversation, and its recipients."""

    audience: set[str]
    receipt: Receipt
    answered_connection: str | None


class _Window(Struct):
    """When the last receipt of one user in one conversation was sent, and the receipt that waits since then."""

    sent_at: float
    waiting: _Gathered | None = None


class Receipts:
    """Publishes receipts, and merges those that come within the interval."""

    def __init__(self, bus: Bus, blocks: Blocks) -> None:
        """Publish to ``bus``."""
        self._bus = bus
        self._blocks = blocks
        self._windows: dict[Key, _Window] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._reading: dict[str, asyncio.Task[None]] = {}
        """Users whose blocks are being read."""

    def tell(self, audience: tuple[str, ...], receipt: Receipt, *, answered_connection: str | None) -> None:
        """Publish a receipt to these users, now or merged with others at the end of the interval."""
        gathered = _Gathered(set(audience), receipt, answered_connection)
        key = (receipt.conversation_id, receipt.user_id)
        loop = asyncio.get_running_loop()
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(sent_at=loop.time() - INTERVAL_S)
        elif window.waiting is not None:
            if not window.waiting.audience <= gathered.audience:
                # The waiting receipt has recipients that this one does not have.
                self._publish_if_known(window)
            elif window.waiting.answered_connection != answered_connection:
                # Each of the user's two devices must get the marks that the other one has raised.
                gathered.answered_connection = None
        window.waiting = gathered
        self._publish_if_due(window)
        if self._timer is None:
            self._timer = loop.call_later(_TICK_S, self._tick)

    @property
    def is_busy(self) -> bool:
        """Return whether a receipt waits, or was sent less than the interval ago."""
        return bool(self._windows)

    def close(self) -> None:
        """Publish all waiting receipts and stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in self._reading.values():
            task.cancel()
        for window in self._windows.values():
            self._publish_if_known(window)
        self._windows.clear()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        for key, window in list(self._windows.items()):
            if window.waiting is not None:
                self._publish_if_due(window)
            elif loop.time() - window.sent_at >= INTERVAL_S:
                del self._windows[key]
        self._timer = loop.call_later(_TICK_S, self._tick) if self._windows else None

    def _publish_if_due(self, window: _Window) -> None:
        loop = asyncio.get_running_loop()
        if window.waiting is None or loop.time() - window.sent_at < INTERVAL_S:
            return
        user_id = window.waiting.receipt.user_id
        if not self._publish_if_known(window) and user_id not in self._reading:
            # This is rare: blocks are read when a user connects, and stay in memory unless very many users connect.
            self._reading[user_id] = loop.create_task(self._read_blocks(user_id))

    def _publish_if_known(self, window: _Window) -> bool:
        """Publish the waiting receipt and return true. Return false if the user's blocks are not in memory."""
        gathered = window.waiting
        apart = None if gathered is None else self._blocks.known(gathered.receipt.user_id)
        if gathered is None or apart is None:
            return False
        window.waiting = None
        window.sent_at = asyncio.get_running_loop().time()
        self._bus.publish(
            Publication(
                audience=tuple(gathered.audience - apart),
                frame=gathered.receipt,
                answered_connection=gathered.answered_connection,
            )
        )
        return True

    async def _read_blocks(self, user_id: str) -> None:
        try:
            await self._blocks.fetch(user_id)
        except UnavailableError as error:
            # The next tick tries again.
            _LOG.warning("blocks not read", error=error.detail)
        finally:
            del self._reading[user_id]

    def forget(self, user_ids: Collection[str], conversation_id: str) -> None:
        """Send these users no more receipts of a conversation that they left.

        No receipt may follow ``conversation.left``.
        """
        for (waiting_in, _), window in self._windows.items():
            if waiting_in == conversation_id and window.waiting is not None:
                window.waiting.audience.difference_update(user_ids)
