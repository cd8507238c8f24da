"""The writes of one batch, and the commands that store them. This module does no I/O: ``commit.py`` sends them.

There is one command for each collection and kind of write, because a transaction's cost is mostly its round trips.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from bson import ObjectId
from msgspec import Struct, field

from chat_mvp.events.codec import EncodedEvent, encode_event
from chat_mvp.events.types import Event, MarksRaised
from chat_mvp.limits import MAX_EDITS_KEPT
from chat_mvp.storage.client import RawDocument
from chat_mvp.storage.conversations import (
    conversation_document,
    frozen_marks_document,
    membership_document,
    owed_document,
)
from chat_mvp.storage.events import document_of_encoded
from chat_mvp.storage.ids import known_object_id
from chat_mvp.storage.jobs import NewJob, job_document
from chat_mvp.storage.messages import to_changes, to_document
from chat_mvp.storage.purging import purge_queue_job
from chat_mvp.storage.queue import SentMessage, queue_document, queue_key, queue_range
from chat_mvp.storage.records import ConversationRecord, MembershipRecord, MessageRecord

MAX_EMPTIED_AT_ONCE = 10_000
"""How many queue entries of one user and conversation one transaction removes."""
MAX_KEYS_CONFIRMED = 64
"""A confirmation of at most this many messages removes their queue entries one by one, by their keys.

