"""The ``message_queue`` collection, as plain documents: what waits for whom.

Entries are made and removed by ``storage.commit`` inside the writer's transaction; here they are read for the drain.
"""

from chat_mvp.storage.client import Collections
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import to_object_id

PRIORITY_RANK = {"high": 0, "normal": 1}


class Queue:
    """Reading one recipient's queue."""

    def __init__(self, collections: Collections) -> None:
        """Read from the ``message_queue`` collection of this database."""
        self._queue = collections["message_queue"]

    async def count(self, recipient_id: str) -> int:
        """Return how many messages wait for this person; answered from an index."""
        with translated():
            return await self._queue.count_documents({"recipient_id": to_object_id(recipient_id)})

    async def fetch_urgent(self, recipient_id: str) -> list[str]:
        """Return the conversations in which a message of high priority waits, the longest waiting first."""
        query = {"recipient_id": to_object_id(recipient_id), "priority": PRIORITY_RANK["high"]}
        order: dict[str, None] = {}
        with translated():
            async for entry in self._queue.find(query, {"conversation_id": 1, "_id": 0}, sort=[("_id", 1)]):
                order[str(entry["conversation_id"])] = None
        return list(order)

    async def fetch_seqs(
        self,
        recipient_id: str,
        conversation_id: str,
        *,
        after: int,
        up_to: int,
        limit: int,
    ) -> list[int]:
        """Return where messages wait with ``after < seq <= up_to``, at most ``limit``, ascending, from an index."""
        query = {
            "recipient_id": to_object_id(recipient_id),
            "conversation_id": to_object_id(conversation_id),
            "seq": {"$gt": after, "$lte": up_to},
        }
        with translated():
            entries = await self._queue.find(query, {"seq": 1, "_id": 0}, sort=[("seq", 1)], limit=limit).to_list(None)
        return [entry["seq"] for entry in entries]

    async def count_attempt(self, recipient_id: str, conversation_id: str, *, first: int, last: int) -> None:
        """Note that the entries from ``first`` to ``last`` were sent once more."""
        query = {
            "recipient_id": to_object_id(recipient_id),
            "conversation_id": to_object_id(conversation_id),
            "seq": {"$gte": first, "$lte": last},
        }
        with translated():
            await self._queue.update_many(query, {"$inc": {"attempts": 1}})
