"""Shows withheld marks when the user is visible again or a block is lifted."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable

import structlog

from chat_mvp.delivery.reply import FutureReply, await_reply
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.delivery.writer import Writer
from chat_mvp.errors import InternalError, NotFoundError, UnavailableError
from chat_mvp.features.messages.operations import ShowMarks
from chat_mvp.storage.conversations import Conversations, direct_key

_AT_ONCE = 100
"""How many conversations go to the writer together, so that a user in very many does not fill its queue."""

_LOG = structlog.get_logger(__name__)


class WithheldMarks:
    """Finds withheld marks and passes them to the writer."""

    def __init__(
        self,
        *,
        writer: Writer,
        rosters: Rosters,
        conversations: Conversations,
        is_hidden: Callable[[str], bool],
        fetch_hidden: Callable[[Collection[str]], Awaitable[Collection[str]]],
    ) -> None:
        """``is_hidden`` returns whether a user in memory is invisible. ``fetch_hidden`` answers for all users."""
        self._writer = writer
        self._rosters = rosters
        self._conversations = conversations
        self._is_hidden = is_hidden
        self._fetch_hidden = fetch_hidden

    async def show_everywhere(self, user_id: str) -> None:
        """Show the marks of a user who is no longer invisible."""
        ids = await self._conversations.fetch_withheld(user_id)
        await self._show((conversation_id, user_id) for conversation_id in ids)

    async def show_in_direct(self, one: str, other: str) -> None:
        """Show two users each other's marks in their direct conversation, if they have one.

        The marks of an invisible user stay withheld, whether or not that user is connected.
        """
        key = direct_key(one, other)
        await self._rosters.load_direct([key])
        conversation_id = self._rosters.direct_id(key)
        if conversation_id is not None:
            hidden = await self._fetch_hidden((one, other))
            await self._show((conversation_id, user_id) for user_id in (one, other) if user_id not in hidden)

    async def _show(self, marks_to_show: Iterable[tuple[str, str]]) -> None:
        waiting = list(marks_to_show)
        for start in range(0, len(waiting), _AT_ONCE):
            await asyncio.gather(*(self._show_one(*mark) for mark in waiting[start : start + _AT_ONCE]))

    async def _show_one(self, conversation_id: str, user_id: str) -> None:
        def begin(reply: FutureReply[None]) -> None:
            self._writer.submit(ShowMarks(conversation_id, user_id, is_hidden=self._is_hidden, reply=reply))

        try:
            await await_reply(begin)
        except (InternalError, NotFoundError, UnavailableError) as error:
            # The user has left meanwhile, or the database is unavailable. The next mark that they raise shows these
            # too.
            _LOG.info("marks not shown", conversation=conversation_id, error=error.detail)
