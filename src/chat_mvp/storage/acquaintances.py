"""Finds the users who share a conversation with a user or have the user in their contact list."""

from collections.abc import Collection, Iterator, Sequence

from bson import ObjectId

from chat_mvp.limits import MAX_MEMBERS, MAX_PROFILE_MEMBERSHIPS
from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import to_object_id

PEOPLE_AT_ONCE = 1_000
"""A query names at most this many users. For more users, the query names none, and the result is filtered here."""
MEMBERSHIPS_AT_ONCE = MAX_MEMBERS
_MEMBERS = {"conversation_id": 1, "user_id": 1}


class Acquaintances:
    """Finds acquaintances among given users, for instance those who are connected. The work is bounded."""

    def __init__(self, collections: Collections, *, max_memberships: int = MAX_PROFILE_MEMBERSHIPS) -> None:
        """For each user, read at most ``max_memberships``, and as many entries of contact lists."""
        self._conversations = collections["conversations"]
        self._memberships = collections["memberships"]
        self._contacts = collections["contacts"]
        self._max_memberships = max_memberships

    async def fetch(self, user_id: str, among: Collection[str]) -> set[str]:
        """Return the users in ``among`` who share a conversation with this user or have them in the contact list.

        If there are more conversations than ``max_memberships`` allows, only the most recently active ones count.
        """
        person, remaining = to_object_id(user_id), set(among)
        with translated():
            await self._remove_owners(person, remaining)
            for conversations in _group_conversations(await self._fetch_conversations(person), self._max_memberships):
                if not remaining:
                    break
                await self._remove_members(conversations, remaining)
        return set(among) - remaining

    async def _remove_owners(self, person: ObjectId, remaining: set[str]) -> None:
        query = {"other_id": person, "listed": True} | _filter_by_users("owner_id", remaining)
        found = self._contacts.find(
            query, {"_id": 0, "owner_id": 1}, limit=self._max_memberships, batch_size=MEMBERSHIPS_AT_ONCE
        )
        async with found:
            while documents := await found.to_list(MEMBERSHIPS_AT_ONCE):
                remaining.difference_update(str(document["owner_id"]) for document in documents)

    async def _fetch_conversations(self, person: ObjectId) -> list[RawDocument]:
        memberships = self._memberships.find({"user_id": person}, {"_id": 0, "conversation_id": 1})
        ids = [document["conversation_id"] for document in await memberships.to_list(None)]
        return await self._conversations.find(
            {"_id": {"$in": ids}}, {"member_count": 1}, sort=[("activity_at", -1)]
        ).to_list(None)

    async def _remove_members(self, conversations: Sequence[ObjectId], remaining: set[str]) -> None:
        query = {"conversation_id": {"$in": conversations}, "visible": True} | _filter_by_users("user_id", remaining)
        found = await self._memberships.aggregate([{"$match": query}, {"$group": {"_id": "$user_id"}}], hint=_MEMBERS)
        remaining.difference_update(str(document["_id"]) for document in await found.to_list(None))


def _filter_by_users(field: str, user_ids: Collection[str]) -> RawDocument:
    if len(user_ids) > PEOPLE_AT_ONCE:
        return {}
    return {field: {"$in": [to_object_id(user_id) for user_id in user_ids]}}


def _group_conversations(conversations: Sequence[RawDocument], max_members: int) -> Iterator[list[ObjectId]]:
    """Yield groups of conversations for one query each, in order, until they have ``max_members`` members in total."""
    group: list[ObjectId] = []
    size = total = 0
    for conversation in conversations:
        count = max(1, conversation["member_count"])
        total += count
        if total > max_members:
            break
        if group and size + count > MEMBERSHIPS_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(conversation["_id"])
        size += count
    if group:
        yield group
