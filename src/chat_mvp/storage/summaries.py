"""Reads only the fields that a connect needs of each conversation of a user, because there may be thousands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from cachetools import LRUCache
from msgspec import Struct

from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.conversations import owed_range
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import known_object_id
from chat_mvp.storage.records import OwedRange, SummaryRecord
from chat_mvp.storage.sharing import SharedReads
from chat_mvp.times import format_time

MAX_SHARED = 4_000
"""Memberships in one shared query. When there are more, each user is read alone."""
MANY = 200
"""A user with more conversations than this is read alone from then on."""
PEOPLE_AT_ONCE = MAX_SHARED // MANY
"""So users who are not read alone always fit into one query."""
AT_ONCE = 1_000
"""Documents in one reply. Decoding them blocks the event loop for a few milliseconds."""
_MAX_REMEMBERED = 10_000

_MEMBERSHIP = {"_id": 0, "user_id": 1, "conversation_id": 1, "updated_at": 1} | dict.fromkeys(
    ("joined_seq", "delivered_seq", "read_seq"), 1
)
_CONVERSATION = dict.fromkeys(("rev", "last_seq", "activity_at", "updated_at", "member_count", "direct_key", "owed"), 1)


class _Conversation(Struct, frozen=True, kw_only=True):
    """What the summaries of all members have in common."""

    id: str
    rev: int
    last_seq: int
    activity_at: datetime
    updated_at: datetime
    updated_text: str
    member_count: int
    direct_key: str | None
    owed: OwedRange | None


class Summaries:
    """Reads the conversations of users. Concurrent callers share the queries."""

    def __init__(self, collections: Collections) -> None:
        """Read from ``conversations`` and ``memberships``."""
        self._conversations = collections["conversations"]
        self._memberships = collections["memberships"]
        self._shared: SharedReads[str, list[SummaryRecord]] = SharedReads(self._read_several, max_keys=PEOPLE_AT_ONCE)
        self._alone: SharedReads[str, list[SummaryRecord]] = SharedReads(self._read_alone, max_keys=1)
        self._with_many: LRUCache[str, bool] = LRUCache(_MAX_REMEMBERED)

    async def fetch(self, user_id: str) -> list[SummaryRecord]:
        """Return all conversations of the user, the most recently active first, in a list that the caller may keep.

        Each query is bounded. There are two more queries for each thousand conversations.
        """
        found = None if user_id in self._with_many else await self._shared.fetch_one(user_id)
        if found is None:
            found = await self._alone.fetch_one(user_id) or []
        if len(found) > MANY:
            self._with_many[user_id] = True
        return found

    async def _read_several(self, user_ids: Sequence[str]) -> Mapping[str, list[SummaryRecord]]:
        """Return the summaries by user. Return nothing when they are too many to be read at once."""
        query = {"user_id": {"$in": [known_object_id(i) for i in user_ids]}, "visible": True}
        with translated():
            memberships = await self._memberships.find(
                query, _MEMBERSHIP, limit=MAX_SHARED + 1, batch_size=AT_ONCE
            ).to_list(None)
        if len(memberships) > MAX_SHARED:
            return {}
        conversations = await self._fetch_conversations(memberships)
        found: dict[str, list[SummaryRecord]] = {user_id: [] for user_id in user_ids}
        for membership in memberships:
            conversation = conversations.get(membership["conversation_id"])
            if conversation is not None:
                found[str(membership["user_id"])].append(_record(membership, conversation))
        for summaries in found.values():
            _sort(summaries)
        return found

    async def _read_alone(self, user_ids: Sequence[str]) -> Mapping[str, list[SummaryRecord]]:
        (user_id,) = user_ids
        query = {"user_id": known_object_id(user_id), "visible": True}
        found: dict[str, SummaryRecord] = {}
        with translated():
            cursor = self._memberships.find(query, _MEMBERSHIP, batch_size=AT_ONCE)
            async with cursor:
                while memberships := await cursor.to_list(AT_ONCE):
                    conversations = await self._fetch_conversations(memberships)
                    for membership in memberships:
                        conversation = conversations.get(membership["conversation_id"])
                        if conversation is not None:
                            # A user who left and came back while the cursor moved has been found twice.
                            record = _record(membership, conversation)
                            found[record.id] = record
        summaries = list(found.values())
        _sort(summaries)
        return {user_id: summaries}

    async def _fetch_conversations(self, memberships: Iterable[RawDocument]) -> dict[ObjectId, _Conversation]:
        # Read memberships before conversations, so that the counters are at least as new as the marks.
        ids = list({membership["conversation_id"] for membership in memberships})
        found: dict[ObjectId, _Conversation] = {}
        with translated():
            for start in range(0, len(ids), AT_ONCE):
                some: Any = {"_id": {"$in": ids[start : start + AT_ONCE]}}
                documents = await self._conversations.find(some, _CONVERSATION, batch_size=AT_ONCE).to_list(None)
                found |= {document["_id"]: _conversation(document) for document in documents}
        return found


def _conversation(document: RawDocument) -> _Conversation:
    return _Conversation(
        id=str(document["_id"]),
        rev=document["rev"],
        last_seq=document["last_seq"],
        activity_at=document["activity_at"],
        updated_at=document["updated_at"],
        updated_text=format_time(document["updated_at"]),
        member_count=document["member_count"],
        direct_key=document["direct_key"],
        owed=owed_range(document),
    )


def _record(membership: RawDocument, conversation: _Conversation) -> SummaryRecord:
    own = membership["updated_at"]
    return SummaryRecord(
        id=conversation.id,
        rev=conversation.rev,
        last_seq=conversation.last_seq,
        activity_at=conversation.activity_at,
        # Usually the conversation changed last, and its members share the text.
        updated_at=conversation.updated_text if own <= conversation.updated_at else format_time(own),
        member_count=conversation.member_count,
        direct_key=conversation.direct_key,
        joined_seq=membership["joined_seq"],
        delivered_seq=membership["delivered_seq"],
        read_seq=membership["read_seq"],
        owed=conversation.owed,
    )


def _sort(summaries: list[SummaryRecord]) -> None:
    summaries.sort(key=lambda summary: (summary.activity_at, summary.id), reverse=True)
