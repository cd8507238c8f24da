"""The ``message_queue`` collection, as plain documents: the messages that wait for each recipient.

``storage.commit`` creates and removes entries inside the writer's transaction. This module reads them for the drain. An
entry's ``_id`` is its recipient, conversation and ``seq``, so every query about one recipient is a range of keys.
"""

from collections.abc import Iterable
from typing import Any

from bson import MaxKey, ObjectId

from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import known_object_id

PRIORITY_RANK = {"high": 0, "normal": 1}
URGENT_READ = 10_000
"""How many messages of high priority of one user are read in order to find their conversations."""


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
    """Reads the queue of one recipient."""

    def __init__(self, collections: Collections) -> None:
        """Read from the ``message_queue`` collection of this database."""
        self._queue = collections["message_queue"]

    async def count(self, recipient_id: str, *, limit: int) -> int:
        """Return how many messages wait for this user, at most ``limit``."""
        recipient = known_object_id(recipient_id)
        everything = {
            "$gte": {"recipient_id": recipient},
            "$lt": {"recipient_id": recipient, "conversation_id": MaxKey()},
        }
        with translated():
            return await self._queue.count_documents({"_id": everything}, limit=limit)

    async def fetch_urgent(self, recipient_id: str) -> list[str]:
        """Return the conversations in which a message of high priority waits, starting with the longest wait.

        If there are more than ``URGENT_READ`` such messages, the others count as of normal priority.
        """
        pipeline: list[RawDocument] = [
            {"$match": {"_id.recipient_id": known_object_id(recipient_id), "priority": PRIORITY_RANK["high"]}},
            {"$limit": URGENT_READ},
            # The database groups them, because only the conversations matter, not the number of messages.
            {"$group": {"_id": "$_id.conversation_id", "since": {"$min": "$created_at"}}},
            {"$sort": {"since": 1}},
        ]
        with translated():
            cursor = await self._queue.aggregate(pipeline)
            return [str(row["_id"]) async for row in cursor]

    async def fetch_seqs(
        self,
        recipient_id: str,
        conversation_id: str,
        *,
        after: int,
        up_to: int,
        limit: int,
    ) -> list[int]:
        """Return the ``seq`` of queued messages with ``after < seq <= up_to``, at most ``limit``, ascending."""
        query = queue_range(recipient_id, conversation_id, first=after + 1, last=up_to)
        with translated():
            entries = await self._queue.find(query, {"_id": 1}, sort=[("_id", 1)], limit=limit).to_list(None)
        return [entry["_id"]["seq"] for entry in entries]

    async def take_few(self, recipient_id: str, ranges: Iterable[tuple[str, int, int]]) -> list[str]:
        """Return the ids of the queued messages in these ranges, and count one more attempt to send them.

        A range is a conversation with ``after < seq <= up_to``. Pass few sequence numbers in total: each is looked up.
        """
        recipient = known_object_id(recipient_id)
        keys = [
            queue_key(recipient, known_object_id(conversation_id), seq)
            for conversation_id, after, up_to in ranges
            for seq in range(after + 1, up_to + 1)
        ]
        with translated():
            entries = await self._queue.find({"_id": {"$in": keys}}, {"message_id": 1}).to_list(None)
            if entries:
                found = [entry["_id"] for entry in entries]
                await self._queue.update_many({"_id": {"$in": found}}, {"$inc": {"attempts": 1}})
        return [str(entry["message_id"]) for entry in entries]

    async def count_attempt(self, recipient_id: str, conversation_id: str, *, first: int, last: int) -> None:
        """Count one more attempt to send the entries from ``first`` to ``last``."""
        query = queue_range(recipient_id, conversation_id, first=first, last=last)
        with translated():
            await self._queue.update_many(query, {"$inc": {"attempts": 1}})
