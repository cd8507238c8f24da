"""What was made or changed since a moment, for clients that keep nothing but a time."""

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from chat_mvp.delivery.batch import Batch
from chat_mvp.delivery.reply import Reply, await_reply
from chat_mvp.delivery.writer import Writer
from chat_mvp.protocol import Id, Mark, Message
from chat_mvp.security.turns import Turns
from chat_mvp.storage.conversations import Conversations
from chat_mvp.storage.messages import Messages, SentKey
from chat_mvp.storage.records import MembershipRecord

_TICK = timedelta(milliseconds=1)
"""The finest difference that times have here."""


class Place(Struct, array_like=True, frozen=True):
    """How far somebody has read: behind this change of this conversation, in a list that began at ``server_time``."""

    server_time: Annotated[datetime, Meta(tz=True)]
    conversation_id: Id
    rev: Mark


class ChangesSince(Struct, frozen=True):
    """A page of changes, the moment to ask from next time, and where the page behind this one begins."""

    messages: list[Message]
    server_time: datetime
    next: Place | None


class AskMoment:
    """Changes nothing: learns the writer's time, once all that the writer has dated earlier is stored or has failed.

    What is being written now bears a time already and cannot be read yet. Whoever took the time of day instead, and
    asked from there next time, would never hear of it.
    """

    __slots__ = ("reply",)

    conversation_id: str | None = None
    direct_key: str | None = None
    message_ids: tuple[str, ...] = ()
    sent_key: SentKey | None = None
    size = 0
    adds_data = False

    def __init__(self, *, reply: Reply[datetime]) -> None:
        """Answer with the moment."""
        self.reply = reply

    def apply(self, batch: Batch) -> None:
        """Answer with the time of this batch when it is this batch's turn."""
        batch.after_commit(lambda: self.reply.succeed(batch.now))


class MessageSync:
    """Reads what changed in all of a person's conversations."""

    def __init__(self, *, writer: Writer, messages: Messages, conversations: Conversations, turns: Turns) -> None:
        """Read from these; the writer tells until when that is complete. Requests wait for their turn."""
        self._turns = turns
        self._writer = writer
        self._messages = messages
        self._conversations = conversations

    async def fetch(self, user_id: str, after: datetime, *, place: Place | None, limit: int) -> ChangesSince:
        """Return at most ``limit`` messages made or changed after a moment, in their present state.

        They come by conversation, and there by descending ``rev``. Every page names the moment at which the first one
        was read: asking from there next time brings whatever was stored since, some of it a second time.
        """
        async with self._turns.turn(user_id):
            return await self._fetch(user_id, after, place=place, limit=limit)

    async def _fetch(self, user_id: str, after: datetime, *, place: Place | None, limit: int) -> ChangesSince:
        # Before anything is read, and only once: what changes while somebody turns the pages is for the next time.
        server_time = await self._complete_until() if place is None else place.server_time
        memberships = await self._conversations.fetch_memberships(user_id)
        messages: list[Message] = []
        for conversation_id in await self._conversations.fetch_changed_since(memberships, after):
            if place is None or conversation_id >= place.conversation_id:
                below = place.rev if place is not None and conversation_id == place.conversation_id else None
                wanted = limit + 1 - len(messages)
                messages += await self._changes(memberships[conversation_id], after, below_rev=below, limit=wanted)
                if len(messages) > limit:
                    break
        page = messages[:limit]
        # Who has left a conversation while we read gets nothing of it.
        memberships = await self._conversations.fetch_memberships(user_id, {it.conversation_id for it in page})
        behind = Place(server_time, page[-1].conversation_id, page[-1].rev) if len(messages) > limit else None
        joined = {conversation_id: membership.joined_seq for conversation_id, membership in memberships.items()}
        mine = [it for it in page if it.seq > joined.get(it.conversation_id, it.seq)]
        return ChangesSince(messages=mine, server_time=server_time, next=behind)

    async def _changes(
        self, membership: MembershipRecord, after: datetime, *, below_rev: int | None, limit: int
    ) -> list[Message]:
        records = await self._messages.fetch_changed_since(
            membership.conversation_id,
            # What one may see was made after one came, so there is no need to look further back.
            max(after, membership.joined_at - _TICK),
            above_seq=membership.joined_seq,
            below_rev=below_rev,
            limit=limit,
        )
        return [record.message for record in records]

    async def _complete_until(self) -> datetime:
        moment: datetime = await await_reply(lambda reply: self._writer.submit(AskMoment(reply=reply)))
        # The next batch may bear the very same time.
        return moment - _TICK
