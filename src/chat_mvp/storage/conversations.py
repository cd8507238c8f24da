"""The ``conversations`` and ``memberships`` collections, as plain documents: members and their marks.

Only ``storage.commit`` writes what other members can see. A user's own settings are written here.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from bson import ObjectId
from msgspec.structs import asdict

from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import to_object_id
from chat_mvp.storage.lowest_marks import LowestMarks
from chat_mvp.storage.records import ConversationRecord, Marks, MembershipRecord, OwedRange

_MEMBERS_AT_ONCE = 1_000
"""How many members one reply holds. Decoding ten thousand at once would block the event loop for 0.1 s."""


def direct_key(one: str, other: str) -> str:
    """Return the key of a pair of users, which is the same for both."""
    return f"{min(one, other)}:{max(one, other)}"


def peer_id(key: str, user_id: str) -> str:
    """Return the other user of the direct conversation with this key."""
    one, other = key.split(":")
    return other if one == user_id else one


def conversation_document(record: ConversationRecord) -> RawDocument:
    """Return the document of a new conversation."""
    return {
        "_id": ObjectId(record.id),
        "kind": record.kind,
        "name": record.name,
        "description": record.description,
        "visibility": record.visibility,
        "avatar_url": record.avatar_url,
        "max_participants": record.max_participants,
        "post": record.post,
        "member_count": record.member_count,
        "created_by": ObjectId(record.created_by),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "activity_at": record.activity_at,
        "last_seq": record.last_seq,
        "rev": record.rev,
        "pinned_count": record.pinned_count,
        "public_after_seq": record.public_after_seq,
        "direct_key": record.direct_key,
        "owed": owed_document(record.owed),
    }


def owed_document(owed: OwedRange | None) -> RawDocument | None:
    """Return the stored form of the range of messages that wait for their recipients."""
    return None if owed is None else asdict(owed)


def owed_range(document: RawDocument) -> OwedRange | None:
    """Return the range of messages that wait, from the document of a conversation."""
    owed = document.get("owed")
    return None if owed is None else OwedRange(**owed)


_LATER_COUNTERS = ("pinned_count", "public_after_seq")
_CONVERSATION_FIELDS = tuple(
    name for name in ConversationRecord.__struct_fields__ if name not in {"id", "created_by", "owed", *_LATER_COUNTERS}
)


def conversation_record(document: RawDocument) -> ConversationRecord:
    """Return the record of a stored conversation."""
    fields = {name: document[name] for name in _CONVERSATION_FIELDS}
    fields |= {name: document.get(name, 0) for name in _LATER_COUNTERS}
    return ConversationRecord(
        id=str(document["_id"]),
        created_by=str(document["created_by"]),
        owed=owed_range(document),
        **fields,
    )


def membership_document(record: MembershipRecord) -> RawDocument:
    """Return the document of a new membership."""
    added_by = {} if record.added_by is None else {"added_by": ObjectId(record.added_by)}
    return added_by | {
        "_id": ObjectId(record.id),
        "conversation_id": ObjectId(record.conversation_id),
        "user_id": ObjectId(record.user_id),
        "role": record.role,
        "visible": record.visible,
        "joined_at": record.joined_at,
        "updated_at": record.updated_at,
        "joined_seq": record.joined_seq,
        "delivered_seq": record.delivered_seq,
        "read_seq": record.read_seq,
        "hidden_seq": record.hidden_seq,
        "muted_until": record.muted_until,
        "pinned": record.pinned,
        "archived": record.archived,
        "draft": record.draft,
        "notify": record.notify,
    }


_LATER_MEMBERSHIP_FIELDS = ("delivered_at", "read_at", "unread_from", "unread_from_read", "hidden_seq")
_MEMBERSHIP_FIELDS = tuple(
    name
    for name in MembershipRecord.__struct_fields__
    if name not in {"id", "conversation_id", "user_id", "frozen_marks", "added_by", "draft", *_LATER_MEMBERSHIP_FIELDS}
)


def membership_record(document: RawDocument) -> MembershipRecord:
    """Return the record of a stored membership."""
    fields: RawDocument = {name: document[name] for name in _MEMBERSHIP_FIELDS}
    fields |= {name: document.get(name) for name in _LATER_MEMBERSHIP_FIELDS}
    fields["draft"] = document.get("draft", "")
    frozen = document.get("frozen_marks")
    return MembershipRecord(
        id=str(document["_id"]),
        conversation_id=str(document["conversation_id"]),
        user_id=str(document["user_id"]),
        frozen_marks=None if frozen is None else Marks(**frozen),
        **fields,
    )


def frozen_marks_document(record: MembershipRecord) -> RawDocument | None:
    """Return the stored form of the marks that the others see."""
    return None if record.frozen_marks is None else asdict(record.frozen_marks)


class Conversations:
    """Reads conversations and memberships. Every read is majority-committed."""

    def __init__(self, collections: Collections) -> None:
        """Read from the two collections of this database."""
        self._conversations = collections["conversations"]
        self._memberships = collections["memberships"]
        self._lowest_marks = LowestMarks(collections)

    async def fetch(self, ids: Iterable[str]) -> dict[str, ConversationRecord]:
        """Return those of the conversations that exist, by id."""
        wanted = [to_object_id(i) for i in ids]
        with translated():
            documents = await self._conversations.find({"_id": {"$in": wanted}}).to_list(None)
        return {str(document["_id"]): conversation_record(document) for document in documents}

    async def fetch_changed_since(self, ids: Iterable[str], since: datetime) -> list[str]:
        """Return the conversations in which a message was created or changed after a time, by ascending id."""
        wanted = [to_object_id(i) for i in ids]
        query = {"_id": {"$in": wanted}, "$or": [{name: {"$gt": since}} for name in ("activity_at", "changed_at")]}
        with translated():
            documents = await self._conversations.find(query, {"_id": 1}).to_list(None)
        return sorted(str(document["_id"]) for document in documents)

    async def fetch_direct_ids(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the ids of the direct conversations of these pairs that exist, by ``direct_key``."""
        query = {"direct_key": {"$in": list(keys)}}
        with translated():
            documents = await self._conversations.find(query, {"direct_key": 1}).to_list(None)
        return {document["direct_key"]: str(document["_id"]) for document in documents}

    async def fetch_members(self, ids: Iterable[str]) -> dict[str, dict[str, MembershipRecord]]:
        """Return every member of each conversation, by conversation and user, without their drafts, which are long."""
        wanted = [to_object_id(i) for i in ids]
        members: dict[str, dict[str, MembershipRecord]] = {}
        with translated():
            async with self._memberships.find(
                {"conversation_id": {"$in": wanted}}, {"draft": 0}, batch_size=_MEMBERS_AT_ONCE
            ) as cursor:
                while documents := await cursor.to_list(_MEMBERS_AT_ONCE):
                    for document in documents:
                        record = membership_record(document)
                        members.setdefault(record.conversation_id, {})[record.user_id] = record
        return members

    async def fetch_memberships(
        self,
        user_id: str,
        ids: Iterable[str],
    ) -> dict[str, MembershipRecord]:
        """Return the user's memberships in the given conversations, without those that are still hidden from them."""
        wanted = [to_object_id(i) for i in ids]
        query = {"user_id": to_object_id(user_id), "visible": True, "conversation_id": {"$in": wanted}}
        with translated():
            documents = await self._memberships.find(query).to_list(None)
        return {str(document["conversation_id"]): membership_record(document) for document in documents}

    async def fetch_memberships_from(
        self, user_id: str, conversation_id: str, *, limit: int
    ) -> dict[str, MembershipRecord]:
        """Return memberships that the user sees, from this conversation on, in ascending order of ids."""
        first = to_object_id(conversation_id)
        query = {"user_id": to_object_id(user_id), "conversation_id": {"$gte": first}, "visible": True}
        with translated():
            found = self._memberships.find(query, sort=[("conversation_id", 1)], limit=limit)
            documents = await found.to_list(None)
        return {str(document["conversation_id"]): membership_record(document) for document in documents}

    async def fetch_others_marks(
        self, user_id: str, *, direct: Collection[str], groups: Collection[str], apart: Collection[str]
    ) -> dict[str, tuple[int, int]]:
        """Return the lowest delivered and read marks of the other members, as the others see them, by conversation.

        In groups, users in ``apart``, whom a block separates from this one, do not count. Every member is read, so use
        this for small conversations only. Concurrent callers share the query, except users with blocks.
        """
        lowest = await self._lowest_marks.fetch([*direct, *groups] if not apart else direct)
        if apart and groups:
            lowest |= await self._lowest_marks.fetch_without(groups, apart)
        found: dict[str, tuple[int, int]] = {}
        for conversation_id, (delivered, read) in lowest.items():
            delivered_seq, read_seq = delivered.of_others(user_id), read.of_others(user_id)
            if delivered_seq is not None and read_seq is not None:
                found[conversation_id] = delivered_seq, read_seq
        return found

    def forget_marks(self, conversation_id: str) -> None:
        """Note that marks or members of a conversation have changed."""
        self._lowest_marks.forget(conversation_id)

    async def fetch_withheld(self, user_id: str) -> list[str]:
        """Return the conversations in which marks of this user are withheld from the others."""
        query = {"user_id": to_object_id(user_id), "frozen_marks": {"$ne": None}}
        with translated():
            documents = await self._memberships.find(query, {"conversation_id": 1}).to_list(None)
        return [str(document["conversation_id"]) for document in documents]

    async def fetch_visible_directs(self, user_id: str, other_ids: Iterable[str]) -> set[str]:
        """Return those of the others with whom the user has a direct conversation that the user sees."""
        keys = {direct_key(user_id, other_id): other_id for other_id in other_ids}
        ids = await self.fetch_direct_ids(keys)
        visible = await self.fetch_memberships(user_id, ids.values()) if ids else {}
        return {keys[key] for key, conversation_id in ids.items() if conversation_id in visible}

    async def count_of(self, user_ids: Iterable[str]) -> Counter[str]:
        """Return the number of conversations of each user."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"user_id": {"$in": [to_object_id(i) for i in user_ids]}}},
            {"$group": {"_id": "$user_id", "count": {"$sum": 1}}},
        ]
        with translated():
            cursor = await self._memberships.aggregate(pipeline)
            return Counter({str(row["_id"]): row["count"] async for row in cursor})

    async def count_unseen(self, user_ids: Iterable[str]) -> list[tuple[str, str, int]]:
        """Return how many unseen conversations wait for each user from each stranger.

        A conversation was seen when the user has read something in it, as far as others may see that.
        """
        pipeline: list[dict[str, Any]] = [
            {
                "$match": {
                    "user_id": {"$in": [to_object_id(i) for i in user_ids]},
                    "added_by": {"$type": "objectId"},
                    "$expr": {"$lte": [{"$ifNull": ["$frozen_marks.read_seq", "$read_seq"]}, "$joined_seq"]},
                }
            },
            {"$group": {"_id": {"user": "$user_id", "by": "$added_by"}, "count": {"$sum": 1}}},
        ]
        with translated():
            cursor = await self._memberships.aggregate(pipeline)
            return [(str(row["_id"]["user"]), str(row["_id"]["by"]), row["count"]) async for row in cursor]

    async def fetch_openers_of_direct(self, user_id: str, other_ids: Iterable[str]) -> set[str]:
        """Return those of the others who have opened their direct conversation with the user."""
        keys = [direct_key(user_id, other_id) for other_id in other_ids]
        if not keys:
            return set()
        with translated():
            found = await self._conversations.find({"direct_key": {"$in": keys}}, {"created_by": 1}).to_list(None)
        return {str(document["created_by"]) for document in found} - {user_id}
