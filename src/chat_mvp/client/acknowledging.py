"""Acknowledges received messages in batches, because one ``delivered`` covers everything up to its number."""

import asyncio
from collections.abc import Awaitable, Callable

from chat_mvp.protocol import ClientFrame, Delivered

GATHER_S = 0.1


class Acknowledgements:
    """Sends at most one ``delivered`` for each conversation in 100 ms.

    If it cannot be sent, it is tried again later.
    """

    def __init__(self, transmit: Callable[[ClientFrame], Awaitable[bool]], *, gather_s: float = GATHER_S) -> None:
        """Send with ``transmit``, which returns whether the frame was sent."""
        self._transmit = transmit
        self._gather_s = gather_s
        self._waiting: dict[str, int] = {}
        self._taken: dict[str, int] = {}
        self._flushing: asyncio.Task[None] | None = None

    def add(self, conversation_id: str, seq: int) -> None:
        """Note that the application has taken everything of a conversation up to ``seq``."""
        self._taken[conversation_id] = max(seq, self._taken.get(conversation_id, 0))
        self._waiting[conversation_id] = self._taken[conversation_id]
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush_soon(), name="acknowledgements")

    def repeat(self, conversation_id: str, seq: int) -> None:
        """Note that a message came again. If it was taken before, its acknowledgement was lost."""
        if seq <= self._taken.get(conversation_id, 0):
            self.add(conversation_id, seq)

    async def flush(self) -> None:
        """Send all waiting acknowledgements now."""
        waiting, self._waiting = self._waiting, {}
        for conversation_id, seq in waiting.items():
            if not await self._transmit(Delivered(conversation_id=conversation_id, seq=seq)):
                self._waiting.setdefault(conversation_id, seq)

    def stop(self) -> None:
        """Send nothing more."""
        if self._flushing is not None:
            self._flushing.cancel()

    async def _flush_soon(self) -> None:
        await asyncio.sleep(self._gather_s)
        await self.flush()
