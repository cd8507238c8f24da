"""A batch: operations that are applied one after the other to the rosters in memory. This module does no I/O.

An operation reads and changes the batch through the methods below. Each change is recorded twice: in ``writes``, which
``storage.commit`` stores in one transaction, and as an event. The events are stored in the same transaction. After the
commit, ``delivery.local`` sends them to the connections of this process, in the order in which they were recorded. So
the server sends exactly what it stored, and every connection gets the changes of one conversation in the order of their
``rev``.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol

from msgspec import Struct, structs

from chat_mvp.delivery.reply import Reply
from chat_mvp.delivery.rosters import Roster, Rosters
from chat_mvp.errors import NotFoundError
from chat_mvp.events.types import (
    ConversationCreated,
    ConversationDeleted,
    Event,
    MarksRaised,
    MessageAdded,
    MessageChanged,
)
from chat_mvp.limits import MAX_SMALL_CONVERSATION
from chat_mvp.protocol import Message, MessageKind, Priority, ThreadSummary
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.messages import SentKey
from chat_mvp.storage.purging import purge_job
from chat_mvp.storage.queue import SentMessage
from chat_mvp.storage.records import ConversationRecord, MembershipRecord, MessageRecord, OwedRange
from chat_mvp.storage.writes import Advance, Writes
from chat_mvp.times import format_time

MAX_BATCH_OPERATIONS = 256
MAX_BATCH_BYTES = 1024 * 1024
"""The approximate size of a batch. MongoDB aborts transactions that dirty too much of its cache."""
_TICK = timedelta(milliseconds=1)
"""The resolution of stored times."""
MAX_CONFIRMED_AT_ONCE = 10_000
"""How far one batch raises a mark. Removing the queue entries of so many messages delays others by 0.1 s."""


class Operation(Protocol):
    """A change that a client requests and the writer stores.

    The first four attributes name what the writer must load into memory before it calls ``apply``. Therefore ``apply``
    is not asynchronous. ``size`` is the approximate number of bytes that it writes. ``adds_data`` says whether it makes
    the database grow. Such an operation is refused while the disk is full. ``apply`` checks first and changes
    afterwards: when it raises a ``ChatError``, it has changed nothing. ``reply`` answers the caller exactly once.
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


class Recipients(NamedTuple):
    """What a batch must know about the recipients of messages."""

    is_reachable: Callable[[str, str], bool]
    """``is_reachable(sender_id, recipient_id)``: whether the recipient is connected, as far as the sender may know."""
    is_connected: Callable[[str], bool]
    """``is_connected(user_id)``: whether the user has a connection."""
    queue_max_members: int
    """Up to this many members, messages wait for each member until they are confirmed."""


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


class Recorded(Struct):
    """An event, and the information that only this process needs to deliver it."""

    event: Event
    audience: tuple[str, ...] = ()
    """The users who get the event: the members when it was recorded. Later events may change the members."""
    apart: Collection[str] = ()
    """The users in the audience whom a block separates from the user whom the event is about."""
    answered_connection: str | None = None
    """The connection whose request caused the event. It has its answer and needs no frame."""


class Answer(Struct):
    """The answer to a caller."""

    reply: Reply[Any]
    result: Any


Outcome = Recorded | Answer
"""What the writer delivers for an operation after the commit."""


