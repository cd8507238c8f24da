"""Passes the marks that devices confirm to the writer, at most one in 100 ms for each conversation and user.

The first mark is passed on at once. Later ones within the interval are merged, because marks only grow. If the process
is killed, the marks that it gathered are lost. Then the messages are sent again at the next connect.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from itertools import takewhile
from typing import Never

from msgspec import Struct, field

from chat_mvp.delivery.reply import Reply
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.delivery.writer import Writer
from chat_mvp.errors import ChatError, UnavailableError
from chat_mvp.features.messages.operations import RaiseMarks

INTERVAL_S = 0.1
MAX_GATHERED = 64
"""After this many confirmations of one user and conversation, they are passed on before the interval ends."""
_TICK_S = 0.01

Key = tuple[str, str]
"""The conversation and the user whose marks rise."""


class _Window(Struct):
    """When marks of one user in one conversation were last passed on, and what was gathered since then."""

    since: float
    delivered: int = 0
    read: int = 0
    replies: list[Reply[Never]] = field(default_factory=list)


class Confirmations:
    """Gathers marks and raises them."""

    def __init__(
        self, *, writer: Writer, rosters: Rosters, is_hidden: Callable[[str], bool], interval_s: float = INTERVAL_S
    ) -> None:
        """Write through ``writer``. ``is_hidden`` returns whether a user is invisible."""
        self._writer = writer
        self._rosters = rosters
        self._is_hidden = is_hidden
        self._interval_s = interval_s
        self._windows: dict[Key, _Window] = {}
        """In the order of ``since``."""
        self._timer: asyncio.TimerHandle | None = None

    def raise_marks(
        self, user_id: str, conversation_id: str, *, delivered: int = 0, read: int = 0, reply: Reply[Never]
    ) -> None:
        """Raise a user's marks now or within the interval, unless they are that high already.

        ``reply`` is called only for a refusal. ``UnavailableError`` when the writer does not accept the marks now.
        """
        key = (conversation_id, user_id)
        if self._are_reached(key, delivered, read):
            return
        window = self._windows.get(key)
        if window is None:
            self._submit(key, delivered, read, [reply])
            return
        window.delivered, window.read = max(window.delivered, delivered), max(window.read, read)
        window.replies.append(reply)
        if len(window.replies) >= MAX_GATHERED:
            self._pass_on(key)

    def close(self) -> None:
        """Pass on everything that was gathered, and stop the timer."""
        for key in list(self._windows):
            self._pass_on(key)
        self._windows.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _are_reached(self, key: Key, delivered: int, read: int) -> bool:
        conversation_id, user_id = key
        roster = self._rosters.get(conversation_id)
        member = roster.member(user_id) if roster is not None else None
        return member is not None and delivered <= member.delivered_seq and read <= member.read_seq

    def _pass_on(self, key: Key) -> None:
        """End a window. If something was gathered in it, the next one begins."""
        window = self._windows.pop(key)
        if not window.replies or self._are_reached(key, window.delivered, window.read):
            return
        try:
            self._submit(key, window.delivered, window.read, window.replies)
        except UnavailableError as error:
            for reply in window.replies:
                reply.refuse(error)

    def _submit(self, key: Key, delivered: int, read: int, replies: list[Reply[Never]]) -> None:
        conversation_id, user_id = key

        def raise_remaining() -> None:
            self._submit(key, delivered, read, replies)

        self._writer.submit(
            RaiseMarks(
                conversation_id,
                user_id,
                delivered=delivered,
                read=read,
                is_hidden=self._is_hidden,
                reply=_MarksReply(replies, raise_remaining),
            ),
        )
        loop = asyncio.get_running_loop()
        # What is gathered in an existing window stays there, and the window moves to the end.
        window = self._windows.pop(key, None) or _Window(since=0)
        window.since = loop.time()
        self._windows[key] = window
        if self._timer is None:
            self._timer = loop.call_later(self._interval_s, self._tick)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        is_due = partial(_began_before, now - self._interval_s)
        for key, _ in list(takewhile(is_due, self._windows.items())):
            self._pass_on(key)
        oldest = next(iter(self._windows.values()), None)
        self._timer = None
        if oldest is not None:
            delay = max(_TICK_S, oldest.since + self._interval_s - now)
            self._timer = loop.call_later(delay, self._tick)


def _began_before(moment: float, entry: tuple[Key, _Window]) -> bool:
    return entry[1].since <= moment


class _MarksReply:
    """The reply to raised marks. Success needs no answer, but marks that are not reached yet are raised again."""

    __slots__ = ("_raise_remaining", "_replies", "connection_id")

    def __init__(self, replies: list[Reply[Never]], raise_remaining: Callable[[], None]) -> None:
        self._replies = replies
        self._raise_remaining = raise_remaining
        connections = {reply.connection_id for reply in replies}
        # Each of the user's devices must get the marks that another one has raised.
        self.connection_id = connections.pop() if len(connections) == 1 else None

    def succeed(self, is_done: bool) -> None:
        """Raise the marks again unless everything is done."""
        if not is_done:
            try:
                self._raise_remaining()
            except UnavailableError as error:
                self.refuse(error)

    def refuse(self, error: ChatError) -> None:
        """Answer that the operation was refused."""
        for reply in self._replies:
            reply.refuse(error)
