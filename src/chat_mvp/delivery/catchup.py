"""Bringing a connection up to date with what it says it knows, conversation by conversation.

The contract is docs/protocol.md, "Connecting and catching up". The connection is registered before the snapshot is
read, so whatever commits later reaches it as a live event; ``note_sent`` lets it drop those it was sent here already.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from msgspec import Struct

from chat_mvp.delivery.snapshot import Standing
from chat_mvp.limits import MAX_RESUME_CHANGES
from chat_mvp.protocol import (
    Conversation,
    ConversationJoined,
    ConversationReset,
    Message,
    MessageChanged,
    MessageNew,
    ServerFrame,
)
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.records import MessageRecord

Send = Callable[[ServerFrame], Awaitable[None]]
"""Sends a frame at the reader's pace."""
NoteSent = Callable[[Message], None]
"""Told of each message that was sent in a state newer than the snapshot."""
HasLeft = Callable[[str], Awaitable[bool]]
"""Tells whether the person was let out of a conversation since the snapshot, as of what can be read by now."""
FetchViews = Callable[[str, Iterable[str]], Awaitable[list[Conversation]]]

_VIEWS_AT_ONCE = 50


class Known(Struct, frozen=True):
    """What a client says it has: the revision of each conversation, and the epoch these belong to."""

    revs: Mapping[str, int] | None
    epoch: str | None

    def is_good(self, standings: Mapping[str, Standing], epoch: str) -> bool:
        """Tell whether the client can be brought up to date from it: ours, and not from the future."""
        if self.revs is None or self.epoch not in {None, epoch}:
            return False
        return all(rev <= standings[i].conversation.rev for i, rev in self.revs.items() if i in standings)


class CatchUp:
    """Streams what a client missed."""

    def __init__(self, messages: Messages, fetch_views: FetchViews) -> None:
        """Read from these; ``fetch_views`` returns conversations as a person sees them."""
        self._messages = messages
        self._fetch_views = fetch_views

    async def stream(
        self,
        user_id: str,
        standings: Mapping[str, Standing],
        known: Mapping[str, int],
        *,
        send: Send,
        note_sent: NoteSent,
        has_left: HasLeft,
    ) -> set[str]:
        """Send what is new since ``known`` and return the conversations that were reset."""
        await self._introduce(user_id, [i for i in standings if i not in known], send)
        reset: set[str] = set()
        for conversation_id, standing in standings.items():
            rev = known.get(conversation_id)
            if rev is None or rev == standing.conversation.rev:
                continue
            if standing.conversation.rev - rev > MAX_RESUME_CHANGES:
                reset.add(conversation_id)
                await send(
                    ConversationReset(
                        conversation_id=conversation_id,
                        rev=standing.conversation.rev,
                        last_seq=standing.conversation.last_seq,
                    ),
                )
            else:
                await self._changes(standing, rev, send, note_sent, has_left)
        return reset

    async def _introduce(self, user_id: str, ids: list[str], send: Send) -> None:
        for start in range(0, len(ids), _VIEWS_AT_ONCE):
            for view in await self._fetch_views(user_id, ids[start : start + _VIEWS_AT_ONCE]):
                await send(ConversationJoined(conversation=view))

    async def _changes(
        self, standing: Standing, known_rev: int, send: Send, note_sent: NoteSent, has_left: HasLeft
    ) -> None:
        records = await self._messages.fetch_changed(
            standing.conversation.id,
            after_rev=known_rev,
            above_seq=standing.membership.joined_seq,
            up_to_seq=standing.conversation.last_seq,
            limit=MAX_RESUME_CHANGES,
        )
        if is_newer(standing, records) and await has_left(standing.conversation.id):
            return
        older = [record.message for record in records if record.made_rev <= known_rev]
        newer = [record.message for record in records if record.made_rev > known_rev]
        for message in older:
            note_sent(message)
            await send(MessageChanged(message=message))
        for message in sorted(newer, key=lambda message: message.seq):
            note_sent(message)
            await send(MessageNew(message=message, queued=False))


def is_newer(standing: Standing, records: Iterable[MessageRecord]) -> bool:
    """Tell whether a message has changed since the snapshot: who has left meanwhile must not see what it says now."""
    return any(record.message.rev > standing.conversation.rev for record in records)
