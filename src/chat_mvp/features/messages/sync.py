"""The changes since a time, for clients that store only a time."""

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
"""How many times this number of memberships is read for one page."""
_CONVERSATIONS_AT_ONCE = 100
"""How many conversations have their messages read for one page."""
_TICK = timedelta(milliseconds=1)
"""The resolution of stored times."""


class PagePosition(Struct, array_like=True, frozen=True):
    """The start of the next page: after this change of this conversation, in a list that began at ``server_time``."""

    server_time: Annotated[datetime, Meta(tz=True)]
    conversation_id: Id
    rev: Mark


class ChangesSince(Struct, frozen=True):
    """A page of changes, the time for the next request, and the start of the next page."""

    messages: list[Message]
    server_time: datetime
    next: PagePosition | None


class AskMoment:
    """Reads the writer's time, after everything that the writer dated earlier is stored or has failed.

    A message that is being stored already has a time, but cannot be read yet. A client that used the current time, and
    asked for changes since then, would never get this message.
    """

    __slots__ = ("reply",)

    conversation_id: str | None = None
    direct_key: str | None = None
    message_ids: tuple[str, ...] = ()
    sent_key: SentKey | None = None
    size = 0
    adds_data = False

    def __init__(self, *, reply: Reply[datetime]) -> None:
        """Answer with the time through ``reply``."""
        self.reply = reply

    def apply(self, batch: Batch) -> None:
        """Answer with the time of this batch."""
        batch.answer(self.reply, batch.now)


class MessageSync:
    """Reads the changes in all conversations of a user."""

    def __init__(
        self, *, writer: Writer, messages: Messages, conversations: Conversations, costly_work: FairSemaphore
    ) -> None:
        """Read from these. ``writer`` gives the time up to which the data is complete.

        ``costly_work`` limits the requests.
        """
        self._costly_work = costly_work
        self._writer = writer
        self._messages = messages
        self._conversations = conversations

    async def fetch(self, user_id: str, after: datetime, *, start: PagePosition | None, limit: int) -> ChangesSince:
        """Return at most ``limit`` messages created or changed after a time, in their current state.

        A page costs a bounded number of queries, so it may hold fewer messages than there are, even none.

        The messages are grouped by conversation, and by descending ``rev`` within it. Every page has the time at which
        the first page was read. A request for changes since that time returns everything stored since, some of it
        again.
        """
        async with self._costly_work.hold(user_id):
            page = await self._fetch(user_id, after, start=start, limit=limit)
            return structs.replace(page, messages=await self._still_visible(user_id, page.messages))

    async def _fetch(self, user_id: str, after: datetime, *, start: PagePosition | None, limit: int) -> ChangesSince:
        # Get the time before anything is read, and only once. Changes during the paging belong to the next request.
        server_time = await self._complete_until() if start is None else start.server_time
        messages: list[Message] = []
        position = PagePosition(server_time, _LOWEST_ID, MAX_SEQ) if start is None else start
        conversations_read = 0
        for _ in range(_PARTS_AT_ONCE):
            memberships = await self._conversations.fetch_memberships_from(
                user_id, position.conversation_id, limit=_MEMBERSHIPS_AT_ONCE
            )
            for conversation_id in await self._conversations.fetch_changed_since(memberships, after):
                if conversation_id != position.conversation_id:
                    position = PagePosition(server_time, conversation_id, MAX_SEQ)
                if conversations_read == _CONVERSATIONS_AT_ONCE:
                    return ChangesSince(messages=messages, server_time=server_time, next=position)
                conversations_read += 1
                wanted = limit + 1 - len(messages)
                messages += await self._changes(
                    memberships[conversation_id], after, below_rev=position.rev, limit=wanted
                )
                if len(messages) > limit:
                    page = messages[:limit]
                    position = PagePosition(server_time, page[-1].conversation_id, page[-1].rev)
                    return ChangesSince(messages=page, server_time=server_time, next=position)
            if len(memberships) < _MEMBERSHIPS_AT_ONCE:
                return ChangesSince(messages=messages, server_time=server_time, next=None)
            # Continue after the last of these conversations.
            position = PagePosition(server_time, max(memberships), 0)
        return ChangesSince(messages=messages, server_time=server_time, next=position)

    async def _changes(
        self, membership: MembershipRecord, after: datetime, *, below_rev: int, limit: int
    ) -> list[Message]:
        records = await self._messages.fetch_changed_since(
            membership.conversation_id,
            # The user sees only messages made after they joined, so there is no need to look further back.
            max(after, membership.joined_at - _TICK),
            above_seq=membership.joined_seq,
            below_rev=below_rev,
            limit=limit,
        )
        return [record.message for record in records]

    async def _still_visible(self, user_id: str, messages: list[Message]) -> list[Message]:
        """Return those of the messages that the user may still see after the read.

        A user who was removed meanwhile must not see messages sent after that.
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
        # The next batch may have the same time.
        return moment - _TICK
