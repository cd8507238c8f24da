"""The database a command works on: the one that was given, otherwise the embedded one, started for it."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chat_mvp.errors import StartupError
from chat_mvp.settings import Settings
from chat_mvp.storage.client import Database, open_database


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database that the settings name and close it at the end, and the embedded MongoDB after it.

    ``StartupError`` when it cannot be had.
    """
    async with mongo_address(settings) as uri:
        database = await open_database(uri, settings.mongo_database, queue_ttl_days=settings.queue_ttl_days)
        try:
            yield database
        finally:
            await database.close()


@asynccontextmanager
async def mongo_address(settings: Settings) -> AsyncIterator[str]:
    """Give the address of a running MongoDB, with credentials; an embedded one lives as long as the context."""
    if settings.mongo_uri is not None:
        yield settings.mongo_uri.get_secret_value()
        return
    from chat_mvp.mongod import start_embedded  # noqa: PLC0415 - not needed with a MongoDB of one's own

    mongo = await start_embedded(settings.data_dir, cache_gb=settings.mongo_cache_gb)
    try:
        yield mongo.uri
    finally:
        await mongo.stop()


def prepare_data_dir(directory: Path) -> None:
    """Make the data directory, for its owner alone, unless it is there. ``StartupError`` when it cannot be written."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Asking whether one may write answers wrongly on read-only and network file systems: writing does not.
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise StartupError(
            f"The data directory {directory} cannot be used: {reason}.",
            remedy="Choose a directory that you may write to with --data-dir.",
        ) from None
