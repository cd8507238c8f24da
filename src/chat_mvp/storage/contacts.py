"""The ``contacts`` collection, through its Beanie document: contact lists and blocks.

There is one document for each pair, as long as the other user is listed or blocked.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType
from pymongo import ReturnDocument

from chat_mvp.storage.documents import ContactDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import to_object_id
from chat_mvp.storage.recorded import RecordedTransaction
from chat_mvp.storage.records import ContactRecord

BlockPair = tuple[str, str]
"""The user who has blocked, and the user who is blocked."""


class Contacts:
    """Reads and writes contact lists and block lists. Writes return whether they changed anything.

    Other users are notified of blocks, so these are written in a transaction that records them.
    """

    async def fetch_page(self, owner_id: str, *, blocked: bool, after: str | None, limit: int) -> list[ContactRecord]:
        """Return a page of the contact list, or of the block list, by ascending id of the other user."""
        query: dict[str, Any] = {"owner_id": to_object_id(owner_id), "blocked" if blocked else "listed": True}
        if after is not None:
            query["other_id"] = {"$gt": to_object_id(after)}
        with translated():
            documents = await ContactDocument.find(query).sort("other_id").limit(limit).to_list()
        return [_record(document) for document in documents]

    async def fetch_contact_ids(self, owner_id: str) -> set[str]:
        """Return the ids of everyone in this user's contact list."""
        with translated():
            documents = await ContactDocument.find({"owner_id": to_object_id(owner_id), "listed": True}).to_list()
        return {str(document.other_id) for document in documents}

    async def fetch_owners(self, owner_ids: Iterable[str], other_id: str) -> set[str]:
        """Return those of the owners who have this user in their contact list."""
        owners = [to_object_id(owner_id) for owner_id in owner_ids]
        query = {"owner_id": {"$in": owners}, "other_id": to_object_id(other_id), "listed": True}
        with translated():
            found = await ContactDocument.get_motor_collection().find(query, {"owner_id": 1}).to_list(None)
        return {str(document["owner_id"]) for document in found}

    async def is_full(self, owner_id: str, other_id: str, *, blocked: bool, limit: int) -> bool:
        """Return whether the contact list, or the block list, has ``limit`` users and the other is not one of them."""
        flag = {"blocked" if blocked else "listed": True}
        with translated():
            collection = ContactDocument.get_motor_collection()
            count = await collection.count_documents({"owner_id": to_object_id(owner_id)} | flag, limit=limit)
            if count < limit:
                return False
            return not await collection.count_documents(_pair(owner_id, other_id) | flag, limit=1)

    async def fetch_blocked_pairs(self, user_id: str, other_ids: Iterable[str]) -> set[str]:
        """Return those of the others with whom this user has a block, in either direction."""
        user, others = to_object_id(user_id), [to_object_id(other_id) for other_id in other_ids]
        query = {
            "blocked": True,
            "$or": [{"owner_id": user, "other_id": {"$in": others}}, {"owner_id": {"$in": others}, "other_id": user}],
        }
        return await self._fetch_other_sides(user_id, query)

    async def put(
        self, owner_id: str, other_id: str, *, nickname: str | UnsetType | None, at: datetime
    ) -> tuple[ContactRecord, bool]:
        """Add a user to the contact list, or change their nickname. An ``UNSET`` nickname stays as it is.

        Returns the entry, and whether it is new.
        """
        pair = _pair(owner_id, other_id)
        naming: dict[str, Any] = {} if nickname is UNSET else {"nickname": nickname}
        defaults = {"blocked": False, "blocked_at": None} | ({} if naming else {"nickname": None})
        with translated():
            collection = ContactDocument.get_motor_collection()
            known = await collection.find_one_and_update(
                pair | {"listed": True}, {"$set": {"listed": True} | naming}, return_document=ReturnDocument.AFTER
            )
            if known is not None:
                return _record(ContactDocument.model_validate(known)), False
            fresh = await collection.find_one_and_update(
                pair,
                {"$set": {"listed": True, "created_at": at} | naming, "$setOnInsert": defaults},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        return _record(ContactDocument.model_validate(fresh)), True

    async def remove(self, owner_id: str, other_id: str) -> bool:
        """Remove a user from the contact list, and their nickname."""
        collection = ContactDocument.get_motor_collection()
        changes = {"listed": False, "nickname": None}
        with translated():
            return await _withdraw(collection, _pair(owner_id, other_id) | {"listed": True}, "blocked", changes)

    async def block(self, transaction: RecordedTransaction, owner_id: str, other_id: str, *, at: datetime) -> bool:
        """Add a user to the block list."""
        contacts, session = transaction.collections["contacts"], transaction.session
        pair = _pair(owner_id, other_id)
        if await contacts.find_one(pair | {"blocked": True}, {"_id": 1}, session=session) is not None:
            return False
        changes = {"blocked": True, "blocked_at": at}
        defaults = {"listed": False, "nickname": None, "created_at": at}
        await contacts.update_one(pair, {"$set": changes, "$setOnInsert": defaults}, upsert=True, session=session)
        return True

    async def unblock(self, transaction: RecordedTransaction, owner_id: str, other_id: str) -> bool:
        """Remove a user from the block list."""
        contacts, session = transaction.collections["contacts"], transaction.session
        changes = {"blocked": False, "blocked_at": None}
        return await _withdraw(contacts, _pair(owner_id, other_id) | {"blocked": True}, "listed", changes, session)

    async def _fetch_other_sides(self, user_id: str, query: dict[str, Any]) -> set[str]:
        with translated():
            documents = await ContactDocument.find(query).to_list()
        sides = {str(document.owner_id) for document in documents} | {str(document.other_id) for document in documents}
        return sides - {user_id}


async def _withdraw(
    collection: Any, query: dict[str, Any], other_flag: str, changes: dict[str, Any], session: Any = None
) -> bool:
    """Delete an entry, or only change it if ``other_flag`` still holds. Return false when there is no such entry."""
    deleted = await collection.delete_one(query | {other_flag: False}, session=session)
    if deleted.deleted_count:
        return True
    updated = await collection.update_one(query, {"$set": changes}, session=session)
    return bool(updated.modified_count)


def _pair(owner_id: str, other_id: str) -> dict[str, Any]:
    return {"owner_id": to_object_id(owner_id), "other_id": to_object_id(other_id)}


def _record(document: ContactDocument) -> ContactRecord:
    return ContactRecord(
        owner_id=str(document.owner_id),
        other_id=str(document.other_id),
        listed=document.listed,
        nickname=document.nickname,
        blocked=document.blocked,
        blocked_at=document.blocked_at,
        created_at=document.created_at,
    )
