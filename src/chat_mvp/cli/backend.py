"""The database of a command: the given one, or else the embedded one, which is started for the command."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from chat_mvp.errors import StartupError
from chat_mvp.security.keys import FILE_NAME as SIGNING_KEYS
from chat_mvp.settings import Settings
from chat_mvp.storage.client import Database, open_database


class Address(NamedTuple):
    """The URI of a running MongoDB, with credentials, and whether a server is running it."""

    uri: str
    of_running_server: bool


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database in the settings. Close it at the end, and the embedded MongoDB after it.

    ``StartupError`` when it cannot be opened, and when an embedded database was emptied.
    """
    async with mongo_address(settings) as uri:
        if settings.mongo_uri is not None:
            database = await open_database(
                uri,
                settings.mongo_database,
                queue_ttl_days=settings.queue_ttl_days,
                event_ttl_days=settings.event_ttl_days,
            )
        else:
            database = await _open_embedded(uri, settings)
        try:
            yield database
        finally:
            await database.close()


@asynccontextmanager
async def mongo_address(settings: Settings) -> AsyncIterator[str]:
    """Return the URI of a running MongoDB, with credentials. An embedded one runs until the end of the context."""
    if settings.mongo_uri is not None:
        yield settings.mongo_uri.get_secret_value()
        return
    from chat_mvp.mongod import start_embedded  # noqa: PLC0415 - not needed with a MongoDB of one's own

    mongo = await start_embedded(settings.data_dir, cache_gb=settings.mongo_cache_gb)
    try:
        yield mongo.uri
    finally:
        await mongo.stop()


@asynccontextmanager
async def shared_address(settings: Settings) -> AsyncIterator[Address]:
    """Return the URI of the MongoDB of a server that may be running. Without one, do the same as ``mongo_address``."""
    if settings.mongo_uri is None:
        from chat_mvp.mongod.running import running_uri  # noqa: PLC0415 - not needed with a MongoDB of one's own

        running = running_uri(settings.data_dir)
        if running is not None:
            yield Address(running, of_running_server=True)
            return
    async with mongo_address(settings) as uri:
        yield Address(uri, of_running_server=False)


def prepare_data_dir(directory: Path) -> None:
    """Create the data directory, for its owner alone, if it is missing. ``StartupError`` when it cannot be written."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Test by writing: os.access gives wrong answers on read-only and network file systems.
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise StartupError(
            f"The data directory {directory} cannot be used: {reason}.",
            remedy="Choose a directory that you may write to with --data-dir.",
        ) from None


async def _open_embedded(uri: str, settings: Settings) -> Database:
    from chat_mvp.mongod.epoch_note import check_never_made, write_epoch_note  # noqa: PLC0415 - as above

    directory, name = settings.data_dir, settings.mongo_database
    database = await open_database(
        uri,
        name,
        queue_ttl_days=settings.queue_ttl_days,
        event_ttl_days=settings.event_ttl_days,
        before_first_use=lambda: check_never_made(directory, name, directory / SIGNING_KEYS),
    )
    write_epoch_note(directory, name, database.epoch)
    return database
