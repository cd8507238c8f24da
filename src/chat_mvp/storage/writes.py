"""The writes of one batch. This module does no I/O: ``write_commands`` makes the commands, ``commit`` sends them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from msgspec import Struct, field

from chat_mvp.events.codec import EncodedEvent, encode_event
from chat_mvp.events.types import Event, MarksRaised
from chat_mvp.storage.client import RawDocument
from chat_mvp.storage.ids import known_object_id
from chat_mvp.storage.jobs import NewJob
from chat_mvp.storage.messages import to_document
from chat_mvp.storage.pipeline import Step
from chat_mvp.storage.purging import purge_queue_job
from chat_mvp.storage.queue import SentMessage, queue_document
from chat_mvp.storage.records import ConversationRecord, MembershipRecord, MessageRecord

MAX_EMPTIED_AT_ONCE = 10_000
"""How many queue entries of one user and conversation one transaction removes."""
DOCUMENT_BYTES = 512
"""The approximate size of a message without its text, or of a membership, with their index entries."""
QUEUE_ENTRY_BYTES = 160


class Advance(Struct):
    """A conversation whose counters the batch raises, and the values that they must have before."""

    conversation: ConversationRecord
    from_seq: int
    from_rev: int


class Writes(Struct, kw_only=True):
    """Everything that one batch stores."""

    now: datetime
    process: str = ""
    """The id of the process that writes."""
    advances: dict[str, Advance] = field(default_factory=dict)
    new_messages: list[MessageRecord] = field(default_factory=list)
    changed_messages: dict[str, MessageRecord] = field(default_factory=dict)
    changed_in: set[str] = field(default_factory=set)
    """The conversations of ``changed_messages``."""
    replaced_texts: dict[str, list[str]] = field(default_factory=dict)
    thread_replies: list[tuple[str, int]] = field(default_factory=list)
    """The root of a thread, and the sequence number of a reply to it."""
    message_documents: list[RawDocument] = field(default_factory=list)
    queue_documents: list[RawDocument] = field(default_factory=list)
    late_entries: dict[tuple[str, str], list[RawDocument]] = field(default_factory=dict)
    """By conversation and user: queue entries that are added after their messages, unless they exist."""
    marks: dict[tuple[str, str], MembershipRecord] = field(default_factory=dict)
    """By conversation and user: the membership with its raised marks. See ``raise_marks``."""
    frozen_changed: set[tuple[str, str]] = field(default_factory=set)
    """The keys in ``marks`` whose ``frozen_marks`` changed, so that the others see different marks."""
    confirmed: dict[tuple[str, str], range] = field(default_factory=dict)
    """By conversation and user: the sequence numbers that leave this user's queue."""
    new_conversations: list[ConversationRecord] = field(default_factory=list)
    changed_conversations: dict[str, ConversationRecord] = field(default_factory=dict)
    removed_conversations: list[str] = field(default_factory=list)
    new_memberships: dict[str, MembershipRecord] = field(default_factory=dict)
    """By the ids of the memberships."""
    changed_memberships: dict[tuple[str, str], MembershipRecord] = field(default_factory=dict)
    removed_memberships: list[MembershipRecord] = field(default_factory=list)
    own_changes: dict[tuple[str, str], RawDocument] = field(default_factory=dict)
    """By conversation and user: the fields of the membership that concern only this user."""
    emptied_queues: dict[tuple[str, str], int] = field(default_factory=dict)
    """By conversation and user: the ``seq`` up to which nothing waits for them any more."""
    new_jobs: list[NewJob] = field(default_factory=list)
    events: dict[tuple[str, str, bool] | int, EncodedEvent] = field(default_factory=dict)
    """The events, in order; see ``record``."""
    event_id: ObjectId | None = None
    """The key of the document with the events, once it is made. The whole batch can be found by it."""
    _text_chars: int = 0
    _event_bytes: int = 0
    steps: Sequence[Step] | None = None
    """The commands that store this, once they are made; see ``storage.write_commands``."""

    @property
    def size(self) -> int:
        """Return the approximate number of bytes that the batch writes, from average sizes of its documents.

        Events count with every byte, because their sizes differ widely: a message has its reactions, and each new
        member gets the description. All events are one document, for which the database has a limit.
        """
        return (
            self._text_chars
            + self._event_bytes
            + QUEUE_ENTRY_BYTES
            * (len(self.queue_documents) + len(self.confirmed) + sum(map(len, self.late_entries.values())))
            + DOCUMENT_BYTES
            * (
                len(self.message_documents)
                + len(self.changed_messages)
                + len(self.marks)
                + len(self.own_changes)
                + len(self.new_conversations)
                + len(self.new_memberships)
                + len(self.changed_memberships)
                + len(self.removed_memberships)
            )
        )

    def insert_message(
        self, record: MessageRecord, waiting: Iterable[str], *, created_at: datetime | None = None
    ) -> None:
        """Store a new message and its queue entries for the users ``waiting``. ``created_at`` defaults to ``now``.

        The documents are made here and not at the commit, because a batch is planned while another one commits.
        """
        self.new_messages.append(record)
        self._text_chars += len(record.message.text)
        message, sent_at = record.message, self.now if created_at is None else created_at
        document = to_document(record, sent_at)
        self.message_documents.append(document)
        sent = SentMessage(document["_id"], message.seq, message.sender_id, message.priority, sent_at)
        self.queue_documents.extend(
            queue_document(recipient, document["conversation_id"], sent) for recipient in waiting
        )

    def add_queue_entry(self, member: MembershipRecord, message: SentMessage) -> None:
        """Queue a stored message for a member who has not confirmed it, unless it is queued already."""
        entries = self.late_entries.setdefault((member.conversation_id, member.user_id), [])
        entries.append(queue_document(member.user_id, known_object_id(member.conversation_id), message))

    def change_message(self, record: MessageRecord, *, replaced_text: str | None) -> None:
        """Store the current state of a message. ``replaced_text`` is added to the history of its edits."""
        message = record.message
        self.changed_messages[message.id] = record
        self.changed_in.add(message.conversation_id)
        self._text_chars += len(message.text)
        if replaced_text is not None:
            self.replaced_texts.setdefault(message.id, []).append(replaced_text)
            self._text_chars += len(replaced_text)

    def raise_marks(self, member: MembershipRecord, *, delivered_before: int, last_entry: int) -> None:
        """Store this user's marks. The messages between the old and the new delivered mark leave the queue.

        ``last_entry`` is the highest ``seq`` that may be in the queue: there is nothing to remove above it.
        """
        key = (member.conversation_id, member.user_id)
        self.marks[key] = member
        up_to = min(member.delivered_seq, last_entry)
        if up_to > delivered_before:
            first = self.confirmed[key].start if key in self.confirmed else delivered_before + 1
            self.confirmed[key] = range(first, up_to + 1)

    def change_own_settings(self, member: MembershipRecord, changes: Mapping[str, Any]) -> None:
        """Store fields of a membership that concern only its user."""
        fields = self.own_changes.setdefault((member.conversation_id, member.user_id), {})
        fields |= changes
        fields["updated_at"] = self.now
        self._text_chars += len(changes.get("draft") or "")

    def remove_membership(self, member: MembershipRecord, *, last_seq: int) -> None:
        """Store that a user has left a conversation, in which ``last_seq`` is the newest message now.

        They may come back in the same batch, with a new membership.
        """
        key = (member.conversation_id, member.user_id)
        for about_it in (self.marks, self.confirmed, self.changed_memberships, self.own_changes):
            about_it.pop(key, None)
        if self.new_memberships.pop(member.id, None) is None:
            self.removed_memberships.append(member)
        self.empty_queue(member, last_seq=last_seq)

    def empty_queue(self, member: MembershipRecord, *, last_seq: int) -> None:
        """Remove everything up to ``last_seq`` from a member's queue.

        The transaction removes only the newest ``MAX_EMPTIED_AT_ONCE`` entries, because it must stay small. The entries
        before them are never sent: they are below the ``joined_seq`` with which the user may come back. A job removes
        them.
        """
        older = last_seq - MAX_EMPTIED_AT_ONCE
        if older > 0:
            self.new_jobs.append(purge_queue_job(member.conversation_id, member.user_id, up_to=older))
        self.emptied_queues[member.conversation_id, member.user_id] = last_seq

    def record(self, event: Event) -> None:
        """Store an event. Of the marks of a member only the last state is kept, in its place in the order."""
        encoded = encode_event(event)
        # No two events end at the same place, so this is a key for those that nothing replaces.
        self._event_bytes += encoded.size
        key: tuple[str, str, bool] | int = self._event_bytes
        if isinstance(event, MarksRaised):
            key = (event.conversation_id, event.user_id, event.withheld)
            self.events.pop(key, None)
        self.events[key] = encoded

    def touched(self) -> set[str]:
        """Return every conversation whose roster the batch changed."""
        return {
            *self.advances,
            *(record.id for record in self.new_conversations),
            *self.changed_conversations,
            *self.removed_conversations,
            *(conversation_id for conversation_id, _ in self.marks),
            *(conversation_id for conversation_id, _ in self.own_changes),
            *(conversation_id for conversation_id, _ in self.late_entries),
            *(record.conversation_id for record in self.new_memberships.values()),
            *(conversation_id for conversation_id, _ in self.changed_memberships),
            *(record.conversation_id for record in self.removed_memberships),
        }

    def is_apart_from(self, other: "Writes") -> bool:
        """Return whether the two change no common document, so that they can be stored at the same time.

        A batch is stored alone if it contains more than traffic (see ``is_traffic``).
        """
        return (
            self.is_traffic()
            and other.is_traffic()
            and self.advances.keys().isdisjoint(other.advances)
            and self.changed_members().isdisjoint(other.changed_members())
        )

    def changed_members(self) -> set[tuple[str, str]]:
        """Return the members, by conversation and user, whose marks, own settings or old queue entries change."""
        return {*self.marks, *self.own_changes, *self.late_entries}

    def is_traffic(self) -> bool:
        """Return whether this changes only messages, counters, marks and own settings."""
        return not (
            self.new_conversations
            or self.changed_conversations
            or self.removed_conversations
            or self.new_memberships
            or self.changed_memberships
            or self.removed_memberships
        )

    def is_empty(self) -> bool:
        """Return whether there is nothing to store."""
        return not (
            self.advances
            or self.marks
            or self.own_changes
            or self.late_entries
            or self.changed_messages
            or self.new_conversations
            or self.changed_conversations
            or self.removed_conversations
            or self.changed_memberships
            or self.removed_memberships
        )
