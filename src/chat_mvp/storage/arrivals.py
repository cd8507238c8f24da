"""The account data that a connect needs, read for many users with one query, as plain documents.

The same data is written through Beanie (``auth_sessions``, ``users``, ``contacts``). Beanie's models cost more than the
query when thousands of connections begin at once.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import cast

from msgspec import Struct

from chat_mvp.clock import Now
from chat_mvp.protocol import ChosenPresence
from chat_mvp.storage.client import Collections
from chat_mvp.storage.contacts import BlockPair
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import known_object_id, to_object_id
from chat_mvp.storage.sharing import SharedReads
from chat_mvp.times import utc_now

AT_ONCE = 64
PEOPLE_AT_ONCE = 1_000
MAX_SHARED = 4_000
"""Contacts in one shared query. When there are more, each list is read alone."""


class PresenceRecord(Struct, frozen=True):
    """The presence that a user chose, their status text, and when they were last connected."""

    presence: ChosenPresence
    status_text: str
    last_seen: datetime | None


class Arrivals:
    """Reads for new connections. Concurrent calls share queries."""

    def __init__(self, collections: Collections, clock: Now = utc_now) -> None:
        """Read from the collections of accounts. ``clock`` decides which sessions have expired."""
        self._clock = clock
        self._sessions = collections["auth_sessions"]
        self._users = collections["users"]
        self._contacts = collections["contacts"]
        self._owners: SharedReads[str, str] = SharedReads(self._read_owners, max_keys=AT_ONCE)
        self._presences: SharedReads[str, PresenceRecord] = SharedReads(self._read_presences, max_keys=PEOPLE_AT_ONCE)
        self._blocks: SharedReads[str, set[BlockPair]] = SharedReads(self._read_blocks, max_keys=AT_ONCE)
        self._shared_lists: SharedReads[str, list[str]] = SharedReads(self._read_lists, max_keys=AT_ONCE)

    async def fetch_session_owner(self, session_id: str) -> str | None:
        """Return the id of the user who owns this session, or ``None`` if it has ended."""
        return await self._owners.fetch_one(session_id)

    async def fetch_presences(self, user_ids: Collection[str]) -> dict[str, PresenceRecord]:
        """Return the stored presence of these users, by id. Unknown users are left out."""
        return await self._presences.fetch(user_ids) if user_ids else {}

    async def fetch_contact_ids(self, owner_id: str, *, limit: int) -> list[str]:
        """Return the ids in a user's contact list, at most ``limit``."""
        found = await self._shared_lists.fetch_one(owner_id)
        if found is None:
            query = {"owner_id": known_object_id(owner_id), "listed": True}
            with translated():
                documents = await self._contacts.find(query, {"other_id": 1}, limit=limit).to_list(None)
            found = [str(document["other_id"]) for document in documents]
        return found[:limit]

    async def fetch_listed(self, owner_id: str, other_ids: Collection[str]) -> set[str]:
        """Return those of the others whom a user has in the contact list."""
        others = [to_object_id(other_id) for other_id in other_ids]
        query = {"owner_id": known_object_id(owner_id), "other_id": {"$in": others}, "listed": True}
        with translated():
            documents = await self._contacts.find(query, {"other_id": 1}).to_list(None)
        return {str(document["other_id"]) for document in documents}

    async def fetch_blocks(self, user_id: str) -> set[BlockPair]:
        """Return every block by this user or against this user."""
        return await self._blocks.fetch_one(user_id) or set()

    async def _read_owners(self, session_ids: Sequence[str]) -> Mapping[str, str]:
        query = {"_id": {"$in": [known_object_id(i) for i in session_ids]}, "expires_at": {"$gt": self._clock()}}
        with translated():
            documents = await self._sessions.find(query, {"user_id": 1}).to_list(None)
        return {str(document["_id"]): str(document["user_id"]) for document in documents}

    async def _read_blocks(self, user_ids: Sequence[str]) -> Mapping[str, set[BlockPair]]:
        people = {"$in": [known_object_id(i) for i in user_ids]}
        query = {"blocked": True, "$or": [{"owner_id": people}, {"other_id": people}]}
        found: dict[str, set[BlockPair]] = {user_id: set() for user_id in user_ids}
        with translated():
            documents = await self._contacts.find(query, {"_id": 0, "owner_id": 1, "other_id": 1}).to_list(None)
        for document in documents:
            pair = (str(document["owner_id"]), str(document["other_id"]))
            for user_id in pair:
                if user_id in found:
                    found[user_id].add(pair)
        return found

    async def _read_presences(self, user_ids: Sequence[str]) -> Mapping[str, PresenceRecord]:
        query = {"_id": {"$in": [known_object_id(i) for i in user_ids]}}
        fields = dict.fromkeys(("presence", "status_text", "last_seen"), 1)
        with translated():
            documents = await self._users.find(query, fields).to_list(None)
        return {
            str(document["_id"]): PresenceRecord(
                cast("ChosenPresence", document["presence"]), document["status_text"], document["last_seen"]
            )
            for document in documents
        }

    async def _read_lists(self, owner_ids: Sequence[str]) -> Mapping[str, list[str]]:
        """Return the contact lists by owner. Return nothing when they are too long to be read at once."""
        query = {"owner_id": {"$in": [known_object_id(i) for i in owner_ids]}, "listed": True}
        fields = {"_id": 0, "owner_id": 1, "other_id": 1}
        with translated():
            documents = await self._contacts.find(query, fields, limit=MAX_SHARED + 1).to_list(None)
        if len(documents) > MAX_SHARED:
            return {}
        found: dict[str, list[str]] = {owner_id: [] for owner_id in owner_ids}
        for document in documents:
            found[str(document["owner_id"])].append(str(document["other_id"]))
        return found
