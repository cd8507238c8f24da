"""The ``message_queue`` collection, as plain documents: messages that recipients who are away have not confirmed.

``storage.write_commands`` creates and removes entries. This module reads them, and counts attempts to send them. An
entry's ``_id`` is its recipient, conversation and ``seq``, so every query about one recipient is a range of keys.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bson import MaxKey, ObjectId

from chat_mvp.protocol import Priority
from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import known_object_id
from chat_mvp.storage.records import SeqRange

_PRIORITY_RANK: dict[Priority, int] = {"high": 0, "normal": 1}
RANGES_AT_ONCE = 25
"""Branches of one ``$or``. The time to plan a query grows with the square of their number."""
URGENT_READ = 10_000
"""How many messages of high priority of one user are read in order to find their conversations."""


class SentMessage(NamedTuple):
    """What the queue needs of a stored message."""

    id: ObjectId
    seq: int
    sender_id: str
    priority: Priority
    created_at: datetime


class Attempt(NamedTuple):
    """A message that is sent to a recipient."""

    recipient_id: str
    conversation_id: str
    seq: int


def queue_document(recipient_id: str, conversation_id: ObjectId, message: SentMessage) -> RawDocument:
    """Return a new entry: a message that waits for this recipient."""
    return {
        "_id": queue_key(known_object_id(recipient_id), conversation_id, message.seq),
        "message_id": message.id,
        "priority": _PRIORITY_RANK[message.priority],
        "attempts": 0,
        "created_at": message.created_at,
    }


def queue_key(recipient_id: ObjectId, conversation_id: ObjectId, seq: Any) -> RawDocument:
    """Return the ``_id`` of an entry. The order of the fields is the order of the keys."""
    return {"recipient_id": recipient_id, "conversation_id": conversation_id, "seq": seq}


def queue_range(recipient_id: str, conversation_id: str, *, first: int = 0, last: int | None = None) -> RawDocument:
    """Return the query for the entries of one recipient in one conversation from ``first`` to ``last``."""
    recipient, conversation = known_object_id(recipient_id), known_object_id(conversation_id)
    end = MaxKey() if last is None else last
    return {
        "_id": {"$gte": queue_key(recipient, conversation, first), "$lte": queue_key(recipient, conversation, end)},
    }


class Queue:
    """Reads the queues of recipients."""

    def __init__(self, collections: Collections) -> None:
        """Read from the ``message_queue`` collection of this database."""
        self._queue = collections["message_queue"]

    async def count(self, recipient_id: str, ranges: Sequence[SeqRange], *, limit: int) -> int:
        """Return how many entries this user has in these ranges, at most ``limit``."""
        total = 0
        for start in range(0, len(ranges), RANGES_AT_ONCE):
            if total >= limit:
                break
            either = [_entries(recipient_id, each) for each in ranges[start : start + RANGES_AT_ONCE]]
            with translated():
                total += await self._queue.count_documents({"$or": either}, limit=limit - total)
        return total

    async def fetch_urgent(self, recipient_id: str) -> list[str]:
        """Return the conversations in which a message of high priority waits, starting with the longest wait.

        If there are more than ``URGENT_READ`` such messages, the others count as of normal priority.
        """
        pipeline: list[RawDocument] = [
            {"$match": {"_id.recipient_id": known_object_id(recipient_id), "priority": _PRIORITY_RANK["high"]}},
            {"$limit": URGENT_READ},
            # The database groups them, because only the conversations matter, not the number of messages.
            {"$group": {"_id": "$_id.conversation_id", "since": {"$min": "$created_at"}}},
            {"$sort": {"since": 1}},
        ]
        with translated():
            cursor = await self._queue.aggregate(pipeline)
            return [str(row["_id"]) async for row in cursor]

    async def fetch_seqs(self, recipient_id: str, where: SeqRange, *, limit: int) -> list[int]:
        """Return the ``seq`` of the first ``limit`` queued messages in a range, ascending."""
        with translated():
            found = self._queue.find(_entries(recipient_id, where), {"_id": 1}, sort=[("_id", 1)], limit=limit)
            return [entry["_id"]["seq"] for entry in await found.to_list(None)]

    async def fetch_ids(self, recipient_id: str, ranges: Iterable[SeqRange]) -> list[str]:
        """Return the ids of the queued messages in these ranges. Pass few messages in total: each is looked up."""
        recipient = known_object_id(recipient_id)
        keys = [
            queue_key(recipient, known_object_id(where.conversation_id), seq)
            for where in ranges
            for seq in range(where.after + 1, where.up_to + 1)
        ]
        with translated():
            entries = await self._queue.find({"_id": {"$in": keys}}, {"message_id": 1}).to_list(None)
        return [str(entry["message_id"]) for entry in entries]

    async def count_attempts(self, attempts: Iterable[Attempt]) -> None:
        """Count one more attempt to send each of these messages, as far as they have entries.

        Two attempts to send the same message to the same recipient count as one.
        """
        keys = [
            queue_key(known_object_id(it.recipient_id), known_object_id(it.conversation_id), it.seq) for it in attempts
        ]
        with translated():
            await self._queue.update_many({"_id": {"$in": keys}}, {"$inc": {"attempts": 1}})

    async def count_attempt(self, recipient_id: str, conversation_id: str, *, first: int, last: int) -> None:
        """Count one more attempt to send the entries from ``first`` to ``last``."""
        query = queue_range(recipient_id, conversation_id, first=first, last=last)
        with translated():
            await self._queue.update_many(query, {"$inc": {"attempts": 1}})


def _entries(recipient_id: str, where: SeqRange) -> RawDocument:
    return queue_range(recipient_id, where.conversation_id, first=where.after + 1, last=where.up_to)
