"""The ``active_connections`` collection, as plain documents: one for each open WebSocket.

The heartbeat refreshes each document. It disappears five minutes after the last refresh.
"""

from collections.abc import Sequence
from datetime import datetime

from bson import ObjectId
from msgspec import Struct

from chat_mvp.storage.client import Collections
from chat_mvp.storage.errors import translated

_CHUNK = 1_000


class ConnectionRecord(Struct, frozen=True):
    """An open WebSocket of this process."""

    id: str
    user_id: str
    device_id: str | None


class Connections:
    """Writes the connections of one process, many in each call."""

    def __init__(self, collections: Collections, process: str) -> None:
        """Write in the name of this process."""
        self._connections = collections["active_connections"]
        self._process = process

    async def insert(self, records: Sequence[ConnectionRecord], now: datetime) -> None:
        """Store connections that began."""
        documents = [
            {
                "_id": ObjectId(record.id),
                "user_id": ObjectId(record.user_id),
                "device_id": record.device_id,
                "process": self._process,
                "connected_at": now,
                "heartbeat": now,
            }
            for record in records
        ]
        with translated():
            await self._connections.insert_many(documents, ordered=False)

    async def refresh(self, ids: Sequence[str], now: datetime) -> None:
        """Note that these connections are still open."""
        with translated():
            for start in range(0, len(ids), _CHUNK):
                chunk = [ObjectId(i) for i in ids[start : start + _CHUNK]]
                await self._connections.update_many({"_id": {"$in": chunk}}, {"$set": {"heartbeat": now}})

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove connections that ended."""
        with translated():
            await self._connections.delete_many({"_id": {"$in": [ObjectId(i) for i in ids]}})
