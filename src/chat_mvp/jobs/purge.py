"""Removes the data that a deleted conversation or a former member leaves behind."""

from chat_mvp.storage.client import RawDocument
from chat_mvp.storage.purging import PURGE_CONVERSATION, PURGE_QUEUE, Leftovers

PIECE = 100
"""How many documents are removed at once. This takes a few thousandths of a second of the database's time."""


class PurgeConversation:
    """Handles the job that the deletion of a conversation stores."""

    kind = PURGE_CONVERSATION

    def __init__(self, leftovers: Leftovers) -> None:
        """Remove through ``leftovers``."""
        self._leftovers = leftovers

    async def run(self, payload: RawDocument) -> RawDocument | None:
        """Remove up to ``PIECE`` documents, queue entries first, because they refer to messages."""
        room, after = PIECE, payload.get("after", 0)
        members = list(payload["member_ids"])
        while members:
            removed = await self._leftovers.remove_queue_entries(
                payload["conversation_id"], members[-1], after=after, limit=room
            )
            room -= removed.documents
            if room <= 0:
                return payload | {"member_ids": members, "after": removed.last_seq}
            members.pop()
            after = 0
        removed = await self._leftovers.remove_messages(payload["conversation_id"], after=after, limit=room)
        return payload | {"member_ids": [], "after": removed.last_seq} if removed.documents == room else None


class PurgeQueue:
    """Handles the job that the removal of a member stores when the member has very many queue entries."""

    kind = PURGE_QUEUE

    def __init__(self, leftovers: Leftovers) -> None:
        """Remove through ``leftovers``."""
        self._leftovers = leftovers

    async def run(self, payload: RawDocument) -> RawDocument | None:
        """Remove up to ``PIECE`` queue entries."""
        removed = await self._leftovers.remove_queue_entries(
            payload["conversation_id"],
            payload["user_id"],
            after=payload.get("after", 0),
            up_to=payload["up_to"],
            limit=PIECE,
        )
        return payload | {"after": removed.last_seq} if removed.documents == PIECE else None
