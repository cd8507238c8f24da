"""The ``messages`` collection, as plain documents: the form of a document, and every way of reading them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from chat_mvp.protocol import Message, Reaction, ThreadSummary
from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import known_object_id, to_object_id
from chat_mvp.storage.records import MessageRecord, SeqRange
from chat_mvp.times import format_optional, format_time, parse_time

SentKey = tuple[str, str]
"""Sender and ``client_message_id``. Together they permanently identify one message."""


def to_document(record: MessageRecord, created_at: datetime) -> RawDocument:
    """Return the document of a new message. ``created_at`` is the time that its wire form contains.

    Empty fields are left out. This saves a third of the bytes, which are written three times (journal, oplog, data).
    """
    message = record.message
    document: RawDocument = {
        "_id": ObjectId(message.id),
        "conversation_id": known_object_id(message.conversation_id),
        "seq": message.seq,
        "rev": message.rev,
        "made_rev": record.made_rev,
        "sender_id": known_object_id(message.sender_id),
        "client_message_id": message.client_message_id,
        "kind": message.kind,
        "text": message.text,
        "priority": message.priority,
        "status": record.status,
        "created_at": created_at,
    }
    if message.reply_to is not None:
        document["reply_to"] = ObjectId(message.reply_to)
    if message.thread_root is not None:
        document["thread_root"] = ObjectId(message.thread_root)
    if message.mentions:
        document["mentions"] = [ObjectId(user_id) for user_id in message.mentions]
    return document


def to_changes(message: Message) -> RawDocument:
    """Return the current values of the fields of a message that may change after it was sent."""
    return {
        "rev": message.rev,
        "text": message.text,
        "attachments": [],
        "mentions": [ObjectId(user_id) for user_id in message.mentions],
        "reactions": [
            {"emoji": reaction.emoji, "user_ids": [ObjectId(user_id) for user_id in reaction.user_ids]}
            for reaction in message.reactions
        ],
        "pinned": message.pinned,
        "edited_at": parse_time(message.edited_at) if message.edited_at else None,
        "deleted_at": parse_time(message.deleted_at) if message.deleted_at else None,
    }


def to_record(document: RawDocument) -> MessageRecord:
    """Return the record of a stored message."""
    thread = document.get("thread")
    reply_to, thread_root = document.get("reply_to"), document.get("thread_root")
    return MessageRecord(
        made_rev=document["made_rev"],
        status=document["status"],
        message=Message(
            id=str(document["_id"]),
            conversation_id=str(document["conversation_id"]),
            seq=document["seq"],
            rev=document["rev"],
            sender_id=str(document["sender_id"]),
            client_message_id=document["client_message_id"],
            kind=document["kind"],
            text=document["text"],
            priority=document["priority"],
            attachments=[],
            reply_to=str(reply_to) if reply_to else None,
            thread_root=str(thread_root) if thread_root else None,
            thread=ThreadSummary(count=thread["count"], last_seq=thread["last_seq"]) if thread else None,
            mentions=[str(user_id) for user_id in document.get("mentions", ())],
            reactions=[_to_reaction(reaction) for reaction in document.get("reactions", ())],
            pinned=document.get("pinned", False),
            created_at=format_time(document["created_at"]),
            edited_at=format_optional(document.get("edited_at")),
            deleted_at=format_optional(document.get("deleted_at")),
        ),
    )


def _to_reaction(document: RawDocument) -> Reaction:
    user_ids = [str(user_id) for user_id in document["user_ids"]]
    return Reaction(emoji=document["emoji"], count=len(user_ids), user_ids=user_ids)


CLOCK_TOLERANCE = timedelta(minutes=1)
"""How far a clock may be set back before clients that ask for changes since a time can miss some."""

_CHANGES_AT_ONCE = 20
_RANGES_AT_ONCE = 25
"""Branches of one ``$or``. The time to plan a query grows with the square of their number."""

# Only the history of edits reads earlier texts.
WITHOUT_EDITS = {"edits": 0}


class Messages:
    """Reads messages. The caller's limit bounds every list. Every read is majority-committed."""

    def __init__(self, collections: Collections) -> None:
        """Read from the ``messages`` collection of this database."""
        self._messages = collections["messages"]

    async def fetch_by_ids(self, ids: Iterable[str]) -> dict[str, MessageRecord]:
        """Return those of the messages that exist, by id."""
        return {
            record.message.id: record for record in await self._find({"_id": {"$in": [to_object_id(i) for i in ids]}})
        }

    async def fetch_sent(self, keys: Iterable[SentKey]) -> dict[SentKey, MessageRecord]:
        """Return the messages that these senders sent with these ``client_message_id``s, if they exist."""
        either = [{"sender_id": to_object_id(sender), "client_message_id": given} for sender, given in keys]
        if not either:
            return {}
        records = await self._find({"$or": either})
        return {(record.message.sender_id, record.message.client_message_id): record for record in records}

    async def fetch_newest(self, conversation_id: str, *, above: int, before: int | None, limit: int) -> list[Message]:
        """Return at most ``limit`` messages with ``above < seq < before``, the newest of them, in ascending order."""
        bounds: dict[str, int] = {"$gt": above}
        if before is not None:
            bounds["$lt"] = before
        query = {"conversation_id": to_object_id(conversation_id), "seq": bounds}
        records = await self._find(query, sort=[("seq", -1)], limit=limit)
        return [record.message for record in reversed(records)]

    async def fetch_oldest(self, conversation_id: str, *, after: int, limit: int) -> list[Message]:
        """Return at most ``limit`` messages with ``seq > after``, the oldest of them, in ascending order."""
        query = {"conversation_id": to_object_id(conversation_id), "seq": {"$gt": after}}
        return [record.message for record in await self._find(query, sort=[("seq", 1)], limit=limit)]

    async def fetch_pinned(self, conversation_id: str, *, above: int, limit: int) -> list[Message]:
        """Return at most ``limit`` pinned messages with ``seq > above``, the newest first."""
        query = {"conversation_id": to_object_id(conversation_id), "seq": {"$gt": above}, "pinned": True}
        return [record.message for record in await self._find(query, sort=[("seq", -1)], limit=limit)]

    async def fetch_by_seqs(self, conversation_id: str, seqs: Sequence[int]) -> list[MessageRecord]:
        """Return the messages with these sequence numbers, in ascending order."""
        query = {"conversation_id": to_object_id(conversation_id), "seq": {"$in": list(seqs)}}
        return await self._find(query, sort=[("seq", 1)])

    async def fetch_changed(
        self,
        conversation_id: str,
        *,
        after_rev: int,
        above_seq: int,
        up_to_seq: int | None = None,
        limit: int,
    ) -> list[MessageRecord]:
        """Return at most ``limit`` messages created or changed after ``after_rev``, each once, by ascending ``rev``."""
        seqs: dict[str, int] = {"$gt": above_seq}
        if up_to_seq is not None:
            seqs["$lte"] = up_to_seq
        query = {"conversation_id": to_object_id(conversation_id), "rev": {"$gt": after_rev}, "seq": seqs}
        latest: dict[str, MessageRecord] = {}
        for record in await self._find(query, sort=[("rev", 1)], limit=limit):
            # A message that changes while the index is read moves forward in it and is found again, in its new state.
            latest.pop(record.message.id, None)
            latest[record.message.id] = record
        return list(latest.values())

    async def fetch_changed_since(
        self,
        conversation_id: str,
        since: datetime,
        *,
        above_seq: int,
        below_rev: int,
        limit: int,
    ) -> list[MessageRecord]:
        """Return at most ``limit`` messages created or changed after a time, each once, by descending ``rev``.

        Only what changed since then is read: in the order of ``rev`` times ascend too, as far as clocks do.
        """
        query = {"conversation_id": to_object_id(conversation_id), "rev": {"$lt": below_rev}}
        found: list[MessageRecord] = []
        with translated():
            cursor = self._messages.find(query, WITHOUT_EDITS, sort=[("rev", -1)], batch_size=_CHANGES_AT_ONCE)
            async with cursor:
                async for document in cursor:
                    changed_at = document.get("changed_at") or document["created_at"]
                    if len(found) == limit or changed_at <= since - CLOCK_TOLERANCE:
                        break
                    if changed_at > since and document["seq"] > above_seq:
                        found.append(to_record(document))
        return found

    async def fetch_last(self, last_seqs: dict[str, int]) -> dict[str, Message]:
        """Return the message with the given ``seq`` of each conversation, by conversation."""
        positions = [(to_object_id(i), seq) for i, seq in last_seqs.items() if seq]
        found: dict[str, Message] = {}
        for start in range(0, len(positions), _RANGES_AT_ONCE):
            either = [{"conversation_id": i, "seq": seq} for i, seq in positions[start : start + _RANGES_AT_ONCE]]
            found |= {record.message.conversation_id: record.message for record in await self._find({"$or": either})}
        return found

    async def fetch_edits(self, message_id: str) -> list[RawDocument]:
        """Return the earlier texts of a message with the time at which each was replaced, oldest first."""
        with translated():
            document = await self._messages.find_one({"_id": to_object_id(message_id)}, {"edits": 1})
        return list(document.get("edits", ())) if document else []

    async def count_unread(self, user_id: str, ranges: Sequence[SeqRange]) -> dict[str, int]:
        """Return the number of undeleted text messages of other users in ranges of conversations, by conversation.

        There is at most one range for each conversation.
        Conversations without such messages are left out. Pass no empty ranges: they cost as much as others.
        """
        counts: dict[str, int] = {}
        counted = {"kind": "text", "deleted_at": None, "sender_id": {"$ne": to_object_id(user_id)}}
        for start in range(0, len(ranges), _RANGES_AT_ONCE):
            either = [
                {"conversation_id": known_object_id(i), "seq": {"$gt": above, "$lte": up_to}}
                for i, above, up_to in ranges[start : start + _RANGES_AT_ONCE]
            ]
            pipeline: list[dict[str, Any]] = [
                {"$match": {"$or": either}},
                {"$match": counted},
                {"$group": {"_id": "$conversation_id", "count": {"$sum": 1}}},
            ]
            with translated():
                cursor = await self._messages.aggregate(pipeline)
                counts |= {str(row["_id"]): row["count"] async for row in cursor}
        return counts

    async def _find(
        self,
        query: RawDocument,
        *,
        sort: list[tuple[str, int]] | None = None,
        limit: int | None = None,
    ) -> list[MessageRecord]:
        if limit == 0:
            # The database takes a limit of 0 as no limit.
            return []
        with translated():
            documents = await self._messages.find(query, WITHOUT_EDITS, sort=sort, limit=limit or 0).to_list(None)
        return [to_record(document) for document in documents]
