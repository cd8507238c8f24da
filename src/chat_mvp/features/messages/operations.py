"""The operations of the writer that change messages (see ``chat_mvp.delivery.batch``)."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import structs

from chat_mvp.delivery.batch import Batch, NewMessage
from chat_mvp.delivery.reply import Reply
from chat_mvp.delivery.rosters import Roster
from chat_mvp.errors import ConflictError, NotFoundError, ValidationError
from chat_mvp.features.conversations.direct import begin_direct, find_direct, show_direct
from chat_mvp.features.conversations.permissions import check_may_post
from chat_mvp.features.messages.permissions import (
    can_see,
    check_may_delete,
    check_may_edit,
    check_may_pin,
    check_may_react,
    check_may_unpin,
    check_not_deleted,
)
from chat_mvp.features.messages.texts import message_bytes, qualified_emoji, reaction_bytes
from chat_mvp.limits import MAX_EMOJIS_PER_MESSAGE, MAX_REACTIONS_PER_MESSAGE
from chat_mvp.protocol import (
    Message,
    Reaction,
    User,
)
from chat_mvp.storage.messages import SentKey
from chat_mvp.storage.records import MembershipRecord, MessageRecord

OVERHEAD_BYTES = 512
"""The approximate size of a message without its text."""
SpendText = Callable[[str, int], None]
"""``spend_text(user_id, size)`` takes bytes from a user's ``text`` budget, or raises ``RateLimitedError``."""


def _spend_nothing(_user_id: str, _size: int) -> None:
    """Spend nothing: the budget is not limited."""


class Sent(NamedTuple):
    """The answer to a send: the stored message, and whether an earlier send had stored it."""

    record: MessageRecord
    is_duplicate: bool


class SendMessage:
    """Store a new message, or find the one that this sender sent with the same ``client_message_id``.

    ``conversation_id`` names the conversation, or ``direct_key`` does. With ``direct_key`` the conversation is created
    if it does not exist. ``people`` holds the two users if it may have to be created.
    """

    __slots__ = (
        "_new",
        "_people",
        "conversation_id",
        "direct_key",
        "message_ids",
        "reply",
        "sent_key",
        "size",
    )

    adds_data = True

    def __init__(
        self,
        new: NewMessage,
        *,
        conversation_id: str | None,
        direct_key: str | None,
        people: Mapping[str, User],
        reply: Reply[Sent],
    ) -> None:
        """Store ``new`` as a message and answer through ``reply``."""
        self._new = new
        self._people = people
        self.conversation_id = conversation_id
        self.direct_key = direct_key
        self.message_ids: tuple[str, ...] = tuple(i for i in (new.reply_to, new.thread_root) if i is not None)
        self.sent_key: SentKey | None = (new.sender_id, new.client_message_id)
        self.reply = reply
        self.size = OVERHEAD_BYTES + len(new.text)

    def apply(self, batch: Batch) -> None:
        """Check the sender and the references, then add the message."""
        new = self._new
        earlier = batch.sent((new.sender_id, new.client_message_id))
        if earlier is not None:
            batch.answer(self.reply, Sent(earlier, is_duplicate=True))
            return
        roster = self._roster(batch)
        if roster is not None:
            self._check(batch, roster)
        elif self.message_ids:
            # A conversation that is about to be created has no messages.
            raise NotFoundError("There is no such message.")
        else:
            roster = begin_direct(batch, new.sender_id, self._people)
        if roster.conversation.kind == "direct":
            show_direct(batch, roster)
        record = batch.add_message(roster, new, reply=self.reply)
        if new.thread_root is not None:
            batch.count_reply(batch.message(new.thread_root), record)
        batch.answer(self.reply, Sent(record, is_duplicate=False))

    def _roster(self, batch: Batch) -> Roster | None:
        if self.conversation_id is not None:
            return batch.roster(self.conversation_id)
        roster = find_direct(batch, self.direct_key or "")
        if roster is None and not self._people:
            # The conversation existed when the send was accepted, and was removed since.
            raise NotFoundError("There is no such conversation.")
        return roster

    def _check(self, batch: Batch, roster: Roster) -> None:
        sender_id = self._new.sender_id
        # A message to a user needs no conversation that the sender already sees.
        member = roster.members.get(sender_id) if self.conversation_id is None else roster.member(sender_id)
        if member is None:
            raise NotFoundError("There is no such conversation.")
        check_may_post(roster, member)
        for message_id in self.message_ids:
            message = batch.message(message_id).message
            if message.conversation_id != roster.conversation.id or not can_see(roster, member, message.seq):
                # The same text as for a message that does not exist, so that the answer does not reveal it.
                raise NotFoundError("There is no such message.")
        if self._new.thread_root is not None and batch.message(self._new.thread_root).message.thread_root is not None:
            raise ValidationError(
                "A reply in a thread cannot start another thread. Use its thread_root.",
                fields={"thread_root": "is a reply"},
            )


