"""Sending what waits in a person's queue, page by page, so that memory stays small however much it is."""

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
    """Streams one person's queue in the promised order.

    Conversations with a message of high priority come first, then the others, the longest silent first; within a
    conversation the oldest message first, whatever its priority, because ``seq`` is the order that everyone sees.
    """

    def __init__(self, queue: Queue, messages: Messages) -> None:
        """Read from these."""
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
        """Send what waits and return how many messages that were.

        ``summaries`` come with the most recently active conversation first. Not sent: conversations ``without``, and
        messages made after ``known``, which catching up has brought.
        """
        behind = [summary for summary in reversed(summaries) if is_behind(summary) and summary.id not in without]
        pages = self._pages(user_id, await self._order(user_id, behind))
        left: set[str] = set()
        count = 0
        coming = asyncio.create_task(_next(pages))
        try:
            while page := await coming:
                # The next page is read while this one is sent.
                coming = asyncio.create_task(_next(pages))
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
            coming.cancel()
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
                if page := await self._few(user_id, group):
                    yield page
            else:
                (summary,) = group
                after = summary.confirmed_seq
                while records := await self._page(user_id, summary, after=after):
                    yield [(summary, records)]
                    after = records[-1].message.seq

    async def _few(self, user_id: str, group: Sequence[SummaryRecord]) -> Page:
        ids = await self._queue.take_few(user_id, [(each.id, each.confirmed_seq, each.last_seq) for each in group])
        found: dict[str, list[MessageRecord]] = {}
        for record in (await self._messages.fetch_by_ids(ids)).values() if ids else ():
            found.setdefault(record.message.conversation_id, []).append(record)
        for records in found.values():
            records.sort(key=lambda record: record.message.seq)
        return [(each, found[each.id]) for each in group if each.id in found]

    async def _page(self, user_id: str, summary: SummaryRecord, *, after: int) -> list[MessageRecord]:
        # What came after the snapshot is a live event and comes with those.
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
    """Return whether something may wait: nothing does where everything was confirmed, and nothing needs to be asked."""
    return summary.confirmed_seq < summary.last_seq


def _size(*summaries: SummaryRecord) -> int:
    return sum(summary.last_seq - summary.confirmed_seq for summary in summaries)


def _groups(summaries: Sequence[SummaryRecord]) -> Iterator[list[SummaryRecord]]:
    """Put conversations that follow each other together, as long as what may wait in them fits into one page."""
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
