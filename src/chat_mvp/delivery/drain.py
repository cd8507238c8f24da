"""Send the messages that are owed to a user, page by page, so that memory use stays small for any number of messages.

``Backlogs`` finds which messages these are and counts them, ``Drain`` sends them.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing

from chat_mvp.delivery.backlog import Backlog, Backlogs, Page
from chat_mvp.delivery.catchup import HasLeft, NoteSent, Send, is_newer
from chat_mvp.protocol import MessageNew


class Drain:
    """Streams what is owed to one user in the promised order.

    Conversations with a message of high priority come first. The others follow, those with the longest inactivity
    first. Within a conversation the oldest message comes first, whatever its priority, because all members see the
    order of ``seq``.
    """

    def __init__(self, backlogs: Backlogs) -> None:
        """Read the pages from ``backlogs``."""
        self._backlogs = backlogs

    async def stream(
        self,
        backlog: Backlog,
        known: Mapping[str, int],
        *,
        without: Collection[str],
        send: Send,
        note_sent: NoteSent,
        has_left: HasLeft,
    ) -> int:
        """Send the owed messages and return how many were sent.

        Conversations in ``without`` are not sent. Messages made after ``known`` are not sent either, because the
        catch-up has sent them.
        """
        changed = {it.summary.id for it in backlog.pieces if known.get(it.summary.id) not in {None, it.summary.rev}}
        # If the catch-up has sent every owed message of a conversation as a new one, nothing need be read again.
        changed -= _sent_by_catch_up(backlog, changed, known)
        pages = self._backlogs.pages(backlog, without=without, changed=changed)
        left: set[str] = set()
        count = 0
        # What is in memory already need not be read ahead.
        async with aclosing(pages if backlog.loaded is not None else _read_ahead(pages)) as source:
            async for page in source:
                for summary, records in page:
                    if summary.id in left or (is_newer(summary, records) and await has_left(summary.id)):
                        left.add(summary.id)
                        continue
                    known_rev = known.get(summary.id)
                    for record in records:
                        if known_rev is None or record.made_rev <= known_rev:
                            note_sent(record.message)
                            await send(MessageNew(message=record.message, queued=True))
                            count += 1
        return count


async def _read_ahead(pages: AsyncIterator[Page]) -> AsyncGenerator[Page, None]:
    """Read each page while the previous one is sent."""
    next_page = asyncio.create_task(_next(pages))
    try:
        while page := await next_page:
            next_page = asyncio.create_task(_next(pages))
            yield page
    finally:
        next_page.cancel()


async def _next(pages: AsyncIterator[Page]) -> Page | None:
    return await anext(pages, None)


def _sent_by_catch_up(backlog: Backlog, changed: Collection[str], known: Mapping[str, int]) -> set[str]:
    """Return those of the changed conversations in which the catch-up has sent every owed message as a new one."""
    if backlog.loaded is None:
        return set()
    return {i for i in changed if all(record.made_rev > known[i] for record in backlog.loaded.get(i, ()))}
