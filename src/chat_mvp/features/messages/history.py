"""Reading messages: one message, pages of a conversation, changes, and earlier texts."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.rosters import Roster, Rosters
from chat_mvp.errors import NotFoundError, ValidationError
from chat_mvp.features.messages.permissions import can_see
from chat_mvp.limits import MAX_PINNED_MESSAGES
from chat_mvp.protocol import Message
from chat_mvp.security.fair_semaphore import FairSemaphore
from chat_mvp.storage.conversations import Conversations
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.records import Marks, MembershipRecord, MessageRecord
from chat_mvp.times import format_time

Found = TypeVar("Found")


class MessageHistory:
    """Reads messages for users who may see them. For everyone else the messages do not exist."""

    def __init__(
        self,
        *,
        rosters: Rosters,
        messages: Messages,
        conversations: Conversations,
        blocks: Blocks,
        page_reads: FairSemaphore,
    ) -> None:
        """Read from these. ``page_reads`` limits how many pages, each up to megabytes in size, are read at once."""
        self._page_reads = page_reads
        self._rosters = rosters
        self._messages = messages
        self._conversations = conversations
        self._blocks = blocks

    async def find(self, user_id: str, message_id: str) -> tuple[Roster, MembershipRecord, Message]:
        """Return a message with its conversation and the user's membership.

        ``NotFoundError`` when they are not a member.
        """
        record = (await self._messages.fetch_by_ids([message_id])).get(message_id)
        roster = await self._rosters.fetch(record.message.conversation_id) if record is not None else None
        member = roster.member(user_id) if roster is not None else None
        if record is None or roster is None or member is None or not can_see(roster, member, record.message.seq):
            raise NotFoundError("There is no such message.")
        return roster, member, record.message

    async def fetch_page(
        self,
        user_id: str,
        conversation_id: str,
        *,
        before: int | None,
        after: int | None,
        around: int | None,
        limit: int,
    ) -> list[Message]:
        """Return a page of the history in ascending order of ``seq``. Without a bound, return the newest page."""
        if sum(bound is not None for bound in (before, after, around)) > 1:
            raise ValidationError(
                "Give only one of before, after and around.", fields={"before": "excludes the others"}
            )

        async def read(above: int) -> list[Message]:
            if after is not None:
                return await self._messages.fetch_oldest(conversation_id, after=max(after, above), limit=limit)
            if around is None:
                return await self._messages.fetch_newest(conversation_id, above=above, before=before, limit=limit)
            older = await self._messages.fetch_newest(conversation_id, above=above, before=around, limit=limit // 2)
            newer = await self._messages.fetch_oldest(
                conversation_id,
                after=max(around - 1, above),
                limit=limit - limit // 2,
            )
            return older + newer

        return await self._read_visible(user_id, conversation_id, read)

    async def fetch_pinned(self, user_id: str, conversation_id: str) -> list[Message]:
        """Return the pinned messages that this user may see, the newest first, at most ``MAX_PINNED_MESSAGES``."""

        async def read(above: int) -> list[Message]:
            return await self._messages.fetch_pinned(conversation_id, above=above, limit=MAX_PINNED_MESSAGES)

        return await self._read_visible(user_id, conversation_id, read)

    async def _read_visible(self, user_id: str, conversation_id: str, read: Callable[[int], Awaitable[Found]]) -> Found:
        """Return what ``read`` finds above the given ``seq``, if the user is still a member after the read."""
        above = await self.visible_above(user_id, conversation_id)
        while True:
            async with self._page_reads.hold(user_id):
                found = await read(above)
            # The user may have been removed during the read, and the result may be from after that.
            now_above = await self.visible_above(user_id, conversation_id)
            if now_above == above:
                return found
            above = now_above

    async def visible_above(self, user_id: str, conversation_id: str) -> int:
        """Return the ``seq`` above which this user sees the history.

        ``NotFoundError`` for users who are not members.
        """
        roster = await self._rosters.fetch(conversation_id)
        member = roster.member(user_id) if roster is not None else None
        if roster is None or member is None:
            raise NotFoundError("There is no such conversation.")
        return member.hides_up_to(roster.conversation)

    async def fetch_changes(
        self, user_id: str, conversation_id: str, *, after_rev: int, limit: int
    ) -> tuple[list[Message], int]:
        """Return the changes after a revision, by ascending ``rev``, and the conversation's current revision."""
        await self.visible_above(user_id, conversation_id)
        # Read it from the database, before the messages. The roster in memory may contain changes that are not
        # committed yet. A client that stores a revision without its changes would never ask for them again.
        conversation = (await self._conversations.fetch([conversation_id])).get(conversation_id)
        if conversation is None:
            # The conversation was deleted during the read.
            raise NotFoundError("There is no such conversation.")

        async def read(above: int) -> list[MessageRecord]:
            return await self._messages.fetch_changed(
                conversation_id, after_rev=after_rev, above_seq=above, limit=limit
            )

        records = await self._read_visible(user_id, conversation_id, read)
        return [record.message for record in records], conversation.rev

    async def fetch_marks(self, user_id: str, message_id: str) -> tuple[int, dict[str, Marks]]:
        """Return the ``seq`` of a message, and the marks of its recipients that this user may see, by user id."""
        roster, _, message = await self.find(user_id, message_id)
        apart = await self._blocks.fetch(user_id)
        return message.seq, {
            member.user_id: roster.marks_for(member, user_id, apart)
            for member in roster.members.values()
            if member.user_id != message.sender_id and roster.was_there(member, message.seq)
        }

    async def fetch_edits(self, user_id: str, message_id: str) -> list[tuple[str, str]]:
        """Return the earlier texts of a message, each with the time at which it was replaced, oldest first."""
        async with self._page_reads.hold(user_id):
            edits = await self._messages.fetch_edits(message_id)
        await self.find(user_id, message_id)
        return [(edit["text"], format_time(edit["at"])) for edit in edits]