class MessageOperation:
    """A change of one stored message. Every member is sent the whole message again."""

    __slots__ = ("_has_spent", "_spend_text", "_user_id", "message_ids", "reply")

    conversation_id: str | None = None
    direct_key: str | None = None
    sent_key: SentKey | None = None
    size = OVERHEAD_BYTES
    adds_data = False

    def __init__(
        self,
        message_id: str,
        user_id: str,
        *,
        reply: Reply[Message],
        spend_text: SpendText = _spend_nothing,
    ) -> None:
        """Change this message for this user, and answer through ``reply`` with the changed message.

        ``spend_text(user_id, size)`` takes from the user's ``text`` budget, or raises ``RateLimitedError``.
        """
        self._user_id = user_id
        self._spend_text = spend_text
        self._has_spent = False
        self.message_ids: tuple[str, ...] = (message_id,)
        self.reply = reply

    def _find(self, batch: Batch) -> tuple[Roster, MembershipRecord, MessageRecord]:
        record = batch.message(self.message_ids[0])
        roster = batch.rosters.get(record.message.conversation_id)
        member = roster.member(self._user_id) if roster is not None else None
        if roster is None or member is None or not can_see(roster, member, record.message.seq):
            raise NotFoundError("There is no such message.")
        return roster, member, record

    def _spend(self, size: int) -> None:
        # The writer may apply an operation several times, for example after a write conflict.
        if not self._has_spent:
            self._spend_text(self._user_id, size)
            self._has_spent = True

    def _finish(self, batch: Batch, record: MessageRecord) -> None:
        batch.answer(self.reply, record.message)


class EditMessage(MessageOperation):
    """Replace the text of the user's own message. The same text changes nothing and is not published."""

    __slots__ = ("_mentions", "_text", "size")

    adds_data = True

    def __init__(
        self,
        message_id: str,
        user_id: str,
        text: str,
        mentions: tuple[str, ...],
        *,
        reply: Reply[Message],
        spend_text: SpendText = _spend_nothing,
    ) -> None:
        """Set ``text``, for which the caller has spent already, and the users whom it mentions."""
        super().__init__(message_id, user_id, reply=reply, spend_text=spend_text)
        self._text = text
        self._mentions = mentions
        self.size = OVERHEAD_BYTES + len(text)

    def apply(self, batch: Batch) -> None:
        """Check the permission, then change the text."""
        roster, member, record = self._find(batch)
        check_may_edit(record.message, member)
        if self._text != record.message.text:
            check_may_post(roster, member)
            self._spend(reaction_bytes(record.message))
            changed = structs.replace(
                record.message,
                text=self._text,
                mentions=[user_id for user_id in self._mentions if user_id in roster.members],
                edited_at=batch.now_text,
            )
            batch.change_message(
                record,
                changed,
                "edited",
                replaced_text=record.message.text,
                reply=self.reply,
            )
        self._finish(batch, record)


class DeleteMessage(MessageOperation):
    """Delete the content of a message. Deleting it again changes nothing."""

    __slots__ = ()

    def apply(self, batch: Batch) -> None:
        """Check the permission, then delete the content."""
        roster, member, record = self._find(batch)
        check_may_delete(roster, record.message, member)
        if record.message.deleted_at is None:
            changed = structs.replace(
                record.message,
                text="",
                attachments=[],
                mentions=[],
                reactions=[],
                pinned=False,
                deleted_at=batch.now_text,
            )
            batch.change_message(
                record,
                changed,
                "deleted",
                reply=self.reply,
            )
        self._finish(batch, record)


