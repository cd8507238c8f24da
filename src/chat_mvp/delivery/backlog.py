"""Which messages are owed to a user who connects: those that others sent, above the user's marks, and not expired.

The marks and the conversations say which these are (``OwedRange``). Messages from before the range of a conversation
are owed only if they have an entry in the queue.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from cachetools import LRUCache
from msgspec import Struct, structs

from chat_mvp.clock import Now
from chat_mvp.delivery.attempts import Attempts
from chat_mvp.delivery.grouping import grouped
from chat_mvp.limits import MAX_COUNTED_QUEUE
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.owed import OwedMessages
from chat_mvp.storage.queue import Attempt, Queue
from chat_mvp.storage.records import MessageRecord, SeqRange, SummaryRecord

PAGE = 200
MAX_LOADED = 50
"""If a user has at most this many messages above the marks, they are read before ``ready``, and counted there."""
SEARCHED_FROM = 1_000
"""In a range of at least this many messages, the first one that is not expired is searched before the range is read."""

MAX_RANGES_COUNTED = 500
"""In how many conversations the messages are counted exactly. In others, every message above the mark counts."""
MAX_REMEMBERED = 10_000
MAX_KEYS_COUNTED = 64
"""The entries of at most this many messages are looked up by their keys, and more as a range."""
_NEVER = "~"
"""Sorts after every time."""

Page = list[tuple[SummaryRecord, list[MessageRecord]]]
"""Messages by conversation, in the order in which they are sent."""


class Piece(Struct, frozen=True):
    """A range of messages of one conversation. With ``requires_entry``, only those with a queue entry are owed."""

    summary: SummaryRecord
    where: SeqRange
    requires_entry: bool


class Backlog(Struct, frozen=True):
    """What is owed to one user."""

    user_id: str
    pieces: list[Piece]
    """The ranges in which owed messages may be, the least recently active conversation first."""
    loaded: dict[str, list[MessageRecord]] | None
    """The owed messages by conversation, if they are few."""
    count: int
    """The number of owed messages, at most ``MAX_COUNTED_QUEUE``."""

    def without(self, conversations: Collection[str]) -> "Backlog":
        """Return what is owed in other conversations. If it is much, ``count`` stays the same."""
        pieces = [piece for piece in self.pieces if piece.summary.id not in conversations]
        if self.loaded is None:
            return structs.replace(self, pieces=pieces)
        loaded = {key: records for key, records in self.loaded.items() if key not in conversations}
        return Backlog(self.user_id, pieces, loaded, sum(map(len, loaded.values())))


class Backlogs:
    """Finds and reads what is owed."""

    def __init__(self, *, queue: Queue, owed: OwedMessages, messages: Messages, ttl: timedelta, clock: Now) -> None:
        """Read from these collections. Messages that were sent longer than ``ttl`` ago are not owed any more."""
        self._queue = queue
        self._attempts = Attempts(queue)
        self._owed = owed
        self._messages = messages
        self._ttl = ttl
        self._clock = clock
        self._nothing_up_to: LRUCache[tuple[str, str], int] = LRUCache(MAX_REMEMBERED)
        """By user and conversation: up to where nothing is owed, although nothing is confirmed.

        The user sent these messages, or they are too old. Without it, each connect would look at all of them again.
        """

    def close(self) -> None:
        """Count no more attempts."""
        self._attempts.close()

    async def find(self, user_id: str, summaries: Sequence[SummaryRecord]) -> Backlog:
        """Return what is owed. ``summaries`` come with the most recently active conversation first."""
        since = self._oldest()
        behind = (summary for summary in reversed(summaries) if summary.confirmed_seq < summary.last_seq)
        recent = (summary for summary in behind if summary.activity_at > since)
        pieces = [piece for summary in recent for piece in self._pieces(user_id, summary)]
        if _size(pieces) <= MAX_LOADED:
            loaded = await self._load(user_id, pieces) if pieces else {}
            return Backlog(user_id, pieces, loaded, sum(map(len, loaded.values())))
        by_mark = [piece.where for piece in pieces if not piece.requires_entry]
        exact, others = by_mark[:MAX_RANGES_COUNTED], by_mark[MAX_RANGES_COUNTED:]
        count = await self._owed.count(user_id, exact, since=since, limit=MAX_COUNTED_QUEUE)
        count = min(MAX_COUNTED_QUEUE, count + sum(where.size for where in others))
        count += await self._queue.count(
            user_id, [piece.where for piece in pieces if piece.requires_entry], limit=MAX_COUNTED_QUEUE - count
        )
        return Backlog(user_id, pieces, None, count)

    async def pages(
        self, backlog: Backlog, *, without: Collection[str], changed: Collection[str]
    ) -> AsyncGenerator[Page, None]:
        """Read the owed messages in the order in which they are sent, except those of conversations in ``without``.

        In the ``changed`` conversations, a newer state of these messages may have been sent since ``find``.
        """
        pieces = [piece for piece in backlog.pieces if piece.summary.id not in without]
        if backlog.loaded is not None:
            again = [piece for piece in pieces if piece.summary.id in changed]
            loaded = backlog.without(changed).loaded or {}
            if again:
                loaded |= await self._load(backlog.user_id, again)
            pages = _one_page(_urgent_first(pieces, loaded), loaded)
        else:
            pages = self._read(backlog.user_id, await self._in_order(backlog.user_id, pieces))
        async for page in pages:
            await self._count_attempts(backlog.user_id, page)
            yield page

    async def _read(self, user_id: str, pieces: Sequence[Piece]) -> AsyncIterator[Page]:
        for group in grouped(pieces, _size_of, at_most=PAGE):
            if _size(group) <= PAGE:
                page = _page(group, await self._load(user_id, group))
                if page:
                    yield page
            else:
                (piece,) = group
                async for records in self._read_long(user_id, piece):
                    yield [(piece.summary, records)]

    async def _load(self, user_id: str, pieces: Sequence[Piece]) -> dict[str, list[MessageRecord]]:
        """Return the owed messages of few and short ranges, by conversation, in order."""
        ranges = [piece.where for piece in pieces if not piece.requires_entry]
        found = await self._owed.fetch(user_id, ranges, since=self._oldest()) if ranges else {}
        if requires_entry := [piece.where for piece in pieces if piece.requires_entry]:
            ids = await self._queue.fetch_ids(user_id, requires_entry)
            for record in (await self._messages.fetch_by_ids(ids)).values() if ids else ():
                found.setdefault(record.message.conversation_id, []).append(record)
            for records in found.values():
                records.sort(key=lambda record: record.message.seq)
        return found

    async def _read_long(self, user_id: str, piece: Piece) -> AsyncIterator[list[MessageRecord]]:
        since, where, is_start = self._oldest(), piece.where, True
        if not piece.requires_entry and where.size >= SEARCHED_FROM:
            where = where.above(await self._owed.find_start(where, since=since))
        while where.size:
            if piece.requires_entry:
                seqs = await self._queue.fetch_seqs(user_id, where, limit=PAGE)
                records = await self._messages.fetch_by_seqs(where.conversation_id, seqs) if seqs else []
            else:
                records = await self._owed.fetch_page(user_id, where, since=since, limit=PAGE)
            first = records[0].message.seq if records else where.up_to + 1
            if is_start and not piece.requires_entry and first - piece.where.after > PAGE:
                self._nothing_up_to[user_id, where.conversation_id] = first - 1
            is_start = False
            if not records:
                break
            yield records
            where = where.above(records[-1].message.seq)

    async def _in_order(self, user_id: str, pieces: Sequence[Piece]) -> list[Piece]:
        """Put the conversations first in which a message of high priority waits, those with the longest wait first."""
        ranks = {conversation_id: rank for rank, conversation_id in enumerate(await self._queue.fetch_urgent(user_id))}
        return sorted(pieces, key=lambda piece: ranks.get(piece.where.conversation_id, len(ranks)))

    async def _count_attempts(self, user_id: str, page: Page) -> None:
        sent = [(summary.id, record.message.seq) for summary, records in page for record in records]
        if len(page) == 1 and len(sent) > MAX_KEYS_COUNTED:
            conversation_id, first = sent[0]
            await self._queue.count_attempt(user_id, conversation_id, first=first, last=sent[-1][1])
        else:
            self._attempts.add([Attempt(user_id, conversation_id, seq) for conversation_id, seq in sent])

    def _pieces(self, user_id: str, summary: SummaryRecord) -> Iterator[Piece]:
        """Return the ranges in which messages may be owed, in ascending order. None if everything is confirmed."""
        last, confirmed, owed = summary.last_seq, summary.confirmed_seq, summary.owed
        requires_entry = SeqRange(summary.id, confirmed, last if owed is None else min(owed.after, last))
        if requires_entry.size:
            yield Piece(summary, requires_entry, requires_entry=True)
        if owed is not None:
            above = max(owed.after, confirmed, self._nothing_up_to.get((user_id, summary.id), 0))
            by_mark = SeqRange(summary.id, above, last if owed.up_to is None else min(owed.up_to, last))
            if by_mark.size:
                yield Piece(summary, by_mark, requires_entry=False)

    def _oldest(self) -> datetime:
        return self._clock() - self._ttl


def _size_of(piece: Piece) -> int:
    return piece.where.size


def _size(pieces: Iterable[Piece]) -> int:
    return sum(map(_size_of, pieces))


def _page(pieces: Iterable[Piece], found: Mapping[str, list[MessageRecord]]) -> Page:
    summaries = {piece.summary.id: piece.summary for piece in pieces}
    return [(summary, found[summary.id]) for summary in summaries.values() if found.get(summary.id)]


async def _one_page(pieces: Iterable[Piece], found: Mapping[str, list[MessageRecord]]) -> AsyncIterator[Page]:
    if page := _page(pieces, found):
        yield page


def _urgent_first(pieces: Iterable[Piece], found: Mapping[str, list[MessageRecord]]) -> list[Piece]:
    """Do the same as ``Backlogs._in_order`` from messages that are in memory."""

    def waits_since(piece: Piece) -> str:
        records = found.get(piece.where.conversation_id, ())
        return min((it.message.created_at for it in records if it.message.priority == "high"), default=_NEVER)

    return sorted(pieces, key=waits_since)
