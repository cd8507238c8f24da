"""Removes the data that a deleted conversation or a former member leaves behind."""

from chat_mvp.storage.client import RawDocument
from chat_mvp.storage.purging import PURGE_CONVERSATION, PURGE_QUEUE, Leftovers

PIECE = 500
"""How many documents are removed at once. This takes a few hundredths of a second of the database's time."""


class PurgeConversation:
    """Handles the job that the deletion of a conversation stores."""

    kind = PURGE_CONVERSATION

    def __init__(self, leftovers: Leftovers) -> None:
        """Remove through ``leftovers``."""
        self._leftovers = leftovers

    async def run(self, payload: RawDocument) -> RawDocument | None:
        """Remove up to ``PIECE`` documents, queue entries first, because they refer to messages."""
        room = PIECE
        members = list(payload["member_ids"])
        while members:
            removed = await self._leftovers.remove_queue_entries(payload["conversation_id"], members[-1], limit=room)
            room -= removed
            if room <= 0:
                return payload | {"member_ids": members}
            members.pop()
        removed = await self._leftovers.remove_messages(payload["conversation_id"], limit=room)
        return payload | {"member_ids": []} if removed == room else None


class PurgeQueue:
    """Handles the job that the removal of a member stores when the member has very many queue entries."""

    kind = PURGE_QUEUE

    def __init__(self, leftovers: Leftovers) -> None:
        """Remove through ``leftovers``."""
        self._leftovers = leftovers

    async def run(self, payload: RawDocument) -> RawDocument | None:
        """Remove up to ``PIECE`` queue entries."""
        removed = await self._leftovers.remove_queue_entries(
            payload["conversation_id"], payload["user_id"], up_to=payload["up_to"], limit=PIECE
        )
        return payload if removed == PIECE else None