class React(MessageOperation):
    """Add or remove the user's own reaction. If it is already so, nothing changes."""

    __slots__ = ("_emoji", "_present", "adds_data")

    def __init__(
        self,
        message_id: str,
        user_id: str,
        emoji: str,
        *,
        present: bool,
        reply: Reply[Message],
        spend_text: SpendText = _spend_nothing,
    ) -> None:
        """Add ``emoji``, in its fully-qualified form, if ``present``. Otherwise remove it."""
        super().__init__(message_id, user_id, reply=reply, spend_text=spend_text)
        self._emoji = emoji
        self._present = self.adds_data = present

    def apply(self, batch: Batch) -> None:
        """Check the permission, then change the reactions."""
        roster, _, record = self._find(batch)
        if self._present:
            check_may_react(roster, record.message)
        else:
            check_not_deleted(record.message)
        reactions = self._reactions(record.message)
        if reactions is not None:
            self._spend(message_bytes(record.message))
            batch.change_message(
                record,
                structs.replace(record.message, reactions=reactions),
                "reactions",
                reply=self.reply,
            )
        self._finish(batch, record)

    def _reactions(self, message: Message) -> list[Reaction] | None:
        # Old reactions may contain several forms of one emoji. Merge them here.
        people: dict[str, dict[str, None]] = {}
        for reaction in message.reactions:
            people.setdefault(qualified_emoji(reaction.emoji), {}).update(dict.fromkeys(reaction.user_ids))
        present = self._user_id in people.get(self._emoji, ())
        if present == self._present:
            return None
        if self._present:
            if self._emoji not in people and len(people) >= MAX_EMOJIS_PER_MESSAGE:
                raise ConflictError(f"A message has at most {MAX_EMOJIS_PER_MESSAGE} different reactions.")
            if sum(map(len, people.values())) >= MAX_REACTIONS_PER_MESSAGE:
                raise ConflictError(f"A message has at most {MAX_REACTIONS_PER_MESSAGE:,} reactions.")
            people.setdefault(self._emoji, {})[self._user_id] = None
        else:
            del people[self._emoji][self._user_id]
        return [Reaction(emoji=emoji, count=len(ids), user_ids=list(ids)) for emoji, ids in people.items() if ids]


class Pin(MessageOperation):
    """Pin or unpin a message for everyone in the conversation. If it is already so, nothing changes."""

    __slots__ = ("_pinned",)

    def __init__(
        self,
        message_id: str,
        user_id: str,
        *,
        pinned: bool,
        reply: Reply[Message],
        spend_text: SpendText = _spend_nothing,
    ) -> None:
        """Pin it if ``pinned``. Otherwise unpin it."""
        super().__init__(message_id, user_id, reply=reply, spend_text=spend_text)
        self._pinned = pinned

    def apply(self, batch: Batch) -> None:
        """Check the permission, then change the pin."""
        roster, member, record = self._find(batch)
        check = check_may_pin if self._pinned else check_may_unpin
        check(roster, record.message, member)
        if self._pinned != record.message.pinned:
            self._spend(message_bytes(record.message))
            batch.change_message(
                record,
                structs.replace(record.message, pinned=self._pinned),
                "pinned",
                reply=self.reply,
            )
        self._finish(batch, record)


class RaiseMarks:
    """Store how far a member has received and read a conversation. A mark that is already reached changes nothing."""

    __slots__ = ("_delivered", "_is_hidden", "_read", "_user_id", "conversation_id", "reply")

    direct_key: str | None = None
    message_ids: tuple[str, ...] = ()
    sent_key: SentKey | None = None
    size = OVERHEAD_BYTES
    adds_data = False

    def __init__(
        self,
        conversation_id: str,
        user_id: str,
        *,
        delivered: int,
        read: int,
        is_hidden: Callable[[str], bool],
        reply: Reply[bool],
    ) -> None:
        """Answer whether everything is done.

        False when the marks must be raised again, because it was too much at once. The marks of users who are invisible
        (``is_hidden``) or separated by a block are withheld.
        """
        self.conversation_id: str | None = conversation_id
        self._user_id = user_id
        self._delivered = delivered
        self._read = read
        self._is_hidden = is_hidden
        self.reply = reply

    def apply(self, batch: Batch) -> None:
        """Check the membership, then raise the marks."""
        roster, member = batch.roster_of_member(self.conversation_id or "", self._user_id)
        withheld = roster.blocked or self._is_hidden(self._user_id)
        raised = batch.raise_marks(
            roster, member, delivered=self._delivered, read=self._read, withheld=withheld, reply=self.reply
        )
        target = min(max(self._delivered, self._read), roster.stored_seq)
        batch.answer(self.reply, not raised or member.delivered_seq >= target)


class ShowMarks:
    """Show a member's withheld marks to the others, because the reason to withhold them is gone."""

    __slots__ = ("_is_hidden", "_user_id", "conversation_id", "reply")

    direct_key: str | None = None
    message_ids: tuple[str, ...] = ()
    sent_key: SentKey | None = None
    size = OVERHEAD_BYTES
    adds_data = False

    def __init__(
        self, conversation_id: str, user_id: str, *, is_hidden: Callable[[str], bool], reply: Reply[None]
    ) -> None:
        """``is_hidden`` returns whether a user is invisible."""
        self.conversation_id: str | None = conversation_id
        self._user_id = user_id
        self._is_hidden = is_hidden
        self.reply = reply

    def apply(self, batch: Batch) -> None:
        """Show the marks, unless the user is invisible again or a block still exists."""
        roster, member = batch.roster_of_member(self.conversation_id or "", self._user_id)
        if not roster.blocked and not self._is_hidden(self._user_id):
            batch.show_marks(roster, member)
        batch.answer(self.reply, None)
