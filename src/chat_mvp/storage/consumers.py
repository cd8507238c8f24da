"""The ``consumers`` and ``set_aside_events`` collections, as plain documents: how far each consumer of events has come.

One process at a time feeds a consumer: the one that holds its lease. The database's clock counts, not that of the
processes. Whatever is written about a consumer names the owner, so a process that lost the lease changes nothing.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct
from pymongo import ReturnDocument, WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from chat_mvp.storage.beside import open_beside
from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.event_stream import Cursor
from chat_mvp.storage.ids import to_object_id

ConsumerState = Literal["new", "running", "lost"]
"""``new``: never rebuilt; ``lost``: must rebuild, because events are gone; ``running``: goes on from its cursor."""


class ConsumerRecord(Struct, kw_only=True):
    """What is stored about a consumer."""

    name: str
    types: list[str]
    state: ConsumerState
    cursor: Cursor | None
    at: datetime | None
    """Everything that was stored up to then is handled."""
    owner: str | None
    """The process that has the lease, or had it last."""
    is_owned: bool
    """Whether the lease holds now."""
    handled: int
    failed: int
    error: str | None
    """What the last attempt failed of; ``None`` once one succeeded."""
    failing_since: datetime | None


class Progress(Struct, kw_only=True):
    """What an owner has to note: the position after all that was handled, and the events since it was noted last.

    Everything that was stored up to ``at`` is handled.
    """

    cursor: Cursor
    at: datetime | None
    handled: int


class SetAsideEvent(Struct, kw_only=True):
    """An event that a consumer could not handle."""

    id: str
    consumer: str
    event: str
    """The event as text."""
    error: str
    at: datetime
    """When it was set aside."""
    retry: bool


class Consumers:
    """Claiming consumers, and noting how far they are."""

    def __init__(self, collections: Collections) -> None:
        """Use the collections of this database."""
        self._collections = collections
        self._consumers = collections["consumers"]
        self._set_aside = collections["set_aside_events"]

    async def register(self, name: str, types: Collection[str]) -> None:
        """Make the document of a consumer unless it is there, and note which types of events it wants."""
        new: RawDocument = {
            "state": "new",
            "cursor": None,
            "at": None,
            "owner": None,
            "handled": 0,
            "failed": 0,
            "set_aside": 0,
            "error": None,
            "failing_since": None,
            # Free at once, whatever the clocks of this process and of the database say.
            "leased_until": datetime.fromtimestamp(0, tz=UTC),
        }
        try:
            with translated():
                await self._consumers.update_one(
                    {"_id": name}, {"$set": {"types": sorted(types)}, "$setOnInsert": new}, upsert=True
                )
        except DuplicateKeyError:
            # Another process made it in the same moment.
            return

    async def claim(self, name: str, owner: str, *, lease_ms: int) -> ConsumerRecord | None:
        """Return the consumer, owned by ``owner`` for ``lease_ms``; ``None`` while another process owns it."""
        query = {"_id": name, "$expr": {"$or": [{"$lte": ["$leased_until", "$$NOW"]}, {"$eq": ["$owner", owner]}]}}
        with translated():
            document = await self._consumers.find_one_and_update(
                query,
                [{"$set": {"owner": owner, "leased_until": _from_now(lease_ms)}}],
                return_document=ReturnDocument.AFTER,
            )
        return None if document is None else _record(document, is_owned=True)

    async def renew(self, name: str, owner: str, *, lease_ms: int) -> bool:
        """Own a consumer for another ``lease_ms``; false when another process has claimed it meanwhile."""
        return await self._update(name, owner, {"leased_until": _from_now(lease_ms)})

    async def release(self, name: str, owner: str) -> bool:
        """Let another process claim it at once."""
        return await self._update(name, owner, {"leased_until": "$$NOW"})

    async def advance(self, name: str, owner: str, progress: Progress) -> bool:
        """Note progress, and that nothing fails now; false when another process has claimed it meanwhile."""
        changes: RawDocument = {
            "cursor": {"$literal": progress.cursor},
            "handled": {"$add": ["$handled", progress.handled]},
            "error": None,
            "failing_since": None,
        }
        if progress.at is not None:
            changes["at"] = progress.at
        return await self._update(name, owner, changes)

    async def begin_rebuild(self, name: str, owner: str, state: ConsumerState) -> bool:
        """Note that the consumer must rebuild. Once this returns, a rebuild sees all that was committed before."""
        return await self._update(name, owner, {"state": state, "cursor": None})

    async def finish_rebuild(self, name: str, owner: str, cursor: Cursor, at: datetime) -> bool:
        """Note that it is rebuilt, and goes on from a cursor that was taken before the rebuild, at ``at``."""
        changes = {"state": "running", "cursor": {"$literal": cursor}, "at": at, "error": None, "failing_since": None}
        return await self._update(name, owner, changes)

    async def note_failure(self, name: str, owner: str, error: str) -> bool:
        """Note that an attempt failed."""
        changes = {
            "failed": {"$add": ["$failed", 1]},
            "error": {"$literal": error},
            "failing_since": {"$ifNull": ["$failing_since", "$$NOW"]},
        }
        return await self._update(name, owner, changes)

    async def fetch(self) -> list[ConsumerRecord]:
        """Return all consumers by name."""
        pipeline: list[RawDocument] = [
            {"$sort": {"_id": 1}},
            {"$set": {"is_owned": {"$gt": ["$leased_until", "$$NOW"]}}},
        ]
        with translated():
            documents = await (await self._consumers.aggregate(pipeline)).to_list(None)
        return [_record(document, is_owned=document["is_owned"]) for document in documents]

    async def forget(self, name: str) -> bool:
        """Remove what is stored of a consumer that no process owns now; false when there is no such one."""
        with translated():
            result = await self._consumers.delete_one({"_id": name, "$expr": {"$lte": ["$leased_until", "$$NOW"]}})
            if result.deleted_count:
                await self._set_aside.delete_many({"consumer": name})
        return result.deleted_count == 1

    async def fetch_oldest_unhandled(self, consumer: ConsumerRecord) -> datetime | None:
        """Return when the oldest event was stored that the consumer wants and has not handled; ``None`` without one."""
        query: RawDocument = {"types": {"$in": consumer.types}}
        if consumer.at is not None:
            query["at"] = {"$gt": consumer.at}
        with translated():
            document = await self._collections["events"].find_one(query, {"at": 1}, sort=[("at", 1)])
        at: datetime | None = None if document is None else document["at"]
        return at

    async def set_aside(self, name: str, owner: str, source: str, position: int, *, event: str, error: str) -> bool:
        """Keep an event that could not be handled: number ``position`` of the document ``source`` of ``events``.

        Return false, and keep nothing, when another process has claimed the consumer meanwhile.
        """
        key = {"consumer": name, "source": source, "position": position}
        changes = {"event": {"$literal": event}, "error": {"$literal": error}, "at": "$$NOW", "retry": False}

        async def write(session: AsyncClientSession) -> bool:
            # It must change the document: a claim at the same time then conflicts with it, and one of the two waits.
            owned = await self._consumers.update_one(
                {"_id": name, "owner": owner}, {"$inc": {"set_aside": 1}}, session=session
            )
            if owned.matched_count == 1:
                await self._set_aside.update_one(key, [{"$set": changes}], upsert=True, session=session)
            return owned.matched_count == 1

        with translated():
            async with self._collections.client.start_session() as session:
                return await session.with_transaction(
                    write, read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority", j=True)
                )

    async def fetch_set_aside(
        self, *, name: str | None = None, retry: bool | None = None, limit: int
    ) -> list[SetAsideEvent]:
        """Return events that were set aside, in the order in which they were."""
        query = {key: value for key, value in (("consumer", name), ("retry", retry)) if value is not None}
        with translated():
            documents = await self._set_aside.find(query, sort=[("_id", 1)], limit=limit).to_list(None)
        fields = ("consumer", "event", "error", "at", "retry")
        return [SetAsideEvent(id=str(it["_id"]), **{field: it[field] for field in fields}) for it in documents]

    async def count_set_aside(self) -> dict[str, int]:
        """Return how many events are set aside, by consumer."""
        with translated():
            counts = await self._set_aside.aggregate([{"$group": {"_id": "$consumer", "count": {"$sum": 1}}}])
            return {row["_id"]: row["count"] async for row in counts}

    async def retry_set_aside(self, event_id: str) -> bool:
        """Ask for another attempt at an event; false when there is no such one."""
        with translated():
            result = await self._set_aside.update_one({"_id": to_object_id(event_id)}, {"$set": {"retry": True}})
        return result.matched_count == 1

    async def put_back(self, event_id: str, error: str) -> None:
        """Note that another attempt at an event failed."""
        changes = {"error": {"$literal": error}, "at": "$$NOW", "retry": False}
        with translated():
            await self._set_aside.update_one({"_id": to_object_id(event_id)}, [{"$set": changes}])

    async def remove_set_aside(self, event_id: str) -> bool:
        """Forget an event; false when there is no such one."""
        with translated():
            result = await self._set_aside.delete_one({"_id": to_object_id(event_id)})
        return result.deleted_count == 1

    async def _update(self, name: str, owner: str, changes: dict[str, Any]) -> bool:
        with translated():
            result = await self._consumers.update_one({"_id": name, "owner": owner}, [{"$set": changes}])
        return result.matched_count == 1


@asynccontextmanager
async def open_consumers(uri: str, name: str) -> AsyncIterator[Consumers]:
    """Open the consumers of a database beside a server that may be running. ``StartupError`` as ``open_beside``."""
    async with open_beside(uri, name) as collections:
        yield Consumers(collections)


def _from_now(milliseconds: int) -> RawDocument:
    return {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": milliseconds}}


def _record(document: RawDocument, *, is_owned: bool) -> ConsumerRecord:
    fields = ("types", "state", "cursor", "at", "owner", "handled", "failed", "error", "failing_since")
    return ConsumerRecord(name=document["_id"], is_owned=is_owned, **{field: document[field] for field in fields})
