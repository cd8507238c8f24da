"""Sending what waits in a person's queue, page by page, so that memory stays small however much it is."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping

from chat_mvp.delivery.catchup import HasLeft, NoteSent, Send, is_newer
from chat_mvp.delivery.snapshot import Standing
from chat_mvp.protocol import MessageNew
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.queue import Queue
from chat_mvp.storage.records import MessageRecord

PAGE = 200


class Drain:
    """Streams one person's queue in the promised order.

    Conversations with a message of high priority come first, then the others, the longest silent first; within a
    conversation the oldest message first, whatever its priority, because ``seq`` is the order everybody sees.
    """

    def __init__(self, queue: Queue, messages: Messages) -> None:
        """Read from these."""
        self._queue = queue
        self._messages = messages

    async def stream(
        self,
        user_id: str,
        standings: Mapping[str, Standing],
        known: Mapping[str, int],
        *,
        without: Collection[str],
        send: Send,
        note_sent: NoteSent,
        has_left: HasLeft,
    ) -> int:
        """Send what waits and return how many messages that were.

        Not sent: conversations ``without``, and messages made after ``known``, which catching up has brought.
        """
        count = 0
        for conversation_id in await self._order(user_id, standings):
            if conversation_id not in without:
                known_rev = known.get(conversation_id)
                standing = standings[conversation_id]
                count += await self._conversation(user_id, standing, known_rev, send, note_sent, has_left)
        return count

    async def _order(self, user_id: str, standings: Mapping[str, Standing]) -> list[str]:
        # Nothing waits where everything was confirmed, so those conversations cost no query.
        behind = {
            i for i, standing in standings.items() if standing.membership.delivered_seq < standing.conversation.last_seq
        }
        if not behind:
            return []
        urgent = [i for i in await self._queue.fetch_urgent(user_id) if i in behind]
        return urgent + [i for i in standings if i in behind and i not in set(urgent)]

    async def _conversation(
        self,
        user_id: str,
        standing: Standing,
        known_rev: int | None,
        send: Send,
        note_sent: NoteSent,
        has_left: HasLeft,
    ) -> int:
        count = 0
        async for page in self._pages(user_id, standing):
            if is_newer(standing, page) and await has_left(standing.conversation.id):
                break
            for record in page:
                if known_rev is not None and record.made_rev > known_rev:
                    continue
                note_sent(record.message)
                await send(MessageNew(message=record.message, queued=True))
                count += 1
        return count

    async def _pages(self, user_id: str, standing: Standing) -> AsyncIterator[list[MessageRecord]]:
        """Go through what waits in one conversation; the next page is read while this one is sent."""
        coming = asyncio.create_task(self._page(user_id, standing, after=0))
        try:
            while page := await coming:
                coming = asyncio.create_task(self._page(user_id, standing, after=page[-1].message.seq))
                yield page
        finally:
            coming.cancel()

    async def _page(self, user_id: str, standing: Standing, *, after: int) -> list[MessageRecord]:
        # What came after the snapshot is a live event and comes with those.
        conversation = standing.conversation
        seqs = await self._queue.fetch_seqs(
            user_id,
            conversation.id,
            after=max(after, standing.membership.delivered_seq),
            up_to=conversation.last_seq,
            limit=PAGE,
        )
        if not seqs:
            return []
        records, _ = await asyncio.gather(
            self._messages.fetch_by_seqs(conversation.id, seqs),
            self._queue.count_attempt(user_id, conversation.id, first=seqs[0], last=seqs[-1]),
        )
        return records
