"""The ``meta`` collection: the database's epoch, its schema version, and whether a restore is in progress.

Also finds which servers use the database now, because these facts may change only while no server does.
"""

import re
from datetime import datetime
from typing import Any, Literal

from bson import ObjectId
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from chat_mvp.errors import StartupError

EPOCH_KEY = "epoch"
SCHEMA_KEY = "schema_version"
RESTORE_KEY = "restore"
SCHEMA_VERSION = 1

RestorePhase = Literal["loading", "switching"]
"""``loading``: the previous data is untouched. ``switching``: old and new collections exist side by side."""

_UNAUTHORIZED = 13

Meta = AsyncDatabase[dict[str, Any]]


def server_name(database: str) -> str:
    """Return the name under which servers of this database connect to MongoDB."""
    return f"chat-mvp/{database}"


def restorer_name(database: str) -> str:
    """Return a new name under which a restore of this database connects to MongoDB."""
    return f"{server_name(database)}/restore/{ObjectId()}"


async def fetch_epoch(database: Meta) -> str | None:
    """Return the epoch, or ``None`` for a database that no server has used yet."""
    value = await _fetch(database, EPOCH_KEY)
    return None if value is None else str(value)


async def ensure_epoch(database: Meta) -> str:
    """Return the epoch. A new database gets one, with the schema version of this program."""
    for key, value in ((EPOCH_KEY, new_epoch()), (SCHEMA_KEY, SCHEMA_VERSION)):
        await database["meta"].update_one({"key": key}, {"$setOnInsert": {"value": value}}, upsert=True)
    return str(await _fetch(database, EPOCH_KEY))


async def fetch_schema_version(database: Meta) -> int | None:
    """Return the version of the schema, or ``None`` for a database that no server has used yet."""
    value = await _fetch(database, SCHEMA_KEY)
    return None if value is None else int(value)


async def write_history(database: Meta, *, epoch: str, schema_version: int) -> None:
    """Store another epoch and the schema version."""
    for key, value in ((EPOCH_KEY, epoch), (SCHEMA_KEY, schema_version)):
        await _with_majority(database).update_one({"key": key}, {"$set": {"value": value}}, upsert=True)


def new_epoch() -> str:
    """Return an epoch that no database had before."""
    return str(ObjectId())


async def fetch_restore_phase(database: Meta) -> RestorePhase | None:
    """Return the phase of an unfinished restore, or ``None`` when no restore is in progress."""
    value = await _fetch(database, RESTORE_KEY)
    if value is None:
        return None
    return "loading" if value.get("phase") == "loading" else "switching"


async def mark_restore(database: Meta, phase: RestorePhase, at: datetime) -> None:
    """Prevent servers from starting on this database until ``clear_restore``."""
    value = {"phase": phase, "at": at}
    await _with_majority(database).update_one({"key": RESTORE_KEY}, {"$set": {"value": value}}, upsert=True)


async def clear_restore(database: Meta) -> None:
    """Allow servers to start on this database again."""
    await _with_majority(database).delete_one({"key": RESTORE_KEY})


async def check_usable(database: Meta) -> None:
    """Raise ``StartupError`` for a database that a server must not use in its current state."""
    phase = await fetch_restore_phase(database)
    if phase is not None:
        raise unfinished_restore(database.name, phase)
    version = await fetch_schema_version(database)
    if version is not None and version > SCHEMA_VERSION:
        raise StartupError(
            f"The database {database.name} has schema version {version}, and this program knows {SCHEMA_VERSION}.",
            remedy="Start the version of chat-mvp that wrote it, or a later one.",
        )


def unfinished_restore(name: str, phase: RestorePhase) -> StartupError:
    """Return the error for a restore that is in progress or was interrupted."""
    detail = f"A restore of the database {name} is in progress, or was interrupted."
    again = "When none is running, run chat-mvp restore FILE --replace again"
    if phase == "switching":
        return StartupError(detail, remedy=f"{again}.")
    return StartupError(detail, remedy=f"{again}, or chat-mvp restore --cancel to keep what was there before.")


async def check_unused(client: AsyncMongoClient[Any], database: str, *, own_name: str) -> None:
    """Raise ``StartupError`` while a server, or a restore with another name, is connected for this database."""
    hello = await client.admin.command("hello")
    where: dict[str, Any] = {"idleConnections": True}
    # A router only knows its own clients. The members of a replica set know all of their clients.
    where |= {"localOps": True} if hello.get("msg") == "isdbgrid" else {}
    others = {"$regex": f"^{re.escape(server_name(database))}(/restore/.*)?$", "$ne": own_name}
    try:
        found = await _connected(client, where | {"allUsers": True}, others)
    except OperationFailure as error:
        if error.code != _UNAUTHORIZED:
            raise
        found = await _connected(client, where | {"allUsers": False}, others)
    if found:
        raise StartupError(
            f"A server, or another restore, is using the database {database} (connected from {found[0]}).",
            remedy="Stop it first.",
        )


async def _connected(client: AsyncMongoClient[Any], where: dict[str, Any], name: dict[str, str]) -> list[str]:
    pipeline: list[dict[str, Any]] = [{"$currentOp": where}, {"$match": {"appName": name}}, {"$limit": 1}]
    cursor = await client.admin.aggregate(pipeline)
    return [str(row.get("client") or row.get("client_s") or "somewhere") async for row in cursor]


async def _fetch(database: Meta, key: str) -> Any:
    found = await database["meta"].find_one({"key": key})
    return None if found is None else found["value"]


def _with_majority(database: Meta) -> Any:
    return database["meta"].with_options(write_concern=WriteConcern("majority", j=True))
