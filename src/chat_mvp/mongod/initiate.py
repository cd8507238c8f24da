"""Making a started mongod the primary of a replica set of one, with its one user.

The only module outside ``storage`` that talks to the driver: all this happens before there is a storage layer.
"""

import asyncio
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from chat_mvp.errors import StartupError
from chat_mvp.mongod.config import HOST, REPLICA_SET
from chat_mvp.mongod.credentials import Credentials

ELECTION_SETTINGS = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500, "catchUpTimeoutMillis": 200}

ROLES = ("readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterManager", "clusterMonitor")
"""All data and this replica set's configuration; no users, no shutdown, no parameters of the server."""

_UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18
_ALREADY_INITIALIZED = 23
_NOT_YET_INITIALIZED = 94

_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.25
"""An election takes a few hundredths. Long is only the wait for a mongod whose old port was taken by a program that
says nothing: it asks there for 30 s whether it is talking to itself, before it can be told its new address."""

_Client = AsyncMongoClient[dict[str, Any]]


async def ensure_primary(port: int, credentials: Credentials) -> None:
    """Return once the mongod that listens on ``port`` takes writes of the user in ``credentials``.

    A new one is initiated; one that was last started on another port is told its new address; settings of the
    replica set are brought up to date. Safe to repeat after being cut off anywhere. It waits without end: the
    caller sets the bound. Raises StartupError when the password in the data directory is not the database's, or
    the database refuses something.
    """
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            if await _advance(port, credentials):
                return
        except AutoReconnect:
            pass  # mongod closes connections when its part in the replica set changes
        except OperationFailure as error:
            if error.code == _AUTHENTICATION_FAILED:
                raise StartupError(
                    "The database in the data directory does not know the password in its file mongod/password.",
                    remedy="Put the file back from a backup of the same directory, or start with an empty --data-dir.",
                ) from None
            raise _refused(error) from error
        except PyMongoError as error:
            raise _refused(error) from error
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


async def _advance(port: int, credentials: Credentials) -> bool:
    """Do what can be done now and say whether that was all."""
    host = f"{HOST}:{port}"
    async with _connect(port) as local:
        hello = await local.admin.command("hello")
        if hello.get("isWritablePrimary"):
            await _create_user(local, credentials)
            async with _connect(port, credentials) as signed_in:
                await _update_settings(signed_in)
            return True
        # Without a set's name it has no configuration, has not read it yet, or does not find itself in it.
        if "setName" not in hello and not await _initiate(local, host):
            async with _connect(port, credentials) as signed_in:
                await _correct_address(signed_in, host)
        return False


def _connect(port: int, credentials: Credentials | None = None) -> _Client:
    return AsyncMongoClient(
        HOST,
        port,
        directConnection=True,
        username=credentials.username if credentials else None,
        password=credentials.password if credentials else None,
        connectTimeoutMS=1000,
        serverSelectionTimeoutMS=2000,
    )


async def _initiate(local: _Client, host: str) -> bool:
    """Initiate a new replica set, allowed from this machine without signing in as long as there is no user.

    Returns False when that is not allowed: the replica set is there already.
    """
    config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}], "settings": ELECTION_SETTINGS}
    try:
        await local.admin.command("replSetInitiate", config)
    except OperationFailure as error:
        if error.code == _ALREADY_INITIALIZED:
            return True
        if error.code == _UNAUTHORIZED:
            return False
        raise
    return True


async def _correct_address(signed_in: _Client, host: str) -> None:
    """Give the only member the address ``host`` if it has another: then it does not find itself in the set."""
    try:
        config = (await signed_in.admin.command("replSetGetConfig"))["config"]
        if config["members"][0]["host"] != host:
            config["members"][0]["host"] = host
            config["version"] += 1
            await signed_in.admin.command("replSetReconfig", config, force=True)
    except OperationFailure as error:
        if error.code != _NOT_YET_INITIALIZED:  # it is still reading its configuration
            raise


async def _create_user(local: _Client, credentials: Credentials) -> None:
    """Create the one user, allowed from this machine without signing in as long as there is none."""
    try:
        await local.admin.command(
            "createUser",
            credentials.username,
            pwd=credentials.password,
            roles=list(ROLES),
            writeConcern={"w": "majority", "j": True},
        )
    except OperationFailure as error:
        if error.code != _UNAUTHORIZED:
            raise


async def _update_settings(signed_in: _Client) -> None:
    config = (await signed_in.admin.command("replSetGetConfig"))["config"]
    if any(config["settings"].get(name) != value for name, value in ELECTION_SETTINGS.items()):
        config["settings"].update(ELECTION_SETTINGS)
        config["version"] += 1
        await signed_in.admin.command("replSetReconfig", config)


def _refused(error: PyMongoError) -> StartupError:
    return StartupError(
        f"The database started but could not be set up: {str(error).partition(', full error')[0].rstrip('.')}.",
        remedy="See mongod.log in the data directory.",
    )
