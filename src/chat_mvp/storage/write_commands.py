"""The commands that store the writes of one batch. This module does no I/O: ``commit`` sends them.

There is one command for each collection and kind of write, because a transaction's cost is mostly its round trips.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId

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
from chat_mvp.storage.jobs import job_document
from chat_mvp.storage.messages import to_changes
from chat_mvp.storage.pipeline import AnswerCheck, Step
from chat_mvp.storage.queue import queue_key, queue_range
from chat_mvp.storage.writes import MAX_EMPTIED_AT_ONCE, Writes

MAX_KEYS_CONFIRMED = 64
"""A confirmation of at most this many messages removes their queue entries one by one, by their keys.

A range would be one statement, but the database then scans every entry that was ever removed there, until it is cleaned
up minutes later. Under load that was most of its work (docs/decisions/0010-queue-by-key.md).
"""


def seal(writes: Writes) -> Sequence[Step]:
    """Return the commands that store the writes, made from the records as they are at the first call.

    While this batch is committed, the next one is planned, and changes the same records.
    """
    if writes.steps is None:
        writes.steps = _commands(writes)
    return writes.steps


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
        {"q": {"_id": entry["_id"]}, "u": {"$setOnInsert": _without_key(entry)}, "upsert": True}
        for entries in writes.late_entries.values()
        for entry in entries
    ]


def _without_key(document: RawDocument) -> RawDocument:
    return {name: value for name, value in document.items() if name != "_id"}


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
