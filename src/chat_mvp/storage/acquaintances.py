"""Finds those who share a conversation with a user or have the user in their contact list."""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from typing import Any

from bson import ObjectId

from chat_mvp.limits import MAX_MEMBERS, MAX_PROFILE_MEMBERSHIPS
from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import to_object_id

PEOPLE_AT_ONCE = 1_000
"""Up to this many users are named in a query. Of more, it is looked up here who is among those found."""
MEMBERSHIPS_AT_ONCE = MAX_MEMBERS
DOCUMENTS_AT_ONCE = 2_000
"""Decoding more holds up everyone else for more than a few milliseconds."""
_MEMBERS = {"conversation_id": 1, "user_id": 1}


class Acquaintances:
    """Finds them among given users, for instance those who are connected, with bounded work."""

    def __init__(self, collections: Collections, *, max_memberships: int = MAX_PROFILE_MEMBERSHIPS) -> None:
        """For one user, read at most ``max_memberships``, and as many entries of contact lists."""
        self._conversations = collections["conversations"]
        self._memberships = collections["memberships"]
        self._contacts = collections["contacts"]
        self._max_memberships = max_memberships

    async def fetch(self, user_id: str, among: Collection[str]) -> set[str]:
        """Return who of ``among`` shares a conversation with this user, or has them in the contact list.

        Of more conversations than ``max_memberships`` allows, the most recently active ones count.
        """
        person, remaining = to_object_id(user_id), set(among)
        with translated():
            await self._remove_owners(person, remaining)
            for conversations in _joined(await self._fetch_conversations(person), self._max_memberships):
                if not remaining:
                    break
                await self._remove_members(conversations, remaining)
        return set(among) - remaining

    async def _remove_owners(self, person: ObjectId, remaining: set[str]) -> None:
        query = {"other_id": person, "listed": True} | _only("owner_id", remaining)
        found = self._contacts.find(
            query, {"_id": 0, "owner_id": 1}, limit=self._max_memberships, batch_size=DOCUMENTS_AT_ONCE
        )
        async for documents in _batches(found):
            remaining.difference_update(str(document["owner_id"]) for document in documents)

    async def _fetch_conversations(self, person: ObjectId) -> list[tuple[ObjectId, int]]:
        """Return the conversations of a user and how many members each has, the most recently active ones first."""
        memberships = self._memberships.find(
            {"user_id": person}, {"_id": 0, "conversation_id": 1}, batch_size=DOCUMENTS_AT_ONCE
        )
        ids = [document["conversation_id"] async for batch in _batches(memberships) for document in batch]
        found = self._conversations.find(
            {"_id": {"$in": ids}}, {"member_count": 1}, sort=[("activity_at", -1)], batch_size=DOCUMENTS_AT_ONCE
        )
        return [(document["_id"], document["member_count"]) async for batch in _batches(found) for document in batch]

    async def _remove_members(self, conversations: Sequence[ObjectId], remaining: set[str]) -> None:
        query = {"conversation_id": {"$in": conversations}, "visible": True} | _only("user_id", remaining)
        found = await self._memberships.aggregate(
            [{"$match": query}, {"$group": {"_id": "$user_id"}}], hint=_MEMBERS, batchSize=DOCUMENTS_AT_ONCE
        )
        async for documents in _batches(found):
            remaining.difference_update(str(document["_id"]) for document in documents)


async def _batches(cursor: Any) -> AsyncIterator[list[RawDocument]]:
    async with cursor:
        while documents := await cursor.to_list(DOCUMENTS_AT_ONCE):
            yield documents


def _only(field: str, people: Collection[str]) -> RawDocument:
    if len(people) > PEOPLE_AT_ONCE:
        return {}
    return {field: {"$in": [to_object_id(user_id) for user_id in people]}}


def _joined(conversations: Sequence[tuple[ObjectId, int]], most: int) -> Iterator[list[ObjectId]]:
    """Return conversations for one query each, in order, until they have ``most`` members in all."""
    joined: list[ObjectId] = []
    size = total = 0
    for conversation_id, member_count in conversations:
        count = max(1, member_count)
        total += count
        if total > most:
            break
        if joined and size + count > MEMBERSHIPS_AT_ONCE:
            yield joined
            joined, size = [], 0
        joined.append(conversation_id)
        size += count
    if joined:
        yield joined
