"""Opens a database beside a server that may be running, for commands that read or change something once and end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError

from chat_mvp.errors import StartupError, UnavailableError
from chat_mvp.storage.client import Collections, RawDocument, check_topology, startup_error

SOCKET_TIMEOUT_MS = 5_000

_TIMEOUTS: dict[str, Any] = {
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 1_000,
    "serverMonitoringMode": "poll",
}


@asynccontextmanager
async def open_beside(uri: str, name: str, *, socket_timeout_ms: int = SOCKET_TIMEOUT_MS) -> AsyncIterator[Collections]:
    """Open the collections of a database. ``StartupError`` when it does not answer, also within the block."""
    try:
        client: AsyncMongoClient[RawDocument] = AsyncMongoClient(
            uri, tz_aware=True, w="majority", socketTimeoutMS=socket_timeout_ms, **_TIMEOUTS
        )
    except (InvalidURI, ConfigurationError) as error:
        raise startup_error(error) from error
    try:
        await check_topology(client)
        yield client[name]
    except PyMongoError as error:
        raise startup_error(error) from error
    except UnavailableError as error:
        raise StartupError(error.detail, remedy="Check that MongoDB is running and has a primary.") from error
    finally:
        await client.close()
