"""Replaces a whole database: loads the new one beside the old one, and then switches to it.

Documents go into temporary collections, where the indexes are built too. So every error in the documents appears before
anything is replaced. A marker in ``meta`` prevents servers from starting meanwhile (see ``storage.meta``).
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any

from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError

from chat_mvp.errors import StartupError
from chat_mvp.storage import meta
from chat_mvp.storage.client import DEFAULT_EVENT_TTL_DAYS, check_topology, startup_error
from chat_mvp.storage.errors import is_passing
from chat_mvp.storage.schema import BACKED_UP, EMPTIED_BY_A_RESTORE, EVENT_COLLECTIONS, TtlDays, index_models

_PREFIX = "restoring_"
_DOCUMENTS_AT_ONCE = 1_000
"""The driver needs many times the bytes of what it inserts at once."""

_OPTIONS: dict[str, Any] = {
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 3_000,
    # Building an index over a large collection may take long.
    "socketTimeoutMS": None,
    "w": "majority",
    "journal": True,
}


class Load:
    """A database that is being replaced by another one."""

    def __init__(self, client: AsyncMongoClient[Any], name: str, *, own_name: str, queue_ttl_days: int) -> None:
        """Load into the database called ``name``; ``client`` is connected as ``own_name``."""
        self._own_name = own_name
        self._client = client
        self._database = client[name]
        self._queue_ttl_days = queue_ttl_days

    async def check(self, *, replace: bool) -> None:
        """Raise ``StartupError`` when the database is in use, or holds data that must not be replaced."""
        with _translated_errors():
            await self._check_unused()
            if replace or await meta.fetch_restore_phase(self._database) == "switching":
                return
            held = {name: await self._database[name].estimated_document_count() for name in BACKED_UP}
        if any(held.values()):
            raise StartupError(
                f"The database {self._database.name} is not empty: it holds {held['users']:,} accounts and "
                f"{held['messages']:,} messages.",
                remedy="To replace all of that, add --replace. Otherwise name another database with --mongo-database.",
            )

    async def begin(self, at: datetime) -> None:
        """Prevent servers from starting, and remove what an earlier load left."""
        with _translated_errors():
            if await meta.fetch_restore_phase(self._database) != "switching":
                await meta.mark_restore(self._database, "loading", at)
            # Check again, because a server may have started since. One that starts now sees the marker.
            try:
                await self._check_unused()
            except StartupError:
                await self.cancel()
                raise
            await self._drop_loaded()

    async def insert(self, collection: str, documents: Sequence[bytes]) -> None:
        """Insert these documents. ``StartupError`` for data that is not a document."""
        # Durable as soon as a later write has a majority.
        target = self._database[_PREFIX + collection].with_options(write_concern=WriteConcern(1))
        for start in range(0, len(documents), _DOCUMENTS_AT_ONCE):
            try:
                raw = [RawBSONDocument(document) for document in documents[start : start + _DOCUMENTS_AT_ONCE]]
            except InvalidBSON:
                raise _damaged(collection) from None
            with _translated_errors(collection):
                await target.insert_many(raw, ordered=False)

    async def make_indexes(self, collection: str) -> None:
        """Build the indexes of a collection that is complete. ``StartupError`` if unique values repeat."""
        # Events are not in backups, so their TTL makes no difference here.
        models = index_models(collection, TtlDays(self._queue_ttl_days, DEFAULT_EVENT_TTL_DAYS))
        with _translated_errors(collection):
            await self._database[_PREFIX + collection].create_indexes(models)

    async def finish(self, at: datetime, *, schema_version: int) -> str:
        """Replace all collections and return the new epoch. After this begins, the only way out is to restore again."""
        epoch = meta.new_epoch()
        with _translated_errors():
            await meta.mark_restore(self._database, "switching", at)
            for name in BACKED_UP:
                await self._database[_PREFIX + name].rename(name, dropTarget=True)
            for name in EMPTIED_BY_A_RESTORE:
                await self._database[name].delete_many({})
            await meta.write_history(self._database, epoch=epoch, schema_version=schema_version)
            await meta.clear_restore(self._database)
        return epoch

    async def cancel(self) -> bool:
        """Keep the data that was there before. Return false when there was no restore to cancel.

        ``StartupError`` when it has been replaced in part.
        """
        with _translated_errors():
            phase = await meta.fetch_restore_phase(self._database)
            if phase == "switching":
                raise meta.unfinished_restore(self._database.name, phase)
            await self._drop_loaded()
            await meta.clear_restore(self._database)
        return phase is not None

    async def renew_epoch(self) -> str:
        """Give the unchanged database a new epoch and return it. Consumers of events rebuild at the next start."""
        with _translated_errors():
            await self._check_unused()
            await meta.check_usable(self._database)
            version = await meta.fetch_schema_version(self._database)
            if version is None:
                raise StartupError(
                    f"There is no database of chat-mvp called {self._database.name} there.",
                    remedy="Check --data-dir, --mongo-uri and --mongo-database.",
                )
            for name in EVENT_COLLECTIONS:
                await self._database[name].delete_many({})
            epoch = meta.new_epoch()
            await meta.write_history(self._database, epoch=epoch, schema_version=version)
        return epoch

    async def _check_unused(self) -> None:
        await meta.check_unused(self._client, self._database.name, own_name=self._own_name)

    async def _drop_loaded(self) -> None:
        for name in BACKED_UP:
            await self._database.drop_collection(_PREFIX + name)


@asynccontextmanager
async def open_load(uri: str, name: str, *, queue_ttl_days: int) -> AsyncIterator[Load]:
    """Connect to a database in order to replace it. ``StartupError`` when it does not answer."""
    own_name = meta.restorer_name(name)
    try:
        client: AsyncMongoClient[Any] = AsyncMongoClient(uri, tz_aware=True, appname=own_name, **_OPTIONS)
    except (InvalidURI, ConfigurationError) as error:
        raise startup_error(error) from error
    try:
        with _translated_errors():
            await check_topology(client)
        yield Load(client, name, own_name=own_name, queue_ttl_days=queue_ttl_days)
    finally:
        await client.close()


@contextmanager
def _translated_errors(collection: str = "") -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        # If the database permanently refuses documents while they are loaded, the documents are the cause.
        is_refused = bool(collection) and isinstance(error, OperationFailure) and not is_passing(error)
        raise (_damaged(collection) if is_refused else startup_error(error)) from error


def _damaged(collection: str) -> StartupError:
    return StartupError(
        f"The backup holds documents of {collection} that cannot be stored together.",
        remedy="Use another backup. Nothing was changed.",
    )
