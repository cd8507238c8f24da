"""The database a command works on: the one that was given, otherwise the embedded one, started for it."""

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
    """The address of a running MongoDB, with credentials, and whether a server runs it now."""

    uri: str
    of_running_server: bool


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database that the settings name and close it at the end, and the embedded MongoDB after it.

    ``StartupError`` when it cannot be had, and for an embedded one that was emptied.
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


@asynccontextmanager
async def shared_address(settings: Settings) -> AsyncIterator[Address]:
    """Give the address of the MongoDB beside a server that may be running; without one, as ``mongo_address`` does."""
    if settings.mongo_uri is None:
        from chat_mvp.mongod.running import running_uri  # noqa: PLC0415 - not needed with a MongoDB of one's own

        running = running_uri(settings.data_dir)
        if running is not None:
            yield Address(running, of_running_server=True)
            return
    async with mongo_address(settings) as uri:
        yield Address(uri, of_running_server=False)


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
