"""Tracks who is writing in which conversation, as long as their clients repeat it."""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Literal, NamedTuple

from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.errors import CannotMessageError, NotFoundError
from chat_mvp.events.types import MessageAdded
from chat_mvp.limits import MAX_TYPING_MEMBERS, TYPING_REPEAT_S, TYPING_TIMEOUT_S
from chat_mvp.protocol import ServerFrame, Typing

Key = tuple[str, str]


class _Typist(NamedTuple):
    """The connection on which a user writes, the timer that ends it, and when the others were last notified."""

    connection_id: str
    timer: asyncio.TimerHandle
    sent_at: float


class TypingService:
    """Notifies the other members of a conversation when a user starts and stops writing."""

    def __init__(
        self,
        signal: Callable[[tuple[str, ...], ServerFrame], None],
        rosters: Rosters,
        blocks: Blocks,
        is_hidden: Callable[[str], bool],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send frames through ``signal(audience, frame)``.

        Nothing is sent about users who are invisible (``is_hidden``), or to users separated by a block.
        """
        self._clock = clock
        self._signal = signal
        self._rosters = rosters
        self._blocks = blocks
        self._is_hidden = is_hidden
        self._typists: dict[Key, _Typist] = {}
        """One entry for each user and conversation. Bounded by the number of connected users."""

    async def set(
        self, user_id: str, conversation_id: str, state: Literal["start", "stop"], *, connection_id: str
    ) -> None:
        """Send a change to the others, and end the typing unless ``start`` is repeated within six seconds.

        A repeated ``start`` only postpones that end. The others get it again every ``TYPING_REPEAT_S``, for users who
        have connected since and for clients that end it by their own clock. In a conversation of more than
        ``MAX_TYPING_MEMBERS`` nothing is sent.
        """
        roster = await self._rosters.fetch(conversation_id)
        if roster is None or roster.member(user_id) is None:
            raise NotFoundError("There is no such conversation.")
        if roster.blocked:
            raise CannotMessageError
        await self._blocks.fetch(user_id)
        key = (user_id, conversation_id)
        if state == "stop" or self._is_hidden(user_id):
            self._end(key)
            return
        if len(roster.members) > MAX_TYPING_MEMBERS:
            return
        before, now = self._typists.pop(key, None), self._clock()
        if before is not None:
            before.timer.cancel()
        is_due = before is None or now - before.sent_at >= TYPING_REPEAT_S
        sent_at = now if before is None or is_due else before.sent_at
        timer = asyncio.get_running_loop().call_later(TYPING_TIMEOUT_S, self._end, key)
        self._typists[key] = _Typist(connection_id, timer, sent_at)
        if is_due:
            self._notify_others(key, "start")

    def connections_changed(self, user_id: str, connection_ids: Collection[str]) -> None:
        """Stop the typing of a user on connections that they no longer have."""
        for key in [key for key in self._typists if key[0] == user_id]:
            if self._typists[key].connection_id not in connection_ids:
                self._end(key)

    def stop(self, user_id: str) -> None:
        """Stop all typing of a user."""
        self.connections_changed(user_id, ())

    def message_added(self, event: MessageAdded) -> None:
        """Stop the typing of a user who has sent a message there."""
        if self._typists:
            self._end((event.message.sender_id, event.message.conversation_id))

    def close(self) -> None:
        """Stop all timers."""
        for typist in self._typists.values():
            typist.timer.cancel()
        self._typists.clear()

    def _end(self, key: Key) -> None:
        typist = self._typists.pop(key, None)
        if typist is not None:
            typist.timer.cancel()
            self._notify_others(key, "stop")

    def _notify_others(self, key: Key, state: Literal["start", "stop"]) -> None:
        user_id, conversation_id = key
        roster = self._rosters.get(conversation_id)
        apart = self._blocks.known(user_id)
        if roster is not None and apart is not None:
            audience = tuple(other for other in roster.everybody() if other != user_id and other not in apart)
            frame = Typing(conversation_id=conversation_id, user_id=user_id, state=state)
            self._signal(audience, frame)
