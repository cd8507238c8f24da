"""Removes the data that a deleted conversation leaves behind, a bounded amount at a time."""

from collections.abc import Iterable
from typing import NamedTuple

from bson import ObjectId

from chat_mvp.storage.client import Collections
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import known_object_id
from chat_mvp.storage.jobs import NewJob
from chat_mvp.storage.queue import queue_range

PURGE_CONVERSATION = "purge_conversation"
PURGE_QUEUE = "purge_queue"


def purge_job(conversation_id: str, member_ids: Iterable[str]) -> NewJob:
    """Return the job that removes the messages of a conversation and the queue entries of these users for it."""
    payload = {
        "conversation_id": known_object_id(conversation_id),
        "member_ids": [known_object_id(user_id) for user_id in member_ids],
    }
    return NewJob(kind=PURGE_CONVERSATION, payload=payload)


def purge_queue_job(conversation_id: str, user_id: str, *, up_to: int) -> NewJob:
    """Return the job that removes the queue entries up to ``up_to`` of a user who is no longer in a conversation."""
    payload = {
        "conversation_id": known_object_id(conversation_id),
        "user_id": known_object_id(user_id),
        "up_to": up_to,
    }
    return NewJob(kind=PURGE_QUEUE, payload=payload)


class Removed(NamedTuple):
    """How many documents were removed, and the sequence number of the last one.

    The next removal starts there: MongoDB still reads removed entries of an index for a while, so a search from the
    beginning would become slower with each removal.
    """

    documents: int
    last_seq: int


class Leftovers:
    """Messages and queue entries of conversations that no longer exist. No client can reach them any more."""

    def __init__(self, collections: Collections) -> None:
        """Remove from this database."""
        self._messages = collections["messages"]
        self._queue = collections["message_queue"]

    async def remove_messages(self, conversation_id: ObjectId, *, after: int, limit: int) -> Removed:
        """Remove at most ``limit`` messages after the sequence number ``after``."""
        query = {"conversation_id": conversation_id, "seq": {"$gt": after}}
        with translated():
            found = await self._messages.find(query, {"seq": 1}, sort=[("seq", 1)], limit=limit).to_list(None)
            if not found:
                return Removed(0, after)
            await self._messages.delete_many({"_id": {"$in": [document["_id"] for document in found]}})
        return Removed(len(found), found[-1]["seq"])

    async def remove_queue_entries(
        self, conversation_id: ObjectId, user_id: ObjectId, *, after: int, up_to: int | None = None, limit: int
    ) -> Removed:
        """Remove at most ``limit`` entries of one recipient after the sequence number ``after``, up to ``up_to``."""
        entries = queue_range(str(user_id), str(conversation_id), first=after + 1, last=up_to)
        with translated():
            found = await self._queue.find(entries, {"_id": 1}, sort=[("_id", 1)], limit=limit).to_list(None)
            if not found:
                return Removed(0, after)
            await self._queue.delete_many({"_id": {"$in": [document["_id"] for document in found]}})
        return Removed(len(found), found[-1]["_id"]["seq"])
