"""Send the queued messages of a user, page by page, so that memory use stays small for any number of messages."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence

from chat_mvp.delivery.catchup import HasLeft, NoteSent, Send, is_newer
from chat_mvp.protocol import MessageNew
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.queue import Queue
from chat_mvp.storage.records import MessageRecord, SummaryRecord

PAGE = 200
Page = list[tuple[SummaryRecord, list[MessageRecord]]]
"""Messages by conversation, in the order in which they are sent."""


class Drain:
    """Streams the queue of one user in the promised order.

    Conversations with a message of high priority come first. The others follow, those with the longest inactivity
    first. Within a conversation the oldest message comes first, whatever its priority, because all members see the
    order of ``seq``.
    """

    def __init__(self, queue: Queue, messages: Messages) -> None:
        """Read from these collections."""
        self._queue = queue
        self._messages = messages

    async def stream(
        self,
        user_id: str,
        summaries: Sequence[SummaryRecord],
        known: Mapping[str, int],
        *,
        without: Collection[str],
        send: Send,
        note_sent: NoteSent,
        has_left: HasLeft,
    ) -> int:
        """Send the queued messages and return how many were sent.

        ``summaries`` come with the most recently active conversation first. Conversations in ``without`` are not sent.
        Messages made after ``known`` are not sent either, because catching up has sent them.
        """
        behind = [summary for summary in reversed(summaries) if is_behind(summary) and summary.id not in without]
        pages = self._pages(user_id, await self._order(user_id, behind))
        left: set[str] = set()
        count = 0
        next_page = asyncio.create_task(_next(pages))
        try:
            while page := await next_page:
                # Read the next page while this one is sent.
                next_page = asyncio.create_task(_next(pages))
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
        finally:
            next_page.cancel()
        return count

    async def _order(self, user_id: str, behind: list[SummaryRecord]) -> list[SummaryRecord]:
        if not behind:
            return []
        by_id = {summary.id: summary for summary in behind}
        urgent = [by_id.pop(i) for i in await self._queue.fetch_urgent(user_id) if i in by_id]
        return urgent + list(by_id.values())

    async def _pages(self, user_id: str, summaries: Sequence[SummaryRecord]) -> AsyncIterator[Page]:
        for group in _groups(summaries):
            if _size(*group) <= PAGE:
                if page := await self._page_of_group(user_id, group):
                    yield page
            else:
                (summary,) = group
                after = summary.confirmed_seq
                while records := await self._page(user_id, summary, after=after):
                    yield [(summary, records)]
                    after = records[-1].message.seq

    async def _page_of_group(self, user_id: str, group: Sequence[SummaryRecord]) -> Page:
        ids = await self._queue.take_few(
            user_id, [(summary.id, summary.confirmed_seq, summary.last_seq) for summary in group]
        )
        found: dict[str, list[MessageRecord]] = {}
        for record in (await self._messages.fetch_by_ids(ids)).values() if ids else ():
            found.setdefault(record.message.conversation_id, []).append(record)
        for records in found.values():
            records.sort(key=lambda record: record.message.seq)
        return [(summary, found[summary.id]) for summary in group if summary.id in found]

    async def _page(self, user_id: str, summary: SummaryRecord, *, after: int) -> list[MessageRecord]:
        # Messages after the snapshot arrive as live events.
        seqs = await self._queue.fetch_seqs(
            user_id,
            summary.id,
            after=after,
            up_to=summary.last_seq,
            limit=PAGE,
        )
        if not seqs:
            return []
        records, _ = await asyncio.gather(
            self._messages.fetch_by_seqs(summary.id, seqs),
            self._queue.count_attempt(user_id, summary.id, first=seqs[0], last=seqs[-1]),
        )
        return records


def is_behind(summary: SummaryRecord) -> bool:
    """Return whether messages may be queued. If everything is confirmed, no query is needed."""
    return summary.confirmed_seq < summary.last_seq


def _size(*summaries: SummaryRecord) -> int:
    return sum(summary.last_seq - summary.confirmed_seq for summary in summaries)


def _groups(summaries: Sequence[SummaryRecord]) -> Iterator[list[SummaryRecord]]:
    """Group consecutive conversations, as long as their queued messages fit into one page."""
    group: list[SummaryRecord] = []
    for summary in summaries:
        if group and _size(*group, summary) > PAGE:
            yield group
            group = []
        group.append(summary)
    if group:
        yield group


async def _next(pages: AsyncIterator[Page]) -> Page | None:
    return await anext(pages, None)
