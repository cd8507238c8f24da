"""What was made or changed since a moment, for clients that keep nothing but a time."""

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct, structs

from chat_mvp.delivery.batch import Batch
from chat_mvp.delivery.reply import Reply, await_reply
from chat_mvp.delivery.writer import Writer
from chat_mvp.limits import MAX_SEQ
from chat_mvp.protocol import Id, Mark, Message
from chat_mvp.security.fair_semaphore import FairSemaphore
from chat_mvp.storage.conversations import Conversations
from chat_mvp.storage.messages import Messages, SentKey
from chat_mvp.storage.records import MembershipRecord

_LOWEST_ID = "0" * 24
_MEMBERSHIPS_AT_ONCE = 1_000
_PARTS_AT_ONCE = 10
"""Times that so many memberships are read for one page."""
_CONVERSATIONS_AT_ONCE = 100
"""Conversations whose messages are read for one page."""
_TICK = timedelta(milliseconds=1)
"""The finest difference that times have here."""


class Place(Struct, array_like=True, frozen=True):
    """Where the next page begins: after this change of this conversation, in a list that began at ``server_time``."""

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
        batch.answer(self.reply, batch.now)


class MessageSync:
    """Reads what changed in all of a person's conversations."""

    def __init__(
        self, *, writer: Writer, messages: Messages, conversations: Conversations, costly_work: FairSemaphore
    ) -> None:
        """Read from these. ``writer`` says up to which time that is complete; ``costly_work`` limits the requests."""
        self._costly_work = costly_work
        self._writer = writer
        self._messages = messages
        self._conversations = conversations

    async def fetch(self, user_id: str, after: datetime, *, place: Place | None, limit: int) -> ChangesSince:
        """Return at most ``limit`` messages made or changed after a moment, in their present state.

        A page costs a bounded number of queries, so it may hold fewer messages than there are, even none.

        They come by conversation, and there by descending ``rev``. Every page names the moment at which the first one
        was read: asking from there next time brings whatever was stored since, some of it a second time.
        """
        async with self._costly_work.hold(user_id):
            page = await self._fetch(user_id, after, place=place, limit=limit)
            return structs.replace(page, messages=await self._still_visible(user_id, page.messages))

    async def _fetch(self, user_id: str, after: datetime, *, place: Place | None, limit: int) -> ChangesSince:
        # Before anything is read, and only once: what changes while a client turns the pages is for the next time.
        server_time = await self._complete_until() if place is None else place.server_time
        messages: list[Message] = []
        position = Place(server_time, _LOWEST_ID, MAX_SEQ) if place is None else place
        looked_at = 0
        for _ in range(_PARTS_AT_ONCE):
            memberships = await self._conversations.fetch_memberships_from(
                user_id, position.conversation_id, limit=_MEMBERSHIPS_AT_ONCE
            )
            for conversation_id in await self._conversations.fetch_changed_since(memberships, after):
                if conversation_id != position.conversation_id:
                    position = Place(server_time, conversation_id, MAX_SEQ)
                if looked_at == _CONVERSATIONS_AT_ONCE:
                    return ChangesSince(messages=messages, server_time=server_time, next=position)
                looked_at += 1
                wanted = limit + 1 - len(messages)
                messages += await self._changes(
                    memberships[conversation_id], after, below_rev=position.rev, limit=wanted
                )
                if len(messages) > limit:
                    page = messages[:limit]
                    position = Place(server_time, page[-1].conversation_id, page[-1].rev)
                    return ChangesSince(messages=page, server_time=server_time, next=position)
            if len(memberships) < _MEMBERSHIPS_AT_ONCE:
                return ChangesSince(messages=messages, server_time=server_time, next=None)
            # Behind all of the last conversation.
            position = Place(server_time, max(memberships), 0)
        return ChangesSince(messages=messages, server_time=server_time, next=position)

    async def _changes(
        self, membership: MembershipRecord, after: datetime, *, below_rev: int, limit: int
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

    async def _still_visible(self, user_id: str, messages: list[Message]) -> list[Message]:
        """Return those of the messages that the person may see now that they have been read.

        Someone who was removed meanwhile must not see what was said after that.
        """
        if not messages:
            return []
        memberships = await self._conversations.fetch_memberships(
            user_id, {message.conversation_id for message in messages}
        )
        return [
            message
            for message in messages
            if (membership := memberships.get(message.conversation_id)) is not None
            and message.seq > membership.joined_seq
        ]

    async def _complete_until(self) -> datetime:
        moment: datetime = await await_reply(lambda reply: self._writer.submit(AskMoment(reply=reply)))
        # The next batch may bear the very same time.
        return moment - _TICK
