"""What the database says of committed events."""

import asyncio
from typing import Any

import msgspec
from pymongo import MongoClient

from tests.support.server import Server


async def stored_events(server: Server, *types: str) -> list[list[dict[str, Any]]]:
    """Return the events of each transaction that has only events of these types, in the order they were stored."""
    return await asyncio.to_thread(_read, server, types)


def _read(server: Server, types: tuple[str, ...]) -> list[list[dict[str, Any]]]:
    assert server.mongo_uri is not None
    with MongoClient[dict[str, Any]](server.mongo_uri, tz_aware=True) as client:
        found = list(client[server.database]["events"].find(sort=[("_id", 1)]))
    bodies = []
    for document in found:
        assert document.keys() == {"_id", "at", "process", "types", "body"}
        events: list[dict[str, Any]] = msgspec.json.decode(document["body"])
        assert document["types"] == sorted({event["type"] for event in events})
        if set(document["types"]) <= set(types):
            bodies.append(events)
    return bodies
