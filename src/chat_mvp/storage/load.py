"""Putting a whole database in place: loaded beside what is there, then put in its place at once.

Documents go into collections of other names, where the indexes are made too, so everything that can be wrong with them
shows before anything is replaced. A mark in ``meta`` keeps servers from starting meanwhile (see ``storage.meta``).
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
    # Making an index over a large collection takes as long as it takes.
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
        """Raise ``StartupError`` when the database is in use, or holds something that must not be replaced."""
        with _explained():
            await self._check_unused()
            if replace or await meta.fetch_restore_phase(self._database) == "switching":
                return
            held = {name: await self._database[name].estimated_document_count() for name in BACKED_UP}
        if any(held.values()):
            raise StartupError(
                f"The database {self._database.name} is not empty: it holds {held['users']:,} accounts and "
                f"{held['messages']:,} messages.",
                remedy="To replace all of that, add --replace; otherwise name another one with --mongo-database.",
            )

    async def begin(self, at: datetime) -> None:
        """Keep servers out, and make room for what comes."""
        with _explained():
            if await meta.fetch_restore_phase(self._database) != "switching":
                await meta.mark_restore(self._database, "loading", at)
            # Again, because a server may have started since; one that starts now sees the mark.
            try:
                await self._check_unused()
            except StartupError:
                await self.cancel()
                raise
            await self._drop_loaded()

    async def insert(self, collection: str, documents: Sequence[bytes]) -> None:
        """Take these documents in. ``StartupError`` for what is no document."""
        # Durable once what follows with a majority is.
        target = self._database[_PREFIX + collection].with_options(write_concern=WriteConcern(1))
        for start in range(0, len(documents), _DOCUMENTS_AT_ONCE):
            try:
                raw = [RawBSONDocument(document) for document in documents[start : start + _DOCUMENTS_AT_ONCE]]
            except InvalidBSON:
                raise _damaged(collection) from None
            with _explained(collection):
                await target.insert_many(raw, ordered=False)

    async def make_indexes(self, collection: str) -> None:
        """Make the indexes of a collection that is complete. ``StartupError`` where unique values are not."""
        # Events are not in backups: how long they are kept makes no difference here.
        models = index_models(collection, TtlDays(self._queue_ttl_days, DEFAULT_EVENT_TTL_DAYS))
        with _explained(collection):
            await self._database[_PREFIX + collection].create_indexes(models)

    async def finish(self, at: datetime, *, schema_version: int) -> str:
        """Put everything in its place and return the new epoch. From here on there is no way back but once more."""
        epoch = meta.new_epoch()
        with _explained():
            await meta.mark_restore(self._database, "switching", at)
            for name in BACKED_UP:
                await self._database[_PREFIX + name].rename(name, dropTarget=True)
            for name in EMPTIED_BY_A_RESTORE:
                await self._database[name].delete_many({})
            await meta.write_history(self._database, epoch=epoch, schema_version=schema_version)
            await meta.clear_restore(self._database)
        return epoch

    async def cancel(self) -> bool:
        """Leave what was there before as it was. False where there was nothing to cancel.

        ``StartupError`` where it has been replaced in part.
        """
        with _explained():
            phase = await meta.fetch_restore_phase(self._database)
            if phase == "switching":
                raise meta.unfinished_restore(self._database.name, phase)
            await self._drop_loaded()
            await meta.clear_restore(self._database)
        return phase is not None

    async def renew_epoch(self) -> str:
        """Give the database, as it is, a new epoch and return that. Consumers of events rebuild at the next start."""
        with _explained():
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
        with _explained():
            await check_topology(client)
        yield Load(client, name, own_name=own_name, queue_ttl_days=queue_ttl_days)
    finally:
        await client.close()


@contextmanager
def _explained(collection: str = "") -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        # What the database refuses for good while documents are loaded is the fault of these documents.
        is_refused = bool(collection) and isinstance(error, OperationFailure) and not is_passing(error)
        raise (_damaged(collection) if is_refused else startup_error(error)) from error


def _damaged(collection: str) -> StartupError:
    return StartupError(
        f"The backup holds documents of {collection} that cannot be stored together.",
        remedy="Take another backup; nothing was changed.",
    )
