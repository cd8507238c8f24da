"""Looking at a database without changing how it is built: what ``chat-mvp doctor`` wants to know."""

import time
from typing import Any, NamedTuple

from beanie import Document
from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError

from chat_mvp.storage.client import RawDocument, check_topology, startup_error
from chat_mvp.storage.documents import ALL_DOCUMENTS
from chat_mvp.storage.indexes import all_index_models

_OPTIONS: dict[str, Any] = {
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 1_000,
    "socketTimeoutMS": 5_000,
    # No second connection to watch by, for a client that is closed a moment later.
    "serverMonitoringMode": "poll",
}


class Facts(NamedTuple):
    """What is known about a database that takes writes."""

    version: str
    replica_set: str | None
    """None behind a router of a sharded cluster."""
    clock_ahead_s: float
    """How far the database's clock is before this machine's."""
    empty: bool
    missing_indexes: list[str]
    """Such as ``messages(conversation_id, seq) unique``."""


async def inspect(uri: str, name: str) -> Facts:
    """Look at a database and write one small document. ``StartupError`` when it does not answer or takes no write."""
    try:
        client: AsyncMongoClient[RawDocument] = AsyncMongoClient(uri, tz_aware=True, w="majority", **_OPTIONS)
    except (InvalidURI, ConfigurationError) as error:
        raise startup_error(error) from error
    try:
        await check_topology(client)
        return await _facts(client, name)
    except PyMongoError as error:
        raise startup_error(error) from error
    finally:
        await client.close()


async def _facts(client: AsyncMongoClient[RawDocument], name: str) -> Facts:
    database = client[name]
    build = await client.admin.command("buildInfo")
    before = time.time()
    hello = await client.admin.command("hello")
    asked_at = (before + time.time()) / 2
    there = set(await database.list_collection_names())
    missing = []
    for document in ALL_DOCUMENTS:
        collection = str(document.Settings.name)
        found = await database[collection].index_information() if collection in there else {}
        present = {(_spelled(index["key"]), bool(index.get("unique"))) for index in found.values()}
        for keys, unique in _wanted(document):
            if (keys, unique) not in present:
                missing.append(f"{collection}({keys}){' unique' if unique else ''}")
    await database["meta"].update_one({"key": "readiness"}, {"$currentDate": {"value": True}}, upsert=True)
    return Facts(
        version=str(build["version"]),
        replica_set=hello.get("setName"),
        clock_ahead_s=hello["localTime"].timestamp() - asked_at,
        empty="users" not in there,
        missing_indexes=missing,
    )


def _wanted(document: type[Document]) -> list[tuple[str, bool]]:
    # How long the queue keeps entries is a setting, and makes no difference here.
    models = all_index_models(document, queue_ttl_days=1)
    return [(_spelled(model.document["key"].items()), bool(model.document.get("unique"))) for model in models]


def _spelled(keys: Any) -> str:
    return ", ".join(name if direction == 1 else f"{name} descending" for name, direction in keys)