A range would be one statement, but the database then scans every entry that was ever removed there, until it is cleaned
up minutes later. Under load that was most of its work (docs/decisions/0010-queue-by-key.md).
"""
DOCUMENT_BYTES = 512
"""The approximate size of a message without its text, or of a membership, with their index entries."""
QUEUE_ENTRY_BYTES = 160

AnswerCheck = Callable[[RawDocument], bool]
"""Returns whether the answer of a command is the expected one."""


class Step(NamedTuple):
    """One command of the transaction, and the check of its answer."""

    command: RawDocument
    is_expected: AnswerCheck


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
    _steps: list[Step] | None = None

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
        document = to_document(record, self.now if created_at is None else created_at)
        self.message_documents.append(document)
        sent = SentMessage(
            document["_id"], record.message.seq, record.message.sender_id, record.message.priority, self.now
        )
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

    def seal(self) -> list[Step]:
        """Return the commands that store the writes, made from the records as they are at the first call.

        The next batch shares these records, and planning it goes on while this one is committed.
        """
        if self._steps is None:
            self._steps = _commands(self)
        return self._steps

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


def _commands(writes: Writes) -> list[Step]:
    # The counters come first: if they differ from the expected ones, nothing else is tried. Memberships are removed
    # before new ones are inserted, because a user who leaves may join again in the same batch.
    expected = _expected_counters(writes)
    moved, moved_count = _conversation_updates(writes)
    updated_memberships = _membership_updates(writes)
    removed_ids = [{"_id": ObjectId(record.id)} for record in writes.removed_memberships]
    removed = [{"_id": ObjectId(i)} for i in writes.removed_conversations]
    removed_with_them = [{"conversation_id": query["_id"]} for query in removed]
    steps: tuple[tuple[Callable[[str, list[Any]], RawDocument], str, list[Any], AnswerCheck], ...] = (
        (_find_counters, "conversations", list(expected), _found(expected)),
        (_update, "conversations", moved, _matched(moved_count)),
        (_insert, "conversations", [conversation_document(record) for record in writes.new_conversations], _any_answer),
        (_delete, "memberships", removed_ids, _matched(len(removed_ids))),
        (_insert, "memberships", [membership_document(it) for it in writes.new_memberships.values()], _any_answer),
        (_insert, "messages", writes.message_documents, _any_answer),
        (_update, "messages", _message_updates(writes), _any_answer),
        (_insert, "message_queue", writes.queue_documents, _any_answer),
        (_update, "message_queue", _late_entries(writes), _any_answer),
        (_update, "memberships", updated_memberships, _matched(len(updated_memberships))),
        (_delete, "memberships", removed_with_them, _any_answer),
        (_delete_each, "message_queue", _confirmed_keys(writes), _any_answer),
        (_delete, "message_queue", _queue_removals(writes), _any_answer),
        (_delete, "conversations", removed, _matched(len(removed))),
        (_insert, "jobs", [job_document(job, writes.now) for job in writes.new_jobs], _any_answer),
        (_insert, "events", _event_documents(writes), _any_answer),
    )
    return [Step(build(collection, parts), is_expected) for build, collection, parts, is_expected in steps if parts]


def _event_documents(writes: Writes) -> list[RawDocument]:
    """Return one document with all events."""
    if not writes.events:
        return []
    document = document_of_encoded(writes.events.values(), now=writes.now, process=writes.process)
    writes.event_id = document["_id"]
    return [document]


def _any_answer(_: RawDocument) -> bool:
    return True


def _matched(count: int) -> AnswerCheck:
    return lambda answer: bool(answer["n"] == count)


def _found(counters: dict[ObjectId, tuple[int, int]]) -> AnswerCheck:
    def is_expected(answer: RawDocument) -> bool:
        rows = answer["cursor"]["firstBatch"]
        return counters == {row["_id"]: (row["last_seq"], row["rev"]) for row in rows}

    return is_expected


def _find_counters(collection: str, ids: list[ObjectId]) -> RawDocument:
    return {
        "find": collection,
        "filter": {"_id": {"$in": ids}},
        "projection": {"last_seq": 1, "rev": 1},
        "batchSize": len(ids),
        "singleBatch": True,
    }


def _insert(collection: str, documents: list[RawDocument]) -> RawDocument:
    return {"insert": collection, "documents": documents}


def _update(collection: str, updates: list[RawDocument]) -> RawDocument:
    return {"update": collection, "updates": updates}


def _delete(collection: str, queries: list[RawDocument]) -> RawDocument:
    return {"delete": collection, "deletes": [{"q": query, "limit": 0} for query in queries]}


def _delete_each(collection: str, keys: list[RawDocument]) -> RawDocument:
    return {"delete": collection, "deletes": [{"q": {"_id": key}, "limit": 1} for key in keys]}


def _expected_counters(writes: Writes) -> dict[ObjectId, tuple[int, int]]:
    new_ids = {record.id for record in writes.new_conversations}
    return {
        known_object_id(conversation_id): (advance.from_seq, advance.from_rev)
        for conversation_id, advance in writes.advances.items()
        if conversation_id not in new_ids
    }


def _conversation_updates(writes: Writes) -> tuple[list[RawDocument], int]:
    """Return the statements, and how many conversations they must match.

    Conversations in which the same number of messages were sent share a statement: a statement costs the database far
    more than one more document in it.
    """
    new_ids = {record.id for record in writes.new_conversations}
    not_grouped = dict.fromkeys(i for i in (*writes.changed_in, *writes.changed_conversations) if i not in new_ids)
    alike: dict[tuple[int, int, datetime], list[ObjectId]] = {}
    for conversation_id, advance in writes.advances.items():
        if conversation_id not in not_grouped and conversation_id not in new_ids:
            conversation = advance.conversation
            seqs, revs = conversation.last_seq - advance.from_seq, conversation.rev - advance.from_rev
            alike.setdefault((seqs, revs, conversation.activity_at), []).append(known_object_id(conversation_id))
    updates: list[RawDocument] = [
        {
            "q": {"_id": {"$in": ids}},
            "u": {"$inc": {"last_seq": seqs, "rev": revs}, "$set": {"activity_at": activity_at}},
            "multi": True,
        }
        for (seqs, revs, activity_at), ids in alike.items()
    ]
    updates.extend(_conversation_update(writes, conversation_id) for conversation_id in not_grouped)
    return updates, len(not_grouped) + sum(map(len, alike.values()))


def _conversation_update(writes: Writes, conversation_id: str) -> RawDocument:
    fields: dict[str, Any] = {}
    advance = writes.advances.get(conversation_id)
    if advance is not None:
        conversation = advance.conversation
        fields |= {
            "last_seq": conversation.last_seq,
            "rev": conversation.rev,
            "activity_at": conversation.activity_at,
        }
        if conversation_id in writes.changed_in:
            fields |= {"changed_at": writes.now, "pinned_count": conversation.pinned_count}
    changed = writes.changed_conversations.get(conversation_id)
    if changed is not None:
        fields |= {
            "name": changed.name,
            "description": changed.description,
            "visibility": changed.visibility,
            "public_after_seq": changed.public_after_seq,
            "avatar_url": changed.avatar_url,
            "max_participants": changed.max_participants,
            "post": changed.post,
            "owed": owed_document(changed.owed),
            "member_count": changed.member_count,
            "updated_at": changed.updated_at,
        }
    return {"q": {"_id": known_object_id(conversation_id)}, "u": {"$set": fields}}


def _message_updates(writes: Writes) -> list[RawDocument]:
    updates: list[RawDocument] = []
    for message_id, record in writes.changed_messages.items():
        change: RawDocument = {"$set": to_changes(record.message) | {"changed_at": writes.now}}
        replaced = writes.replaced_texts.get(message_id)
        if record.message.deleted_at is not None:
            # A deleted text must not be readable in the history of edits either.
            change["$set"]["edits"] = []
        elif replaced:
            edits = [{"text": text, "at": writes.now} for text in replaced]
            change["$push"] = {"edits": {"$each": edits, "$slice": -MAX_EDITS_KEPT}}
        updates.append({"q": {"_id": ObjectId(message_id)}, "u": change})
    for root, seq in writes.thread_replies:
        change = {"$inc": {"thread.count": 1}, "$max": {"thread.last_seq": seq}}
        updates.append({"q": {"_id": ObjectId(root)}, "u": change})
    return updates


def _membership_updates(writes: Writes) -> list[RawDocument]:
    updates: list[RawDocument] = []
    for key, record in writes.marks.items():
        highest = {
            "delivered_seq": record.delivered_seq,
            "read_seq": record.read_seq,
            "delivered_at": record.delivered_at,
            "read_at": record.read_at,
            "updated_at": writes.now,
        }
        change: RawDocument = {"$max": highest}
        if key in writes.frozen_changed:
            change["$set"] = {"frozen_marks": frozen_marks_document(record)}
        updates.append({"q": {"_id": known_object_id(record.id)}, "u": change})
    for (conversation_id, user_id), changes in writes.own_changes.items():
        query = {"conversation_id": known_object_id(conversation_id), "user_id": known_object_id(user_id)}
        updates.append({"q": query, "u": {"$set": changes}})
    for record in writes.changed_memberships.values():
        fields = {
            "role": record.role,
            "visible": record.visible,
            "joined_at": record.joined_at,
            "joined_seq": record.joined_seq,
            "hidden_seq": record.hidden_seq,
            "updated_at": record.updated_at,
        }
        updates.append({"q": {"_id": known_object_id(record.id)}, "u": {"$set": fields}})
    return updates


def _late_entries(writes: Writes) -> list[RawDocument]:
    return [
        {"q": {"_id": entry.pop("_id")}, "u": {"$setOnInsert": entry}, "upsert": True}
        for entries in writes.late_entries.values()
        for entry in entries
    ]


def _confirmed_keys(writes: Writes) -> list[RawDocument]:
    keys: list[RawDocument] = []
    for (conversation_id, user_id), seqs in writes.confirmed.items():
        if len(seqs) <= MAX_KEYS_CONFIRMED:
            recipient, conversation = known_object_id(user_id), known_object_id(conversation_id)
            keys.extend(queue_key(recipient, conversation, seq) for seq in seqs)
    return keys


def _queue_removals(writes: Writes) -> list[RawDocument]:
    return [
        *(
            queue_range(user_id, conversation_id, first=seqs.start, last=seqs.stop - 1)
            for (conversation_id, user_id), seqs in writes.confirmed.items()
            if len(seqs) > MAX_KEYS_CONFIRMED
        ),
        *(
            queue_range(user_id, conversation_id, first=max(0, last_seq - MAX_EMPTIED_AT_ONCE + 1), last=last_seq)
            for (conversation_id, user_id), last_seq in writes.emptied_queues.items()
        ),
    ]
