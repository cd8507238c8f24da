"""The ``auth_sessions`` collection, through its Beanie document: one for each signed-in device."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from beanie import PydanticObjectId, UpdateResponse

from chat_mvp.clock import Now
from chat_mvp.storage.documents import AuthSessionDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import to_object_id
from chat_mvp.storage.recorded import RecordedTransaction
from chat_mvp.storage.records import AuthSessionRecord
from chat_mvp.times import utc_now


class AuthSessions:
    """Reading and writing sessions. One that has expired is as good as gone, whether the TTL took it yet or not."""

    def __init__(self, clock: Now = utc_now) -> None:
        """Tell by ``clock`` what has expired."""
        self._clock = clock

    async def insert(self, record: AuthSessionRecord) -> None:
        """Store a new session."""
        fields = {
            name: getattr(record, name) for name in AuthSessionRecord.__struct_fields__ if name not in {"id", "user_id"}
        }
        document = AuthSessionDocument(id=_object_id(record.id), user_id=_object_id(record.user_id), **fields)
        with translated():
            await document.insert()

    async def fetch_owner(self, session_id: str) -> str | None:
        """Return the id of the person whose session this is; ``None`` once it has ended."""
        query = {"_id": to_object_id(session_id), "expires_at": {"$gt": self._clock()}}
        with translated():
            document = await AuthSessionDocument.find_one(query)
        return None if document is None else str(document.user_id)

    async def rotate(
        self, token_hash: str, *, successor_hash: str, at: datetime, expires_at: datetime
    ) -> AuthSessionRecord | None:
        """Exchange the token that is good now for its successor and return the session after that.

        Of several attempts with one token exactly one succeeds; the others, and attempts with any other token, get
        ``None`` and change nothing.
        """
        changes = {
            "token_hash": successor_hash,
            "spent_hash": token_hash,
            "spent_at": at,
            "last_used_at": at,
            "expires_at": expires_at,
        }
        with translated():
            document = await AuthSessionDocument.find_one({"token_hash": token_hash, "expires_at": {"$gt": at}}).update(
                {"$set": changes}, response_type=UpdateResponse.NEW_DOCUMENT
            )
        return _record(document) if isinstance(document, AuthSessionDocument) else None

    async def fetch_by_spent(self, token_hash: str) -> AuthSessionRecord | None:
        """Return the session whose latest spent token this is."""
        with translated():
            document = await AuthSessionDocument.find_one(
                {"spent_hash": token_hash, "expires_at": {"$gt": self._clock()}}
            )
        return None if document is None else _record(document)

    async def fetch_ids(self, user_id: str) -> list[str]:
        """Return the ids of all sessions of a person."""
        with translated():
            documents = await AuthSessionDocument.find({"user_id": to_object_id(user_id)}).to_list()
        return [str(document.id) for document in documents]

    async def fetch_ids_beyond(self, user_id: str, newest: int) -> list[str]:
        """Return the ids of a person's sessions without the ``newest`` that were used last."""
        query = AuthSessionDocument.find({"user_id": to_object_id(user_id)}).sort("-last_used_at", "-_id")
        with translated():
            documents = await query.skip(newest).to_list()
        return [str(document.id) for document in documents]

    async def delete(self, transaction: RecordedTransaction, session_ids: Iterable[str]) -> set[str]:
        """End sessions and return the ids of those that had not ended yet."""
        return await _delete(transaction, _among(session_ids))

    async def fetch_expired(self, *, limit: int) -> dict[str, str]:
        """Return sessions that have expired, with the ids of their owners, those that expired first."""
        query = AuthSessionDocument.find(self._expired()).sort("expires_at").limit(limit)
        with translated():
            documents = await query.to_list()
        return {str(document.id): str(document.user_id) for document in documents}

    async def delete_expired(self, transaction: RecordedTransaction, session_ids: Iterable[str]) -> set[str]:
        """End those of the sessions that have expired, and return their ids."""
        return await _delete(transaction, _among(session_ids) | self._expired())

    def _expired(self) -> dict[str, Any]:
        # By the database's clock as well: this one may be wrong, and what is ended does not come back.
        return {"expires_at": {"$lte": self._clock()}, "$expr": {"$lte": ["$expires_at", "$$NOW"]}}


async def _delete(transaction: RecordedTransaction, query: dict[str, Any]) -> set[str]:
    sessions, session = transaction.collections["auth_sessions"], transaction.session
    found = await sessions.find(query, {"_id": 1}, session=session).to_list(None)
    if found:
        await sessions.delete_many({"_id": {"$in": [document["_id"] for document in found]}}, session=session)
    return {str(document["_id"]) for document in found}


def _among(session_ids: Iterable[str]) -> dict[str, Any]:
    return {"_id": {"$in": [to_object_id(session_id) for session_id in session_ids]}}


def _object_id(value: str) -> PydanticObjectId:
    return PydanticObjectId(to_object_id(value))


def _record(document: AuthSessionDocument) -> AuthSessionRecord:
    fields = {
        name: getattr(document, name) for name in AuthSessionRecord.__struct_fields__ if name not in {"id", "user_id"}
    }
    return AuthSessionRecord(id=str(document.id), user_id=str(document.user_id), **fields)
