"""Finds those who share a conversation with a user or have the user in their contact list."""

from collections.abc import Collection, Iterator, Sequence

from bson import ObjectId

from chat_mvp.limits import MAX_MEMBERS, MAX_PROFILE_MEMBERSHIPS
from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import to_object_id

PEOPLE_AT_ONCE = 1_000
MEMBERSHIPS_AT_ONCE = MAX_MEMBERS
_BY_CONVERSATION = [("conversation_id", 1), ("user_id", 1)]


class Acquaintances:
    """Finds them among given users, for instance those who are connected, with bounded work."""

    def __init__(self, collections: Collections, *, max_memberships: int = MAX_PROFILE_MEMBERSHIPS) -> None:
        """Read at most ``max_memberships`` for one person."""
        self._conversations = collections["conversations"]
        self._memberships = collections["memberships"]
        self._contacts = collections["contacts"]
        self._max_memberships = max_memberships

    async def fetch(self, user_id: str, among: Collection[str]) -> set[str]:
        """Return who of ``among`` shares a conversation with this person, or has them in the contact list.

        Of more conversations than ``max_memberships`` allows, the most recently active ones count.
        """
        person, remaining = to_object_id(user_id), {to_object_id(other_id) for other_id in among}
        found: set[ObjectId] = set()
        with translated():
            for some in _pieces(list(remaining)):
                found |= await self._fetch_owners(person, some)
            remaining -= found
            for conversations in _joined(await self._fetch_conversations(person), self._max_memberships):
                if not remaining:
                    break
                members = await self._fetch_members(conversations, remaining)
                found |= members & remaining
                remaining -= members
        return {str(other) for other in found}

    async def _fetch_owners(self, person: ObjectId, among: Sequence[ObjectId]) -> set[ObjectId]:
        query = {"owner_id": {"$in": among}, "other_id": person, "listed": True}
        documents = await self._contacts.find(query, {"_id": 0, "owner_id": 1}).to_list(None)
        return {document["owner_id"] for document in documents}

    async def _fetch_conversations(self, person: ObjectId) -> list[RawDocument]:
        memberships = self._memberships.find({"user_id": person}, {"_id": 0, "conversation_id": 1})
        ids = [document["conversation_id"] for document in await memberships.to_list(None)]
        return await self._conversations.find(
            {"_id": {"$in": ids}}, {"member_count": 1}, sort=[("activity_at", -1)]
        ).to_list(None)

    async def _fetch_members(self, conversations: Sequence[ObjectId], among: Collection[ObjectId]) -> set[ObjectId]:
        query: RawDocument = {"conversation_id": {"$in": conversations}, "visible": True}
        if len(among) <= PEOPLE_AT_ONCE:
            query["user_id"] = {"$in": list(among)}
        cursor = await self._memberships.aggregate(
            [{"$match": query}, {"$group": {"_id": "$user_id"}}], hint=dict(_BY_CONVERSATION)
        )
        return {document["_id"] async for document in cursor}


def _joined(conversations: Sequence[RawDocument], most: int) -> Iterator[list[ObjectId]]:
    """Return conversations for one query each, in order, until they have ``most`` members in all."""
    joined: list[ObjectId] = []
    size = total = 0
    for conversation in conversations:
        count = max(1, conversation["member_count"])
        total += count
        if total > most:
            break
        if joined and size + count > MEMBERSHIPS_AT_ONCE:
            yield joined
            joined, size = [], 0
        joined.append(conversation["_id"])
        size += count
    if joined:
        yield joined


def _pieces(people: Sequence[ObjectId]) -> Iterator[Sequence[ObjectId]]:
    return (people[start : start + PEOPLE_AT_ONCE] for start in range(0, len(people), PEOPLE_AT_ONCE))
