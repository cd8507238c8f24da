"""Inspects a database without changing its structure, for ``chat-mvp doctor``."""

import time
from typing import Any, NamedTuple

from pymongo import AsyncMongoClient, IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError

from chat_mvp.storage.client import RawDocument, check_topology, startup_error
from chat_mvp.storage.meta import fetch_restore_phase
from chat_mvp.storage.schema import DOCUMENTS, TtlDays, index_models

_OPTIONS: dict[str, Any] = {
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 1_000,
    "socketTimeoutMS": 5_000,
    # Open no second connection for monitoring, because the client is closed a moment later.
    "serverMonitoringMode": "poll",
}
_FEW_IDS: RawDocument = {"input": "$_id", "n": 2}
_DUPLICATES_WITHIN_MS = 10 * 60 * 1000
"""Looking for duplicates in a large collection takes long."""


class Facts(NamedTuple):
    """What is known about a database that accepts writes."""

    version: str
    replica_set: str | None
    """``None`` behind a router of a sharded cluster."""
    clock_ahead_s: float
    """How far the database's clock is ahead of this machine's."""
    empty: bool
    missing_indexes: list[str]
    """For example ``messages(conversation_id, seq) unique``."""
    duplicates: list[str]
    """For example ``messages(conversation_id, seq)``: unique indexes that cannot be built, because values occur twice.
    """
    restore_phase: str | None
    """The phase of an unfinished restore."""


async def inspect(uri: str, name: str) -> Facts:
    """Inspect a database and write a small document. ``StartupError`` when it does not answer or accepts no writes."""
    try:
        client: AsyncMongoClient[RawDocument] = AsyncMongoClient(uri, tz_aware=True, w="majority", **_OPTIONS)
        patient: AsyncMongoClient[RawDocument] = AsyncMongoClient(uri, **_OPTIONS | {"socketTimeoutMS": None})
    except (InvalidURI, ConfigurationError) as error:
        raise startup_error(error) from error
    try:
        await check_topology(client)
        return await _facts(client, patient, name)
    except PyMongoError as error:
        raise startup_error(error) from error
    finally:
        await client.close()
        await patient.close()


async def _facts(client: AsyncMongoClient[RawDocument], patient: AsyncMongoClient[RawDocument], name: str) -> Facts:
    database = client[name]
    build = await client.admin.command("buildInfo")
    before = time.time()
    hello = await client.admin.command("hello")
    asked_at = (before + time.time()) / 2
    existing = set(await database.list_collection_names())
    missing: list[str] = []
    duplicates: list[str] = []
    for collection in DOCUMENTS:
        found = await database[collection].index_information() if collection in existing else {}
        present = {(_spelled(index["key"]), bool(index.get("unique"))) for index in found.values()}
        for model in index_models(collection, TtlDays(1, 1)):  # the TTLs make no difference here
            keys, unique = _spelled(model.document["key"].items()), bool(model.document.get("unique"))
            if (keys, unique) in present:
                continue
            missing.append(f"{collection}({keys}){' unique' if unique else ''}")
            if (
                unique
                and collection in existing
                and (found_twice := await _found_twice(patient[name][collection], model))
            ):
                duplicates.append(f"{collection}({keys}): {found_twice}")
    await database["meta"].update_one({"key": "readiness"}, {"$currentDate": {"value": True}}, upsert=True)
    return Facts(
        version=str(build["version"]),
        replica_set=hello.get("setName"),
        clock_ahead_s=hello["localTime"].timestamp() - asked_at,
        empty="users" not in existing,
        missing_indexes=missing,
        duplicates=duplicates,
        restore_phase=await fetch_restore_phase(database),
    )


async def _found_twice(collection: AsyncCollection[RawDocument], model: IndexModel) -> str:
    """Return a text with the values that violate a unique index, or an empty text when there are none."""
    names = list(model.document["key"])
    pipeline: list[RawDocument] = [
        {"$match": model.document.get("partialFilterExpression", {})},
        {"$group": {"_id": [f"${name}" for name in names], "count": {"$sum": 1}, "ids": {"$firstN": _FEW_IDS}}},
        {"$match": {"count": {"$gt": 1}}},
        {"$limit": 1},
    ]
    cursor = await collection.aggregate(pipeline, allowDiskUse=True, maxTimeMS=_DUPLICATES_WITHIN_MS)
    async for row in cursor:
        return f"documents {' and '.join(str(it) for it in row['ids'])} of {row['count']}"
    return ""


def _spelled(keys: Any) -> str:
    return ", ".join(name if direction == 1 else f"{name} descending" for name, direction in keys)