class Batch:
    """The state that the operations of one batch see, including the changes that the batch has made so far."""

    def __init__(
        self,
        *,
        now: datetime,
        rosters: Rosters,
        messages: Mapping[str, MessageRecord],
        sent: Mapping[SentKey, MessageRecord],
        recipients: Recipients,
        process: str = "",
    ) -> None:
        """Start without changes. ``messages`` and ``sent`` are the existing messages that the operations name."""
        self.now = now
        self.now_text = format_time(now)
        self.writes = Writes(now=now, process=process)
        self.outcomes: list[Outcome] = []
        """The events and the answers, in the order in which they are delivered."""
        self.rosters = rosters
        self._dropped = rosters.watch()
        self._messages = dict(messages)
        self._sent = dict(sent)
        self._recipients = recipients

    # ------------------------------------------------------------------------------------------------------ reading

    @property
    def has_lost_rosters(self) -> bool:
        """Whether rosters that it changed were dropped since. They may have been read again before it was stored."""
        return not self._dropped.isdisjoint(self.writes.touched())

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
        """Return the message that this sender sent with this ``client_message_id``, in this batch or before it."""
        return self._sent.get(key)

    # ----------------------------------------------------------------------------------------------------- changing

    def add_message(self, roster: Roster, new: NewMessage, *, reply: Reply[Any] | None = None) -> MessageRecord:
        """Give a message the next ``seq``, queue it for recipients who are away, and notify all members.

        The connection that ``reply`` answers gets no ``message.new``.
        """
        conversation = roster.conversation
        waits = self._waits_for_recipients(roster)
        self._advance(conversation, with_message=True)
        created_at = conversation.activity_at = self._time_after(conversation.activity_at)
        recipients = [user_id for user_id in roster.members if user_id != new.sender_id]
        is_reachable = partial(self._recipients.is_reachable, new.sender_id)
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
        absent = self._absent(recipients, new) if waits else ()
        for user_id in absent:
            roster.add_entry(roster.members[user_id], conversation.last_seq)
        self.writes.insert_message(record, absent, created_at=created_at)
        self.record(MessageAdded(message=record.message), roster.everybody(), reply=reply)
        return record

    def _waits_for_recipients(self, roster: Roster) -> bool:
        """Return whether the next message waits for each recipient, and store it when this changes."""
        conversation = roster.conversation
        is_small = len(roster.members) <= self._recipients.queue_max_members
        if conversation.owed is None or is_small != (conversation.owed.up_to is None):
            conversation.owed = _next_owed_range(conversation, is_small=is_small)
            self.writes.changed_conversations[conversation.id] = conversation
        return is_small

    def _absent(self, recipients: Collection[str], new: NewMessage) -> Collection[str]:
        """Return the recipients who get a queue entry with the message.

        For a connected recipient, the message and the recipient's mark say that it is owed. ``delivery.sweep`` adds an
        entry if it is not confirmed. A message of high priority gets all entries at once, because only its entries say
        that its conversation comes first when a recipient connects.
        """
        if new.priority == "high":
            return recipients
        return [user_id for user_id in recipients if not self._recipients.is_connected(user_id)]

    def queue_for(
        self, roster: Roster, member: MembershipRecord, messages: Iterable[SentMessage], *, up_to: int
    ) -> None:
        """Add queue entries for a member, unless they exist. Up to the ``seq`` ``up_to``, nothing else was missing."""
        for message in messages:
            self.writes.add_queue_entry(member, message)
        roster.completed(member, up_to)

    def change_message(
        self,
        record: MessageRecord,
        changed: Message,
        change: Literal["edited", "deleted", "reactions", "pinned"],
        *,
        replaced_text: str | None = None,
        reply: Reply[Any] | None = None,
    ) -> None:
        """Store ``changed``, a changed copy of a message, with the next ``rev``, and notify the members who see it.

        ``replaced_text`` is added to the history of edits.
        """
        roster = self.roster(changed.conversation_id)
        self._advance(roster.conversation, with_message=False)
        changed.rev = roster.conversation.rev
        roster.conversation.pinned_count += changed.pinned - record.message.pinned
        message = record.message = changed
        self.writes.change_message(record, replaced_text=replaced_text)
        self.record(MessageChanged(change=change, message=message), roster.audience_of(message.seq), reply=reply)

    def raise_marks(
        self,
        roster: Roster,
        member: MembershipRecord,
        *,
        delivered: int,
        read: int,
        withheld: bool = False,
        reply: Reply[Any] | None = None,
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
        self.writes.raise_marks(member, delivered_before=delivered_before, last_entry=roster.last_entry(member.user_id))
        self._record_marks(roster, member, withheld=withheld, reply=reply)
        return True

    def show_marks(self, roster: Roster, member: MembershipRecord) -> None:
        """Show the withheld marks of a member to the others, if any are withheld."""
        if member.frozen_marks is not None:
            self._withhold(member, withheld=False)
            self.writes.raise_marks(member, delivered_before=member.delivered_seq, last_entry=0)
            self._record_marks(roster, member, withheld=False, reply=None)

    def _record_marks(
        self, roster: Roster, member: MembershipRecord, *, withheld: bool, reply: Reply[Any] | None
    ) -> None:
        is_small = len(roster.members) <= MAX_SMALL_CONVERSATION
        self.record(
            MarksRaised(
                conversation_id=member.conversation_id,
                user_id=member.user_id,
                delivered_seq=member.delivered_seq,
                read_seq=member.read_seq,
                withheld=withheld,
            ),
            roster.everybody() if is_small and not withheld else (member.user_id,),
            reply=reply,
        )

    def _withhold(self, member: MembershipRecord, *, withheld: bool) -> None:
        if withheld != (member.frozen_marks is not None):
            member.frozen_marks = member.visible_marks() if withheld else None
            self.writes.frozen_changed.add((member.conversation_id, member.user_id))

    def add_conversation(self, conversation: ConversationRecord, members: list[MembershipRecord]) -> Roster:
        """Store a new conversation with its first members. The caller records that they see it."""
        roster = Roster(conversation=conversation, members={member.user_id: member for member in members}, stored_seq=0)
        is_small = len(members) <= self._recipients.queue_max_members
        conversation.owed = _next_owed_range(conversation, is_small=is_small)
        self.rosters.put(roster)
        self.writes.new_conversations.append(conversation)
        self.writes.new_memberships.update((member.id, member) for member in members)
        self.record(
            ConversationCreated(
                conversation_id=conversation.id, kind=conversation.kind, created_by=conversation.created_by
            )
        )
        return roster

    def add_member(self, roster: Roster, member: MembershipRecord) -> None:
        """Store a new member. The caller records the event."""
        roster.members[member.user_id] = member
        self._members_changed(roster)
        self.writes.new_memberships[member.id] = member

    def remove_member(self, roster: Roster, user_id: str) -> None:
        """Remove a member and their queue entries. The caller records the event."""
        self.writes.remove_membership(roster.members.pop(user_id), last_seq=roster.conversation.last_seq)
        self._members_changed(roster)

    def hide_member(self, roster: Roster, member: MembershipRecord) -> None:
        """Hide a conversation from a member, and empty their queue. They will see only messages that come later.

        Their marks do not rise, because the messages that they leave behind were not read.
        """
        member.visible = False
        member.joined_at = self.now
        member.joined_seq = member.hidden_seq = roster.conversation.last_seq
        self.writes.change_own_settings(member, {"draft": ""})
        self.writes.empty_queue(member, last_seq=roster.conversation.last_seq)
        self.change_member(member, roster)

    def change_member(self, member: MembershipRecord, roster: Roster) -> None:
        """Store a membership whose role or visibility the caller has changed."""
        member.updated_at = self.now
        roster.audience = None
        self.writes.changed_memberships[member.conversation_id, member.user_id] = member

    def change_own_settings(self, member: MembershipRecord, changes: Mapping[str, Any]) -> None:
        """Store settings of a member that concern only themselves. The caller records the event."""
        member.updated_at = self.now
        for name, value in changes.items():
            if name != "draft":
                setattr(member, name, value)
        self.writes.change_own_settings(member, changes)

    def change_conversation(self, roster: Roster) -> None:
        """Store a conversation whose name, description or settings the caller has changed."""
        roster.conversation.updated_at = self.now
        self.writes.changed_conversations[roster.conversation.id] = roster.conversation

    def remove_conversation(self, roster: Roster, actor_id: str) -> None:
        """Delete a conversation for all members. A job removes the messages later."""
        conversation_id, audience = roster.conversation.id, roster.everybody()
        self.writes.removed_conversations.append(conversation_id)
        self.writes.new_jobs.append(purge_job(conversation_id, roster.members))
        self.record(
            ConversationDeleted(conversation_id=conversation_id, actor_id=actor_id, member_ids=list(audience)), audience
        )
        roster.members, roster.audience = {}, None

    # ---------------------------------------------------------------------------------------------------- the outcome

    def record(
        self,
        event: Event,
        audience: tuple[str, ...] = (),
        *,
        apart: Collection[str] = (),
        reply: Reply[Any] | None = None,
        stored: Event | None = None,
    ) -> None:
        """Store an event with the batch, and send it to the users in ``audience`` after the commit.

        The connection that ``reply`` answers does not get it, unless the callers were refused before. ``stored`` is the
        version that is stored instead of ``event``, without the data that must not be kept.
        """
        self.writes.record(stored or event)
        self.outcomes.append(Recorded(event, audience, apart, None if reply is None else reply.connection_id))

    def answer(self, reply: Reply[Any], result: Any) -> None:
        """Answer a caller with ``result`` after the commit, after everything that was recorded earlier is sent."""
        self.outcomes.append(Answer(reply, result))

    # ----------------------------------------------------------------------------------------------------- internal

    def _time_after(self, latest: datetime) -> datetime:
        """Return the current time, or one tick after ``latest`` if the clock was ahead when ``latest`` was set.

        So the times in each conversation ascend, even across a restart. They also differ while the clock is behind.
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
        # Change a copy, because frames that are not sent yet may refer to the message as it was.
        count = 1 if root.message.thread is None else root.message.thread.count + 1
        root.message = structs.replace(root.message, thread=ThreadSummary(count=count, last_seq=reply.message.seq))

    def _members_changed(self, roster: Roster) -> None:
        roster.audience = None
        roster.conversation.member_count = len(roster.members)
        self.rosters.put(roster)
        self.change_conversation(roster)


def _next_owed_range(conversation: ConversationRecord, *, is_small: bool) -> OwedRange:
    """Return which messages wait for their recipients, now that a conversation became small or large."""
    if not is_small and conversation.owed is not None:
        return OwedRange(after=conversation.owed.after, up_to=conversation.last_seq)
    return OwedRange(after=conversation.last_seq, up_to=None if is_small else conversation.last_seq)


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
