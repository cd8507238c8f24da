"""Reads messages that are owed to a recipient: what others sent, above the recipient's mark, and not too old.

The recipients' marks and the conversation say which messages these are (``OwedRange``), so finding them needs no queue
entries. Every query names ranges of one or more conversations.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import known_object_id
from chat_mvp.storage.messages import WITHOUT_EDITS, to_record
from chat_mvp.storage.queue import SentMessage
from chat_mvp.storage.records import MessageRecord, SeqRange
from chat_mvp.storage.sharing import SharedReads
from chat_mvp.times import format_time

RANGES_AT_ONCE = 100
"""Branches of one ``$or``. With a ``hint``, planning takes little time."""
_BY_SEQ = [("conversation_id", 1), ("seq", 1)]
MAX_SHARED_SIZE = 10
"""Longer ranges are read alone, so that a shared query returns 1,000 messages at most."""
SCANNED_AT_ONCE = 5_000
"""Messages that one query looks at to find the next page: about 20 ms."""
SCANNED_PER_RESULT = 2
"""To count ``limit`` messages, each query looks at ``limit`` times this many at most."""


class OwedMessages:
    """Reads the ``messages`` collection. Every read is majority-committed."""

    def __init__(self, collections: Collections) -> None:
        """Read from this database."""
        self._messages = collections["messages"]
        self._ranges: SharedReads[SeqRange, list[MessageRecord]] = SharedReads(
            self._read_ranges, max_keys=RANGES_AT_ONCE
        )

    async def fetch(
        self, user_id: str, ranges: Iterable[SeqRange], *, since: datetime
    ) -> dict[str, list[MessageRecord]]:
        """Return the messages of others in these ranges that were sent after ``since``, by conversation, in order.

        Pass few messages in total: every message of the ranges is read. Concurrent callers share the queries of short
        ranges: many users who connect at once often need the same messages.
        """
        oldest = format_time(since)
        wanted = list(ranges)
        found = await self._ranges.fetch([each for each in wanted if each.size <= MAX_SHARED_SIZE])
        longer = [each for each in wanted if each.size > MAX_SHARED_SIZE]
        for start in range(0, len(longer), RANGES_AT_ONCE):
            found |= await self._read_ranges(longer[start : start + RANGES_AT_ONCE])
        owed: dict[str, list[MessageRecord]] = {}
        for records in found.values():
            for record in records:
                message = record.message
                if message.sender_id != user_id and message.created_at > oldest:
                    owed.setdefault(message.conversation_id, []).append(record)
        return owed

    async def fetch_page(self, user_id: str, where: SeqRange, *, since: datetime, limit: int) -> list[MessageRecord]:
        """Return the first messages of others in a range that were sent after ``since``, in order, ``limit`` at most.

        There may be more in the range even if there are fewer than ``limit``, but none if there are none. A query looks
        at ``SCANNED_AT_ONCE`` messages at most, because the user may have sent most of the range.
        """
        while where.size:
            part = where._replace(up_to=min(where.up_to, where.after + SCANNED_AT_ONCE))
            query = _match(part) | _owed_to(user_id, since)
            with translated():
                cursor = self._messages.find(query, WITHOUT_EDITS, sort=[("seq", 1)], limit=limit)
                documents = await cursor.to_list(None)
            if documents:
                return [to_record(document) for document in documents]
            where = where.above(part.up_to)
        return []

    async def count(self, user_id: str, ranges: Sequence[SeqRange], *, since: datetime, limit: int) -> int:
        """Return the number of messages of others in these ranges that were sent after ``since``, at most ``limit``.

        It is less than that if a range has very many messages of the user or from before ``since``.
        """
        total = 0
        for start in range(0, len(ranges), RANGES_AT_ONCE):
            if total >= limit:
                break
            pipeline: list[RawDocument] = [
                {"$match": {"$or": [_match(each) for each in ranges[start : start + RANGES_AT_ONCE]]}},
                {"$limit": SCANNED_PER_RESULT * limit},
                {"$match": _owed_to(user_id, since)},
                {"$limit": limit - total},
                {"$count": "count"},
            ]
            with translated():
                cursor = await self._messages.aggregate(pipeline, hint=dict(_BY_SEQ))
                total += sum([row["count"] async for row in cursor])
        return total

    async def find_start(self, where: SeqRange, *, since: datetime) -> int:
        """Return the ``after`` with which a range has no message from before ``since``.

        Times ascend in each conversation, so this takes as many lookups as the size of the range has binary digits.
        """
        low, high = where.after, where.up_to
        with translated():
            while low < high:
                middle = (low + high + 1) // 2
                query = {"conversation_id": known_object_id(where.conversation_id), "seq": middle}
                document = await self._messages.find_one(query, {"created_at": 1})
                if document is None or document["created_at"] > since:
                    high = middle - 1
                else:
                    low = middle
        return low

    async def fetch_sent(self, where: SeqRange) -> list[SentMessage]:
        """Return what the queue needs of the messages in a range, in order."""
        fields = dict.fromkeys(("seq", "sender_id", "priority", "created_at"), 1)
        with translated():
            documents = await self._messages.find(_match(where), fields, sort=[("seq", 1)]).to_list(None)
        return [
            SentMessage(it["_id"], it["seq"], str(it["sender_id"]), it["priority"], it["created_at"])
            for it in documents
        ]

    async def _read_ranges(self, ranges: Sequence[SeqRange]) -> Mapping[SeqRange, list[MessageRecord]]:
        by_conversation: dict[str, list[SeqRange]] = {}
        for each in ranges:
            by_conversation.setdefault(each.conversation_id, []).append(each)
        found: dict[SeqRange, list[MessageRecord]] = {each: [] for each in ranges}
        query = {"$or": [_match(each) for each in ranges]}
        with translated():
            documents = await self._messages.find(query, WITHOUT_EDITS, hint=_BY_SEQ).to_list(None)
        for document in documents:
            record = to_record(document)
            for each in by_conversation[record.message.conversation_id]:
                if each.after < record.message.seq <= each.up_to:
                    found[each].append(record)
        for records in found.values():
            records.sort(key=lambda record: record.message.seq)
        return found


def _match(where: SeqRange) -> RawDocument:
    seqs = {"$gt": where.after, "$lte": where.up_to}
    return {"conversation_id": known_object_id(where.conversation_id), "seq": seqs}


def _owed_to(user_id: str, since: datetime) -> dict[str, Any]:
    return {"sender_id": {"$ne": known_object_id(user_id)}, "created_at": {"$gt": since}}
