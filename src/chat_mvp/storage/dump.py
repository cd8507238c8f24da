"""Reading a whole database as it is at one moment, while servers write to it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from bson.raw_bson import RawBSONDocument
from msgspec import Struct
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError

from chat_mvp.errors import StartupError
from chat_mvp.storage.client import check_topology, startup_error
from chat_mvp.storage.meta import fetch_epoch, fetch_restore_phase, fetch_schema_version, unfinished_restore
from chat_mvp.storage.schema import BACKED_UP

_DOCUMENTS_AT_ONCE = 2_000
_SNAPSHOT_TOO_OLD = frozenset({239, 246})
"""SnapshotTooOld, and SnapshotUnavailable, which means that a collection or an index was created since."""

_OPTIONS: dict[str, Any] = {
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 3_000,
    "socketTimeoutMS": 60_000,
    "appname": "chat-mvp backup",
}


class DumpFacts(Struct, frozen=True):
    """What is known about a database before it is read."""

    epoch: str
    schema_version: int
    mongodb_version: str
    estimates: dict[str, int]
    """The approximate number of documents in each collection."""


class Dump:
    """One moment of one database. All reads show that moment, however long reading takes."""

    def __init__(self, client: AsyncMongoClient[Any], name: str, session: AsyncClientSession, facts: DumpFacts) -> None:
        """Read from this database in a snapshot session whose moment is already chosen."""
        self.facts = facts
        self._client = client
        self._database = client[name]
        self._session = session

    async def read(self, collection: str) -> AsyncIterator[bytes]:
        """Yield the documents of a collection as BSON, many at once, in the order of their ids.

        ``StartupError`` when the database no longer keeps that moment, or does not answer.
        """
        with _translated_errors():
            cursor = self._database[collection].find_raw_batches(
                {}, sort=[("_id", 1)], batch_size=_DOCUMENTS_AT_ONCE, session=self._session
            )
            async with cursor:
                async for documents in cursor:
                    yield documents


@asynccontextmanager
async def open_dump(uri: str, name: str) -> AsyncIterator[Dump]:
    """Choose the present moment of a database for reading.

    ``StartupError`` when there is no such database, it is being restored, or it does not answer.
    """
    try:
        client: AsyncMongoClient[Any] = AsyncMongoClient(uri, tz_aware=True, **_OPTIONS)
    except (InvalidURI, ConfigurationError) as error:
        raise startup_error(error) from error
    try:
        with _translated_errors():
            await check_topology(client)
            facts = await _facts(client, name)
        async with client.start_session(snapshot=True) as session:
            with _translated_errors():
                # The first read chooses the moment.
                await client[name]["meta"].find_one({}, session=session)
            yield Dump(client, name, session, facts)
    finally:
        await client.close()


async def _facts(client: AsyncMongoClient[Any], name: str) -> DumpFacts:
    database = client[name]
    phase = await fetch_restore_phase(database)
    if phase is not None:
        raise unfinished_restore(name, phase)
    epoch, schema_version = await fetch_epoch(database), await fetch_schema_version(database)
    if epoch is None or schema_version is None:
        raise StartupError(
            f"There is no database of chat-mvp called {name} there, so there is nothing to back up.",
            remedy="Check --data-dir, --mongo-uri and --mongo-database.",
        )
    build = await client.admin.command("buildInfo")
    estimates = {name: await database[name].estimated_document_count() for name in BACKED_UP}
    return DumpFacts(epoch, schema_version, str(build["version"]), estimates)


async def set_history_window(uri: str, seconds: int) -> None:
    """Make a member of a replica set keep its history for this many seconds. ``uri`` must allow setting parameters."""
    client: AsyncMongoClient[RawBSONDocument] = AsyncMongoClient(uri, **_OPTIONS)
    try:
        with _translated_errors():
            await client.admin.command({"setParameter": 1, "minSnapshotHistoryWindowInSeconds": seconds})
    finally:
        await client.close()


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code in _SNAPSHOT_TOO_OLD:
            raise StartupError(
                "The database no longer has the snapshot of this backup: the backup took too long, or indexes changed.",
                remedy="Raise minSnapshotHistoryWindowInSeconds of mongod (see docs/mongodb.md) and try again.",
            ) from error
        raise startup_error(error) from error
    except PyMongoError as error:
        raise startup_error(error) from error
