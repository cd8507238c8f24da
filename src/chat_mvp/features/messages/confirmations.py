"""Passes the marks that devices confirm to the writer: the first at once, later ones together after 100 ms.

This is for each conversation and user. Later marks are merged, because marks only grow. If the process is killed, the
marks that it gathered are lost. Then the messages are sent again at the next connect.

Only so many marks of one user are with the writer at a time, because each may be in another conversation that must be
read first. The others wait here. So a user who confirms thousands of conversations at once does not delay the others.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import takewhile
from typing import Never

from msgspec import Struct, field

from chat_mvp.delivery.reply import Reply
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.delivery.writer import FULL_RETRY_AFTER_MS, Writer
from chat_mvp.errors import ChatError, UnavailableError
from chat_mvp.features.messages.operations import RaiseMarks

INTERVAL_S = 0.1
MAX_GATHERED = 64
"""After this many confirmations of one user and conversation, they are passed on before the interval ends."""
MAX_WITH_WRITER = 64
"""How many marks of one user the writer has at a time: a quarter of a batch."""
MAX_WAITING_MARKS = 16_384
"""How many marks wait until the writer has fewer of their users, of all users. It accepts as many operations itself."""
_TICK_S = 0.01

Key = tuple[str, str]
"""The conversation and the user whose marks rise."""


class _Window(Struct):
    """When marks of one user in one conversation were last passed on, and what was gathered since then."""

    since: float
    delivered: int = 0
    read: int = 0
    replies: list[Reply[Never]] = field(default_factory=list)

    def add(self, delivered: int, read: int, replies: list[Reply[Never]]) -> None:
        """Gather more marks."""
        self.delivered, self.read = max(self.delivered, delivered), max(self.read, read)
        self.replies += replies

    def refuse(self, error: ChatError) -> None:
        """Answer all callers that the marks were refused."""
        for reply in self.replies:
            reply.refuse(error)


class Confirmations:
    """Gathers marks and raises them."""

    def __init__(
        self, *, writer: Writer, rosters: Rosters, is_hidden: Callable[[str], bool], interval_s: float = INTERVAL_S
    ) -> None:
        """Write through ``writer``. ``is_hidden`` returns whether a user is invisible."""
        self._writer = writer
        self._rosters = rosters
        self._is_hidden = is_hidden
        self._is_closing = False
        self._interval_s = interval_s
        self._windows: dict[Key, _Window] = {}
        """In the order of ``since``."""
        self._timer: asyncio.TimerHandle | None = None
        self._with_writer: Counter[str] = Counter()
        """By user: how many marks the writer has."""
        self._in_turn: dict[str, dict[Key, _Window]] = {}
        """By user: the windows that wait until the writer has fewer."""
        self._waiting = 0
        """How many windows wait, of all users."""

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
            self._submit(key, _Window(since=0, delivered=delivered, read=read, replies=[reply]))
            return
        window.add(delivered, read, [reply])
        if len(window.replies) >= MAX_GATHERED:
            self._pass_on(key)

    def close(self) -> None:
        """Pass on everything that was gathered, and stop the timer."""
        self._is_closing = True
        for windows in list(self._in_turn.values()):
            for key, window in windows.items():
                self._try_to_submit(key, window)
        self._in_turn.clear()
        self._waiting = 0
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
        if window.replies and not self._are_reached(key, window.delivered, window.read):
            self._try_to_submit(key, window)

    def _try_to_submit(self, key: Key, window: _Window) -> None:
        try:
            self._submit(key, window)
        except UnavailableError as error:
            window.refuse(error)

    def _submit(self, key: Key, window: _Window) -> None:
        """Give marks to the writer, or let them wait while it has many of this user."""
        conversation_id, user_id = key
        if self._with_writer[user_id] >= MAX_WITH_WRITER and not self._is_closing:
            waiting = self._in_turn.setdefault(user_id, {})
            if key in waiting:
                waiting[key].add(window.delivered, window.read, window.replies)
            elif self._waiting >= MAX_WAITING_MARKS:
                raise UnavailableError(
                    "The server has too much to store now. Try again in a moment.", retry_after_ms=FULL_RETRY_AFTER_MS
                )
            else:
                waiting[key] = window
                self._waiting += 1
            return
        self._writer.submit(
            RaiseMarks(
                conversation_id,
                user_id,
                delivered=window.delivered,
                read=window.read,
                is_hidden=self._is_hidden,
                reply=_MarksReply(window.replies, partial(self._answered, key, window)),
            ),
        )
        self._with_writer[user_id] += 1
        self._begin_window(key)

    def _answered(self, key: Key, window: _Window, *, is_done: bool) -> None:
        """Note that the writer has answered, and pass on what waits. Marks that are not reached are raised again."""
        user_id = key[1]
        self._with_writer[user_id] -= 1
        if not self._with_writer[user_id]:
            del self._with_writer[user_id]
        if not is_done:
            self._try_to_submit(key, window)
        waiting = self._in_turn.get(user_id)
        while waiting and self._with_writer[user_id] < MAX_WITH_WRITER:
            next_key = next(iter(waiting))
            self._waiting -= 1
            self._try_to_submit(next_key, waiting.pop(next_key))
        if waiting is not None and not waiting:
            self._in_turn.pop(user_id, None)

    def _begin_window(self, key: Key) -> None:
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
    """The reply to raised marks. Success needs no answer."""

    __slots__ = ("_answered", "_replies", "connection_id")

    def __init__(self, replies: list[Reply[Never]], answered: Callable[..., None]) -> None:
        self._replies = replies
        self._answered = answered
        connections = {reply.connection_id for reply in replies}
        # Each of the user's devices must get the marks that another one has raised.
        self.connection_id = connections.pop() if len(connections) == 1 else None

    def succeed(self, is_done: bool) -> None:
        """Raise the marks again unless everything is done."""
        self._answered(is_done=is_done)

    def refuse(self, error: ChatError) -> None:
        """Answer that the operation was refused."""
        try:
            for reply in self._replies:
                reply.refuse(error)
        finally:
            self._answered(is_done=True)
