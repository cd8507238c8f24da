"""One batch: operations applied one after the other to the rosters in memory. Nothing here does input or output.

An operation reads and changes the batch through the methods below. Each change is recorded twice: in ``writes``, which
``storage.commit`` stores in one transaction, and in ``effects``, which the writer runs after the commit, in the order
in which they were added. So what is published is exactly what was stored, and every connection gets the changes of one
conversation in the order of their ``rev``.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from msgspec import Struct, structs

from chat_mvp.delivery.bus import Publication
from chat_mvp.delivery.reply import Reply
from chat_mvp.delivery.rosters import Roster, Rosters
from chat_mvp.errors import NotFoundError
from chat_mvp.protocol import Message, MessageKind, MessageNew, Priority, ServerFrame, ThreadSummary
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.messages import SentKey
from chat_mvp.storage.purging import purge_job
from chat_mvp.storage.records import ConversationRecord, MembershipRecord, MessageRecord
from chat_mvp.storage.writes import Advance, Writes
from chat_mvp.times import format_time

Effect = Callable[[], None]
"""A function that runs after the commit: it publishes a frame or answers the caller."""

MAX_BATCH_OPERATIONS = 256
MAX_BATCH_BYTES = 1024 * 1024
"""The approximate size of a batch. MongoDB aborts transactions that dirty too much of its cache."""
_TICK = timedelta(milliseconds=1)
"""The resolution of stored times."""
IsReachable = Callable[[str, str], bool]
"""``is_reachable(sender_id, recipient_id)``: whether the recipient is connected, as far as the sender may know."""

MAX_CONFIRMED_AT_ONCE = 10_000
"""How far one batch raises a mark. Removing the queue entries of so many messages delays other operations by 0.1 s."""


class Operation(Protocol):
    """A change that a client requests and the writer stores.

    The first four attributes name what the writer must load into memory before it calls ``apply``, which therefore
    need not be asynchronous. ``size`` is approximately how many bytes it writes. ``adds_data`` says whether it makes
    the database grow: then it is refused while the disk is full. ``apply`` checks first and changes afterwards: when
    it raises a ``ChatError``, it has changed nothing. ``reply`` answers the caller, exactly once.
    """

    conversation_id: str | None
    direct_key: str | None
    message_ids: tuple[str, ...]
    sent_key: SentKey | None
    size: int
    reply: Reply[Any]
    adds_data: bool

    def apply(self, batch: "Batch") -> None:
        """Check whether the operation is allowed now, and apply it."""
        ...


class NewMessage(Struct, kw_only=True, frozen=True):
    """The fields that an operation gives a new message. The batch adds the others."""

    id: str
    sender_id: str
    client_message_id: str
    text: str
    kind: MessageKind = "text"
    priority: Priority = "normal"
    reply_to: str | None = None
    thread_root: str | None = None
    mentions: tuple[str, ...] = ()


class Batch:
    """The state that the operations of one batch see, with their changes so far."""

    def __init__(
        self,
        *,
        now: datetime,
        rosters: Rosters,
        messages: Mapping[str, MessageRecord],
        sent: Mapping[SentKey, MessageRecord],
        is_reachable: IsReachable,
        publish: Callable[[Publication], None],
        queue_max_members: int,
        job_stored: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin without changes. ``messages`` and ``sent`` are the existing messages that the operations named."""
        self.now = now
        self.now_text = format_time(now)
        self.writes = Writes(now=now)
        self.effects: list[Effect] = []
        self.late_effects: list[Effect] = []
        """Effects that run instead when the batch turns out to be stored after its callers were refused."""
        self.rosters = rosters
        self._messages = dict(messages)
        self._sent = dict(sent)
        self._is_reachable = is_reachable
        self._publish = publish
        self._queue_max_members = queue_max_members
        self._job_stored = job_stored

    # ------------------------------------------------------------------------------------------------------ reading

    def roster(self, conversation_id: str) -> Roster:
        """Return the roster of a conversation; ``NotFoundError`` when there is none."""
        roster = self.rosters.get(conversation_id)
        if roster is None:
            raise NotFoundError("There is no such conversation.")
        return roster

    def roster_of_member(self, conversation_id: str, user_id: str) -> tuple[Roster, MembershipRecord]:
        """Return the roster and the user's membership; ``NotFoundError`` when the user is not a member."""
        roster = self.roster(conversation_id)
        member = roster.member(user_id)
        if member is None:
            raise NotFoundError("There is no such conversation.")
        return roster, member

    def message(self, message_id: str) -> MessageRecord:
        """Return a message with the changes of this batch; ``NotFoundError`` when there is none."""
        record = self._messages.get(message_id)
        if record is None:
            raise NotFoundError("There is no such message.")
        return record

    def sent(self, key: SentKey) -> MessageRecord | None:
        """Return the message that this sender sent with this ``client_message_id``, in this batch or earlier."""
        return self._sent.get(key)

    # ----------------------------------------------------------------------------------------------------- changing

    def add_message(self, roster: Roster, new: NewMessage, *, reply: Reply[Any] | None = None) -> MessageRecord:
        """Give a message the next ``seq``, queue it for its recipients, and notify all members.

        The connection that ``reply`` answers gets no ``message.new``.
        """
        conversation = roster.conversation
        self._advance(conversation, with_message=True)
        created_at = conversation.activity_at = self._moment_behind(conversation.activity_at)
        recipients = [user_id for user_id in roster.members if user_id != new.sender_id]
        is_reachable = partial(self._is_reachable, new.sender_id)
        reachable = not recipients or any(map(is_reachable, recipients))
        record = MessageRecord(
            made_rev=conversation.rev,
            status="sent" if reachable else "queued",
            message=Message(
                id=new.id,
                conversation_id=conversation.id,
                seq=conversation.last_seq,
                rev=conversation.rev,
                sender_id=new.sender_id,
                client_message_id=new.client_message_id,
                kind=new.kind,
                text=new.text,
                priority=new.priority,
                attachments=[],
                reply_to=new.reply_to,
                thread_root=new.thread_root,
                thread=None,
                mentions=[user_id for user_id in new.mentions if user_id in roster.members],
                reactions=[],
                pinned=False,
                created_at=self.now_text if created_at == self.now else format_time(created_at),
                edited_at=None,
                deleted_at=None,
            ),
        )
        self._messages[new.id] = record
        self._sent[new.sender_id, new.client_message_id] = record
        is_small = len(roster.members) <= self._queue_max_members
        self.writes.insert_message(record, recipients if is_small else (), created_at=created_at)
        self.after_commit(lambda: roster.reached(record.message.seq))
        self.tell(
            roster.everybody(),
            MessageNew(message=record.message, queued=False),
            conversation_id=conversation.id,
            rev=conversation.rev,
            message_id=new.id,
            reply=reply,
        )
        return record

    def change_message(
        self,
        record: MessageRecord,
        changed: Message,
        frame: Callable[[Message], ServerFrame],
        *,
        replaced_text: str | None = None,
        reply: Reply[Any] | None = None,
    ) -> None:
        """Store ``changed``, a changed copy of a message, with the next ``rev``, and notify the members who see it.

        ``replaced_text`` is added to the history of edits. ``frame`` makes the published frame from the message.
        """
        roster = self.roster(changed.conversation_id)
        self._advance(roster.conversation, with_message=False)
        changed.rev = roster.conversation.rev
        roster.conversation.pinned_count += changed.pinned - record.message.pinned
        message = record.message = changed
        self.writes.change_message(record, replaced_text=replaced_text)
        self.tell(
            roster.audience_of(message.seq),
            frame(message),
            conversation_id=message.conversation_id,
            rev=message.rev,
            message_id=message.id,
            reply=reply,
        )

    def raise_marks(
        self, roster: Roster, member: MembershipRecord, *, delivered: int, read: int, withheld: bool = False
    ) -> bool:
        """Raise the marks of a member, and remove the confirmed messages from their queue.

        The delivered mark rises by at most ``MAX_CONFIRMED_AT_ONCE``. With ``withheld``, other members still see the
        marks from before. Returns false when no mark was raised.
        """
        last_seq = min(roster.stored_seq, member.delivered_seq + MAX_CONFIRMED_AT_ONCE)
        read = min(max(read, member.read_seq), last_seq)
        delivered = min(max(delivered, read, member.delivered_seq), last_seq)
        if delivered == member.delivered_seq and read == member.read_seq:
            return False
        delivered_before = member.delivered_seq
        self._withhold(member, withheld=withheld)
        if delivered > member.delivered_seq:
            member.delivered_seq, member.delivered_at = delivered, self.now
        if read > member.read_seq:
            member.read_seq, member.read_at = read, self.now
        self.writes.raise_marks(member, delivered_before=delivered_before)
        return True

    def show_marks(self, member: MembershipRecord) -> bool:
        """Show the withheld marks of a member to the others. Returns false when none were withheld."""
        if member.frozen_marks is None:
            return False
        self._withhold(member, withheld=False)
        self.writes.raise_marks(member, delivered_before=member.delivered_seq)
        return True

    def _withhold(self, member: MembershipRecord, *, withheld: bool) -> None:
        if withheld != (member.frozen_marks is not None):
            member.frozen_marks = member.visible_marks() if withheld else None
            self.writes.frozen_changed.add((member.conversation_id, member.user_id))

    def add_conversation(self, conversation: ConversationRecord, members: list[MembershipRecord]) -> Roster:
        """Store a new conversation with its first members. The caller notifies them."""
        roster = Roster(conversation=conversation, members={member.user_id: member for member in members}, stored_seq=0)
        self.rosters.put(roster)
        self.writes.new_conversations.append(conversation)
        self.writes.new_memberships.update((member.id, member) for member in members)
        return roster

    def add_member(self, roster: Roster, member: MembershipRecord) -> None:
        """Store a new member. The caller notifies them and the others."""
        roster.members[member.user_id] = member
        self._members_changed(roster)
        self.writes.new_memberships[member.id] = member

    def remove_member(self, roster: Roster, user_id: str) -> None:
        """Remove a member and their queue entries. The caller notifies them and the others."""
        self.writes.remove_membership(roster.members.pop(user_id), last_seq=roster.conversation.last_seq)
        self._members_changed(roster)

    def hide_member(self, roster: Roster, member: MembershipRecord) -> None:
        """Hide a conversation from a member, and empty their queue. They will see only messages that come later.

        Their marks do not rise, because the messages that they leave behind were not read.
        """
        member.visible = False
        member.joined_at = self.now
        member.joined_seq = member.hidden_seq = roster.conversation.last_seq
        self.writes.empty_queue(member, last_seq=roster.conversation.last_seq)
        self.change_member(member, roster)

    def change_member(self, member: MembershipRecord, roster: Roster) -> None:
        """Store a membership whose role or visibility the caller has changed."""
        member.updated_at = self.now
        roster.audience = None
        self.writes.changed_memberships[member.conversation_id, member.user_id] = member

    def change_conversation(self, roster: Roster) -> None:
        """Store a conversation whose name, description or settings the caller has changed."""
        roster.conversation.updated_at = self.now
        self.writes.changed_conversations[roster.conversation.id] = roster.conversation

    def remove_conversation(self, roster: Roster) -> None:
        """Delete a conversation. The caller has notified its members. A job removes the messages later."""
        self.writes.removed_conversations.append(roster.conversation.id)
        self.writes.new_jobs.append(purge_job(roster.conversation.id, roster.members))
        self.after_commit(self._job_stored, late=self._job_stored)
        roster.members, roster.audience = {}, None
        self.effects.append(lambda: self.rosters.forget([roster.conversation.id]))

    # --------------------------------------------------------------------------------------------------- publishing

    def tell(
        self,
        audience: tuple[str, ...],
        frame: ServerFrame,
        *,
        conversation_id: str | None = None,
        rev: int = 0,
        message_id: str | None = None,
        reply: Reply[Any] | None = None,
    ) -> None:
        """Publish a frame to the users in ``audience`` after the commit.

        The connection that ``reply`` answers does not get it, unless the callers were refused before.
        """
        publication = Publication(
            audience=audience,
            frame=frame,
            conversation_id=conversation_id,
            rev=rev,
            message_id=message_id,
            answered_connection=None if reply is None else reply.connection_id,
        )

        self.after_commit(
            lambda: self._publish(publication),
            late=lambda: self._publish(structs.replace(publication, answered_connection=None)),
        )

    def after_commit(self, effect: Effect, *, late: Effect | None = None) -> None:
        """Run ``effect`` after the commit, in the order in which effects are added.

        ``late`` runs instead if the callers were refused before the batch turned out to be stored. It must publish to
        the callers too, because they can no longer be answered.
        """
        self.effects.append(effect)
        if late is not None:
            self.late_effects.append(late)

    # ----------------------------------------------------------------------------------------------------- internal

    def _moment_behind(self, latest: datetime) -> datetime:
        """Return the current time, or one tick after ``latest`` if the clock was ahead when ``latest`` was set.

        So the times in each conversation ascend, even across a restart, and differ as long as the clock is behind.
        """
        return self.now if latest <= self.now else latest + _TICK

    def _advance(self, conversation: ConversationRecord, *, with_message: bool) -> None:
        if conversation.id not in self.writes.advances:
            self.writes.advances[conversation.id] = Advance(
                conversation=conversation,
                from_seq=conversation.last_seq,
                from_rev=conversation.rev,
            )
        conversation.rev += 1
        if with_message:
            conversation.last_seq += 1

    def count_reply(self, root: MessageRecord, reply: MessageRecord) -> None:
        """Add one reply to the summary at the root of a thread, without a new ``rev``."""
        self.writes.thread_replies.append((root.message.id, reply.message.seq))
        # A copy, because frames that are not sent yet may refer to the message as it was.
        count = 1 if root.message.thread is None else root.message.thread.count + 1
        root.message = structs.replace(root.message, thread=ThreadSummary(count=count, last_seq=reply.message.seq))

    def _members_changed(self, roster: Roster) -> None:
        roster.audience = None
        roster.conversation.member_count = len(roster.members)
        self.change_conversation(roster)


def system_message(actor_id: str, text: str) -> NewMessage:
    """Return a system message about a change that ``actor_id`` made to the conversation."""
    message_id = new_id()
    return NewMessage(
        id=message_id,
        sender_id=actor_id,
        client_message_id=message_id,
        text=text,
        kind="system",
    )
